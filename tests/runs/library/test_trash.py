"""Tests of the trash: moved there, and put back."""

import pytest
from send2trash import plat_other

from metalab.runs.library import trash
from metalab.runs.library.library import check_free
from metalab.runs.record.file_format import RunFileError
from metalab.runs.record.log import Additions
from metalab.runs.record.writer import RunWriter


@pytest.fixture
def own_trash(tmp_path, monkeypatch):
    home = tmp_path / "data"
    monkeypatch.setenv("XDG_DATA_HOME", str(home))
    monkeypatch.setattr(plat_other, "HOMETRASH", str(home / "Trash"))
    monkeypatch.setattr(plat_other, "HOMETRASH_B", bytes(home / "Trash"))
    monkeypatch.setattr(trash, "send2trash", plat_other.send2trash)
    return home / "Trash"


def test_a_file_goes_to_the_trash_and_comes_back(own_trash, folder):
    path = min(folder.glob("*.metalab"))
    content = path.read_bytes()
    moved = trash.move_to_trash(path)
    assert not path.exists()
    assert moved.place.parent == own_trash / "files"
    assert moved.place.read_bytes() == content
    trash.put_back(moved)
    assert path.read_bytes() == content
    assert list((own_trash / "info").iterdir()) == []


def test_two_files_of_one_name_come_back_each_as_itself(own_trash, folder):
    path = min(folder.glob("*.metalab"))
    first = trash.move_to_trash(path)
    path.write_bytes(b"the second")
    second = trash.move_to_trash(path)
    assert first.place != second.place
    trash.put_back(second)
    assert path.read_bytes() == b"the second"
    with pytest.raises(RunFileError, match="another file has its name"):
        trash.put_back(first)
    assert first.place.exists()


def test_a_file_that_is_gone_from_the_trash_is_told(own_trash, folder):
    moved = trash.move_to_trash(min(folder.glob("*.metalab")))
    moved.place.unlink()
    with pytest.raises(RunFileError, match="cannot be put back"):
        trash.put_back(moved)


def test_a_run_in_progress_is_not_thrown_away(folder):
    path = min(folder.glob("*.metalab"))
    writer = RunWriter.reopen(path, Additions())
    with pytest.raises(RunFileError, match="its run goes on; stop it first"):
        check_free(path)
    writer.abandon()
    check_free(path)
    path.unlink()
    with pytest.raises(RunFileError, match="no such file"):
        check_free(path)
