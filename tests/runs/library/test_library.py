"""Tests of the library: what is read, kept, and made anew."""

import sqlite3
from contextlib import closing

import pytest

from metalab.runs.library import library as library_module
from metalab.runs.library.index import INDEX_NAME, INDEX_VERSION
from metalab.runs.library.labels import LabelChange
from metalab.runs.library.library import Library, LibraryError
from metalab.runs.library.marking import WAITING_NAME, mark, waiting
from metalab.runs.library.reading import read_entry
from metalab.runs.record.file_format import SCHEMA_VERSION
from metalab.runs.record.log import Additions
from metalab.runs.record.reader import open_run
from metalab.runs.record.writer import RunWriter


@pytest.fixture
def settled(folder, monkeypatch):
    """Have files of this second be trusted: a test does not wait for them to age."""
    monkeypatch.setattr("metalab.runs.library.index.SETTLED_NS", -(10**12))
    return folder


def plain(look):
    return [(e.path.name, e.best, e.last, e.losses, e.labels) for e in look.entries]


def test_an_entry_says_what_the_whole_run_says(folder):
    for path in folder.glob("*.metalab"):
        entry, history = read_entry(path), open_run(path).history
        assert (entry.best.step, entry.best.loss) == pytest.approx(
            history.best_evaluation
        )
        assert entry.last.loss == pytest.approx(history.latest_evaluation)
        assert entry.last.step == history.latest_evaluation_step
        assert (entry.step, entry.seed) == (history.step, history.config_at().run.seed)
        assert entry.seconds == history.seconds[-1]
        assert entry.state == history.status.value
        assert entry.group == history.config_at().digest()


def test_a_file_is_read_once(settled):
    first = Library(settled)
    assert first.look().num_read == 6
    assert first.look().num_read == 0
    again = Library(settled).look()
    assert again.num_read == 0
    assert plain(again) == plain(first.look())


def test_a_file_that_was_just_written_is_not_trusted_yet(folder):
    for path in folder.glob("*.metalab"):
        path.touch()
    Library(folder).look()
    assert Library(folder).look().num_read == 6


@pytest.mark.parametrize(
    "damage", ["deleted", "truncated", "rubbish", "version", "row"]
)
def test_an_index_that_is_of_no_use_is_made_anew(settled, damage):
    wanted = plain(Library(settled).look())
    path = settled / INDEX_NAME
    if damage == "deleted":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == "rubbish":
        path.write_bytes(b"no database at all" * 100)
    else:
        change = {
            "version": f"PRAGMA user_version = {INDEX_VERSION + 1}",
            "row": "UPDATE entries SET content = '{}'",
        }[damage]
        with closing(sqlite3.connect(path)) as database, database:
            database.execute(change)
    look = Library(settled).look()
    assert (plain(look), look.num_read, look.indexed) == (wanted, 6, True)
    assert Library(settled).look().num_read == 0


def test_without_a_place_for_an_index_the_library_works_all_the_same(settled):
    (settled / INDEX_NAME).mkdir()
    library = Library(settled)
    look = library.look()
    assert (len(look.entries), look.indexed) == (6, False)
    assert library.look().num_read == 0


def test_files_that_come_go_and_change_are_followed(settled):
    library = Library(settled)
    first, second, *_ = [entry.path for entry in library.look().entries]
    first.unlink()
    second.write_bytes(b"rubbish")
    (settled / "notes.txt").write_text("no run")
    look = library.look()
    assert first not in [entry.path for entry in look.entries]
    broken = next(entry for entry in look.entries if entry.path == second)
    assert broken.state == "unreadable"
    assert "not a metalab run file" in broken.problem


def test_a_run_of_a_newer_metalab_is_a_line_that_says_so(folder):
    path = next(folder.glob("*.metalab"))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA user_version = 9")
    assert "format version 9" in read_entry(path).problem
    (marked,) = mark([path], LabelChange(note="x"))
    assert "format version 9" in marked.problem


def test_a_folder_that_cannot_be_read_is_told(tmp_path):
    assert Library(tmp_path / "none").look().entries == ()
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(LibraryError, match="cannot be read"):
        Library(file).look()


def test_labels_outlive_the_index_and_travel_with_the_file(settled, tmp_path):
    path = next(settled.glob("*.metalab"))
    change = LabelChange(name="mine", add_tags=("Thesis",), note="two\nlines")
    (marked,) = mark([path], change)
    assert not marked.problem
    (settled / INDEX_NAME).unlink(missing_ok=True)
    copy = tmp_path / "copy.metalab"
    copy.write_bytes(path.read_bytes())
    entry = read_entry(copy)
    assert (entry.name, entry.labels.tags) == ("mine", ("thesis",))
    assert entry.labels.note == "two\nlines"
    assert open_run(copy).history.step == entry.step
    mark([path], marked.undo)
    assert read_entry(path).name != "mine"
    assert read_entry(path).labels.tags == ()


def test_a_change_of_a_run_in_progress_waits_for_its_end(settled):
    path = next(settled.glob("*.metalab"))
    library = Library(settled)
    writer = RunWriter.reopen(path, Additions(facts={"status": '"running"'}))
    (first,) = mark([path], LabelChange(add_tags=("a",)))
    (second,) = mark([path], LabelChange(add_tags=("b",), name="later"))
    assert first.waits
    assert second.waits
    entry = next(e for e in library.look().entries if e.path == path)
    assert (entry.state, entry.labels.tags, entry.waiting) == (
        "running",
        ("a", "b"),
        True,
    )
    assert read_entry(path).labels.tags == ()
    writer.append(Additions(facts={"status": '"finished"'}), urgent=True)
    writer.close()
    entry = next(e for e in library.look().entries if e.path == path)
    assert (entry.name, entry.labels.tags, entry.waiting) == (
        "later",
        ("a", "b"),
        False,
    )
    assert read_entry(path).labels.tags == ("a", "b")
    assert not (settled / WAITING_NAME).exists()


def test_a_waiting_file_of_something_else_is_set_aside(folder):
    (folder / WAITING_NAME).write_text("{not json")
    assert waiting(folder) == {}
    assert (folder / WAITING_NAME).with_suffix(".backup.json").exists()


def test_a_label_leaves_a_file_of_an_older_version_one(folder):
    path = next(folder.glob("*.metalab"))
    with closing(sqlite3.connect(path)) as database, database:
        for name in ("not_positive_definite_solves", "unconverged_solves"):
            database.execute(f"ALTER TABLE metrics DROP COLUMN {name}")
        database.execute("ALTER TABLE metrics DROP COLUMN solve_residual")
        database.execute("PRAGMA user_version = 2")
    (marked,) = mark([path], LabelChange(note="old"))
    assert marked.problem == ""
    assert read_entry(path).labels.note == "old"
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (2,)
        columns = [row[1] for row in database.execute("PRAGMA table_info(metrics)")]
    assert "solve_residual" not in columns
    assert SCHEMA_VERSION > 2


def test_a_long_first_look_that_is_given_up_goes_on_where_it_was(settled, monkeypatch):
    monkeypatch.setattr(library_module, "_KEPT_AT_ONCE", 2)
    read = []
    look = Library(settled).look(
        tell=lambda done, _total: read.append(done), gives_up=lambda: len(read) == 4
    )
    assert len(look.entries) == 4
    assert Library(settled).look().num_read == 2
