"""Bookmarks are kept between starts."""

import json

from metalab.ui.timeline.bookmarks import Bookmark, Bookmarks
from tests.ui.views.histories import make_history


def test_a_bookmark_is_set_noted_kept_and_removed(tmp_path):
    path, history = tmp_path / "config" / "bookmarks.json", make_history(5)
    marks = Bookmarks(path)
    marks.toggle(history, 40, 3)
    marks.set_note(history, 40, "here it falls")
    marks.set_note(history, 7, "begins")
    again = Bookmarks(path)
    assert again.of(history) == (
        Bookmark(step=7, note="begins"),
        Bookmark(step=40, inner_step=3, note="here it falls"),
    )
    again.toggle(history, 40, 0)
    again.toggle(history, 7, 0)
    assert Bookmarks(path).of(history) == ()
    assert not list(path.parent.glob("*.partial"))


def test_a_file_of_something_else_is_no_bookmarks(tmp_path):
    path, history = tmp_path / "bookmarks.json", make_history(5)
    for content in ("", "[1, 2]", '{"a": [{"nonsense": 1}]}', "{"):
        path.write_text(content)
        assert Bookmarks(path).of(history) == ()


def test_what_cannot_be_read_is_set_aside_with_a_word(tmp_path):
    path, history = tmp_path / "bookmarks.json", make_history(5)
    path.write_text("{")
    marks = Bookmarks(path)
    assert "cannot be read" in marks.warning
    assert (tmp_path / "bookmarks.backup.json").read_text() == "{"
    marks.toggle(history, 3, 0)
    assert Bookmarks(path).of(history) == (Bookmark(step=3),)
    assert Bookmarks(path).warning == ""


def test_one_run_that_is_not_understood_costs_no_other(tmp_path):
    path, history = tmp_path / "bookmarks.json", make_history(5)
    Bookmarks(path).toggle(history, 3, 0)
    content = json.loads(path.read_text())
    content["/other"] = [{"step": "three"}]
    path.write_text(json.dumps(content))
    marks = Bookmarks(path)
    assert "not understood, of runs: 1" in marks.warning
    assert marks.of(history) == (Bookmark(step=3),)
    assert "/other" in (tmp_path / "bookmarks.backup.json").read_text()
