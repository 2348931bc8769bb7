"""Bookmarks of metalab 0.6 and earlier are still read, and never written."""

import json

from metalab.runs.record.bookmarks import Bookmark
from metalab.ui.session.earlier_bookmarks import EarlierBookmarks


def test_those_of_a_run_are_found_by_its_file(tmp_path):
    path, run = tmp_path / "bookmarks.json", tmp_path / "run.metalab"
    kept = [{"step": 40, "inner_step": 3, "note": "falls"}, {"step": 7}]
    path.write_text(json.dumps({str(run): kept}))
    marks = EarlierBookmarks(path)
    assert marks.of(run) == (
        Bookmark(step=7),
        Bookmark(step=40, inner_step=3, note="falls"),
    )
    assert marks.of(tmp_path / "other.metalab") == ()
    assert EarlierBookmarks(tmp_path / "none.json").of(run) == ()


def test_what_cannot_be_read_is_set_aside_with_a_word(tmp_path):
    path, run = tmp_path / "bookmarks.json", tmp_path / "run.metalab"
    for content in ("", "[1, 2]", "{"):
        path.write_text(content)
        marks = EarlierBookmarks(path)
        assert marks.of(run) == ()
        assert "cannot be read" in marks.warning
        assert (tmp_path / "bookmarks.backup.json").read_text() == content


def test_one_run_that_is_not_understood_costs_no_other(tmp_path):
    path, run = tmp_path / "bookmarks.json", tmp_path / "run.metalab"
    content = {str(run): [{"step": 3}], "/other": [{"step": "three"}]}
    path.write_text(json.dumps(content))
    marks = EarlierBookmarks(path)
    assert "not understood, of runs: 1" in marks.warning
    assert marks.of(run) == (Bookmark(step=3),)
    assert "/other" in (tmp_path / "bookmarks.backup.json").read_text()
