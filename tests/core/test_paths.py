"""Paths that a person names."""

import os
import socket
import stat
from contextlib import closing
from pathlib import Path

import pytest

from metalab.core.paths import (
    is_there,
    obstacle_to_create,
    obstacle_to_keep,
    obstacle_to_read,
    obstacle_to_write,
    partial_of,
    replace_file,
)

NOT_WRITABLE = "is not a folder that can be written to"
AS_ROOT = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="who may do everything is refused nothing (end_to_end/test_strange.py gives "
    "that up in a process of its own)",
)


@pytest.fixture
def special(tmp_path):
    """A folder with one of everything that is no ordinary file."""
    if os.name == "nt":
        pytest.skip("there are no such files")
    folder = tmp_path / "special"
    folder.mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    (folder / "circle").symlink_to(folder / "circle")
    (folder / "nowhere").symlink_to(folder / "missing")
    (folder / "file").write_text("x")
    (folder / "link").symlink_to(folder / "file")
    (folder / "link-to-pipe").symlink_to(folder / "pipe")
    with closing(socket.socket(socket.AF_UNIX)) as local:
        # The path of a socket has at most 107 bytes.
        here = Path.cwd()
        os.chdir(folder)
        local.bind("socket")
        os.chdir(here)
    return folder


@pytest.mark.parametrize(
    ("name", "read", "written"),
    [
        ("file", None, None),
        ("link", None, None),
        ("new", "No such file or directory", None),
        ("nowhere", "No such file or directory", None),
        ("pipe", "it is a pipe, not a file", "it is a pipe, not a file"),
        ("link-to-pipe", "it is a pipe, not a file", "it is a pipe, not a file"),
        ("folder", "it is a folder, not a file", "it is a folder, not a file"),
        ("socket", "it is a socket, not a file", "it is a socket, not a file"),
        ("circle", "Too many levels of symbolic links", "Too many levels of symbol"),
        ("file/below", "Not a directory", "Not a directory"),
        ("no/new", "No such file or directory", "/no does not exist"),
        ("n" * 300, "File name too long", "File name too long"),
        ("/".join(["n" * 100] * 50), "File name too long", "File name too long"),
    ],
)
def test_what_stands_in_the_way_is_told_and_nothing_is_touched(
    special, name, read, written
):
    before = {path.name: path.lstat().st_mode for path in special.iterdir()}
    path = special / name
    assert obstacle_to_read(path) == read
    found = obstacle_to_write(path)
    if written is None:
        assert found is None
        replace_file(path, b"new")
        assert path.read_bytes() == b"new"
        return
    assert found is not None
    assert written in found
    with pytest.raises(OSError, match=written) as refused:
        replace_file(path, b"new")
    assert refused.value.strerror == found
    assert {p.name: p.lstat().st_mode for p in special.iterdir()} == before


@pytest.mark.skipif(not Path("/dev/null").is_char_device(), reason="no such device")
def test_a_device_is_neither_read_nor_written(tmp_path):
    assert obstacle_to_read(Path("/dev/zero")) == "it is a device, not a file"
    assert obstacle_to_write(Path("/dev/null")) == "it is a device, not a file"


def test_a_link_stays_a_link_and_what_it_leads_to_is_replaced(special):
    replace_file(special / "link", b"new")
    assert (special / "link").is_symlink()
    assert (special / "file").read_bytes() == b"new"
    assert not [path for path in special.iterdir() if path.suffix == ".part"]


@pytest.mark.parametrize(
    "name", ["file", "link", "nowhere", "circle", "pipe", "folder"]
)
def test_nothing_new_takes_a_name_that_is_taken(special, name):
    assert "exists already" in (obstacle_to_create(special / name) or "")


def test_a_new_file_needs_a_folder(special):
    assert obstacle_to_create(special / "new") is None
    assert "does not exist" in (obstacle_to_create(special / "no" / "new") or "")
    assert NOT_WRITABLE in (obstacle_to_create(special / "file" / "new") or "")
    assert "too long" in (obstacle_to_create(special / ("n" * 300)) or "")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("folder", None),
        ("a/b/c", None),
        ("folder/a/b", None),
        ("file", NOT_WRITABLE),
        ("file/a/b", NOT_WRITABLE),
        ("pipe/a", NOT_WRITABLE),
        ("nowhere", "does not exist"),
        ("circle/a", "Too many levels of symbolic links"),
        ("n" * 300, "File name too long"),
    ],
)
def test_a_folder_that_can_be_made_is_told_from_one_that_cannot(special, name, told):
    found = obstacle_to_keep(special / name)
    if told is None:
        assert found is None
        (special / name).mkdir(parents=True, exist_ok=True)
    else:
        assert told in (found or "")
        with pytest.raises(OSError, match="Errno"):
            (special / name / "x").mkdir(parents=True, exist_ok=True)


def test_without_a_home_folder_nothing_is_made_in_the_current_one():
    assert obstacle_to_keep(Path("~/.local/share/metalab")) is not None


@AS_ROOT
def test_rights_are_asked_for(tmp_path):
    closed, read_only = tmp_path / "closed", tmp_path / "read-only"
    for folder in (closed, read_only):
        folder.mkdir()
        (folder / "file").write_text("x")
    closed.chmod(0)
    read_only.chmod(0o555)
    try:
        assert obstacle_to_read(closed / "file") == "Permission denied"
        assert not is_there(closed / "file")
        assert NOT_WRITABLE in (obstacle_to_create(closed / "new") or "")
        assert NOT_WRITABLE in (obstacle_to_write(read_only / "new") or "")
        assert "Permission denied" in (obstacle_to_keep(closed / "a" / "b") or "")
    finally:
        closed.chmod(stat.S_IRWXU)
        read_only.chmod(stat.S_IRWXU)


def test_a_part_beside_a_file_with_the_longest_name_can_be_made(tmp_path):
    for name in ("n" * 255, "字" * 85):
        replace_file(tmp_path / name, b"new")
        assert (tmp_path / name).read_bytes() == b"new"
    assert partial_of(tmp_path / "a.png").name == f".a.png.{os.getpid()}.part"
