"""Small files between starts: whole, or set aside with a word."""

import pytest

from metalab.ui.session.kept_file import (
    KeptFileError,
    copied_aside,
    read_kept,
    write_kept,
)


@pytest.mark.parametrize(
    "content",
    [b"{", b"", b"\xff\xfe", b"[1]", b'{"a": ' + b"9" * 5000 + b"}", b"[" * 10**5],
)
def test_what_cannot_be_read_is_set_aside(tmp_path, content):
    path = tmp_path / "kept.json"
    path.write_bytes(content)
    with pytest.raises(KeptFileError, match=r"kept\.json") as refusal:
        read_kept(path)
    backup = tmp_path / "kept.backup.json"
    assert str(backup) in refusal.value.aside
    assert backup.read_bytes() == content
    # The next start has nothing to complain about.
    assert read_kept(path) == {}


def test_a_folder_in_its_place_stays(tmp_path):
    (tmp_path / "kept.json").mkdir()
    (tmp_path / "kept.json" / "x").write_text("")
    with pytest.raises(KeptFileError, match="not an ordinary file"):
        read_kept(tmp_path / "kept.json")


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "config" / "kept.json"
    write_kept(path, '{"a": "é"}')
    assert read_kept(path) == {"a": "é"}
    assert list(path.parent.iterdir()) == [path]


def test_a_draft_that_cannot_take_the_place_is_removed(tmp_path):
    path = tmp_path / "kept.json"
    (path / "x").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        write_kept(path, "{}")
    assert list(tmp_path.iterdir()) == [path]


def test_a_copy_that_cannot_be_made_is_told(tmp_path):
    assert "could not be copied aside" in copied_aside(tmp_path / "none.json")
