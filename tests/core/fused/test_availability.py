"""Compiled code is loaded only from a folder that nobody else can write to."""

import os
import sys

import pytest

from metalab.core.fused import availability
from metalab.core.fused.availability import foreign_writer
from metalab.runs.system import kernels

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="rights there are no bits of a mode"
)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "kernels"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    (folder / "within").mkdir()
    (folder / "within" / "kernel.nbi").write_bytes(b"")
    return folder


def of_another(path, monkeypatch):
    """Make something another user's."""
    if os.geteuid() == 0:
        os.chown(path, 4242, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 4242)


def test_a_folder_of_ones_own_is_trusted_and_so_is_one_that_is_not_there(folder):
    assert foreign_writer(folder) is None
    assert foreign_writer(folder / "none") is None


def test_a_folder_of_another_user_is_not(folder, monkeypatch):
    of_another(folder, monkeypatch)
    assert foreign_writer(folder) == f"{folder} belongs to another user"


def test_nor_one_with_a_file_of_another_user(folder, monkeypatch):
    file = folder / "within" / "kernel.nbi"
    of_another(file, monkeypatch)
    assert "belongs to another user" in str(foreign_writer(folder))


@pytest.mark.parametrize("name", [".", "within", "within/kernel.nbi"])
def test_nor_one_that_others_can_write_to(folder, name):
    path = folder / name
    path.chmod(0o777)
    assert foreign_writer(folder) == f"{path} can be written to by others"
    # Whoever does not come past the folder cannot write to what is in it.
    folder.chmod(0o700)
    assert foreign_writer(folder) is None


def test_a_group_may_write_if_nobody_else_is_in_it(folder, monkeypatch):
    (folder / "within").chmod(0o775)
    monkeypatch.setattr(availability, "_is_own", lambda _gid: True)
    assert foreign_writer(folder) is None
    monkeypatch.setattr(availability, "_is_own", lambda _gid: False)
    assert "can be written to by others" in str(foreign_writer(folder))


def test_a_group_that_nobody_knows_is_not_ones_own():
    assert not availability._is_own(2**30)


def test_runs_do_without_such_kernels_and_say_why(folder, monkeypatch):
    monkeypatch.setenv("METALAB_KERNELS", str(folder.parent))
    monkeypatch.setattr(kernels, "digest", lambda: "kernels")
    assert kernels.readiness("float32").reason == "not compiled yet"
    folder.chmod(0o777)
    found = kernels.readiness("float32")
    assert not found.ready
    assert found.reason == f"{folder} can be written to by others"
    assert found.reason in kernels.kernel_report()


def test_what_is_compiled_here_is_closed_to_others(tmp_path, monkeypatch):
    monkeypatch.setenv("METALAB_KERNELS", str(tmp_path / "cache"))
    monkeypatch.setattr(kernels, "_compile", lambda _precision: None)
    kernels.compile_here("float32")
    made = tmp_path / "cache" / kernels.digest()
    assert made.stat().st_mode & 0o077 == 0
    assert foreign_writer(made) is None
