"""Bookmarks: kept in the run file, whatever becomes of the run."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from metalab.runs.record.bookmarks import (
    LONGEST_NOTE,
    MOST_BOOKMARKS,
    Bookmark,
    until,
    with_mark,
    with_note,
    without_mark,
)
from metalab.runs.record.copies import save_copy
from metalab.runs.record.file_format import RunFileError
from metalab.runs.record.live import LiveRun
from metalab.runs.record.log import Additions
from metalab.runs.record.reader import open_run
from metalab.runs.record.status import RunStatus
from metalab.runs.record.store import write_bookmarks
from metalab.runs.record.writer import RunWriter
from metalab.runs.running.control import RunControl
from metalab.runs.running.fork import fork
from metalab.runs.running.resume import prepare_resume
from metalab.runs.running.run import run_experiment
from tests.support.stored import StopAfter, assert_same_run, run_to

MARKS = (Bookmark(step=7, note="here it falls"), Bookmark(step=40, inner_step=3))


def test_marks_are_set_noted_and_removed_in_order():
    marks = with_mark((), 40, 3)
    marks = with_note(marks, 40, "  here\x00 it\nfalls \ud800")
    assert marks == (Bookmark(step=40, inner_step=3, note="here it falls"),)
    marks = with_note(marks, 7, "begins")
    assert [mark.step for mark in marks] == [7, 40]
    assert with_mark(marks, 7) is marks
    assert until(marks, 39) == without_mark(marks, 40)
    (long,) = with_note((), 1, "x" * 5000)
    assert len(long.note) == LONGEST_NOTE
    full = tuple(Bookmark(step=step) for step in range(MOST_BOOKMARKS))
    assert with_mark(full, 10**6) is full


class MarkAt:
    """Sets bookmarks once a run has come to an outer step, as the window does."""

    def __init__(self, live, step, marks):
        self._live, self._step, self._marks = live, step, marks

    def on_event(self, event, seconds):
        if getattr(event, "last_step", 0) >= self._step:
            self._live.set_bookmarks(self._marks)

    def flush(self, trainer, *, force=False):
        pass


def marked_run(path, config, stop_at):
    live, control = LiveRun(config, path=path), RunControl()
    control.step(stop_at)
    sinks = [MarkAt(live, 5, MARKS), StopAfter(control, stop_at)]
    run_experiment(live, control, sinks=sinks)
    return live


def test_a_run_that_goes_on_writes_what_was_marked(config, tmp_path):
    path = tmp_path / "run.metalab"
    live = marked_run(path, config, 20)
    assert live.snapshot().bookmarks == MARKS
    assert live.snapshot().bookmarks_kept
    assert open_run(path).history.bookmarks == MARKS


def test_a_run_that_waits_writes_them_within_a_second_or_two(config, tmp_path):
    path = tmp_path / "run.metalab"
    live, control = LiveRun(config, path=path), RunControl(paused=True)

    class Watch:
        asked = 0

        def on_event(self, event, seconds):
            pass

        def flush(self, trainer, *, force=False):
            self.asked += 1
            if self.asked == 3:
                live.set_bookmarks(MARKS)
            if open_run(path).history.bookmarks == MARKS or self.asked > 30:
                control.stop()

    watch = Watch()
    run_experiment(live, control, sinks=[watch])
    assert 3 < watch.asked <= 30


def test_they_outlive_a_resume_and_what_a_copy_and_a_fork_take_along(config, tmp_path):
    path = tmp_path / "run.metalab"
    marked_run(path, config, 20)
    past = prepare_resume(path)
    live = LiveRun(past.configs, path=path, past=past)
    run_experiment(live, RunControl(), resuming=True)
    run = open_run(path)
    assert (run.history.step, run.history.bookmarks) == (60, MARKS)
    copy = tmp_path / "copy.metalab"
    assert save_copy(path, copy).bookmarks == MARKS
    # What is on the screen and not in the file yet is in the copy as well.
    newer = with_note(MARKS, 9, "later")
    assert save_copy(path, copy, bookmarks=newer).bookmarks == newer
    made = fork(config, config, run.newest_state(), bookmarks=newer)
    assert made.bookmarks == newer
    state = next(s for s in run.history.trail.states() if s.step == 20)
    made = fork(config, config, state, bookmarks=newer)
    assert [mark.step for mark in made.bookmarks] == [7, 9]
    forked = LiveRun(made.config, path=tmp_path / "fork.metalab")
    run_experiment(forked, RunControl(), fork=made)
    assert open_run(tmp_path / "fork.metalab").history.bookmarks == made.bookmarks


def test_those_on_the_screen_that_no_file_has_yet_are_written_when_a_run_goes_on(
    config, tmp_path
):
    path = tmp_path / "run.metalab"
    run_to(path, config, stop_at=20)
    assert open_run(path).history.bookmarks is None
    past = replace(prepare_resume(path), bookmarks=MARKS, bookmarks_kept=False)
    run_experiment(
        LiveRun(past.configs, path=path, past=past), RunControl(), resuming=True
    )
    assert open_run(path).history.bookmarks == MARKS


@pytest.mark.parametrize("stop_at", [20, None])
def test_the_file_of_a_run_that_has_ended_takes_them_and_nothing_else_changes(
    config, tmp_path, stop_at
):
    path, before = tmp_path / "run.metalab", tmp_path / "before.metalab"
    run_to(path, config, stop_at=stop_at)
    before.write_bytes(path.read_bytes())
    write_bookmarks(path, MARKS)
    assert_same_run(path, before)
    run, old = open_run(path).history, open_run(before).history
    assert (run.bookmarks, old.bookmarks) == (MARKS, None)
    assert (run.status, run.cut_short) == (old.status, old.cut_short)
    write_bookmarks(path, ())
    assert open_run(path).history.bookmarks == ()
    assert [p.name for p in tmp_path.iterdir()] == ["run.metalab", "before.metalab"]


def test_a_run_that_was_killed_stays_one(config, tmp_path, monkeypatch):
    monkeypatch.setattr("metalab.runs.record.store.FLUSH_SECONDS", 0.0)
    path, killed = tmp_path / "run.metalab", tmp_path / "killed.metalab"

    class Copy:
        def on_event(self, event, seconds):
            pass

        def flush(self, trainer, *, force=False):
            if trainer.step == 40:
                killed.write_bytes(path.read_bytes())

    live = LiveRun(config, path=path)
    run_experiment(live, RunControl(), sinks=[Copy()])
    before = open_run(killed).history
    write_bookmarks(killed, MARKS)
    after = open_run(killed).history
    assert (before.cut_short, after.cut_short) == (True, True)
    assert (after.step, after.status) == (40, RunStatus.STOPPED)
    assert after.bookmarks == MARKS
    assert prepare_resume(killed).bookmarks == MARKS


def test_another_writer_and_a_file_that_cannot_be_written_are_told(config, tmp_path):
    path = tmp_path / "run.metalab"
    run_to(path, config, stop_at=20)
    writer = RunWriter.reopen(path, Additions())
    whole = path.read_bytes()
    with pytest.raises(RunFileError, match="is being written by"):
        write_bookmarks(path, MARKS)
    writer.close()
    assert whole
    with pytest.raises(RunFileError, match="cannot be read: No such file"):
        write_bookmarks(tmp_path / "gone.metalab", MARKS)


def test_a_read_only_file_is_left_as_it_is(config, tmp_path, monkeypatch):
    path = tmp_path / "run.metalab"
    run_to(path, config, stop_at=20)
    whole = path.read_bytes()

    def refuse(file, mode):
        raise PermissionError(13, "Permission denied")

    # Whoever runs the tests may have every right.
    monkeypatch.setattr("metalab.runs.record.writer.FileIO", refuse)
    with pytest.raises(RunFileError, match=r"cannot be written: Permission denied"):
        write_bookmarks(path, MARKS)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("many", "fact 'bookmarks' is 'many'"),
        ([{"step": -1}], "fact 'bookmarks.0.step' is -1"),
        ([{"step": 1.5}], "fact 'bookmarks.0.step' is 1.5"),
        ([{"step": 10**12}], "fact 'bookmarks.0.step'"),
        ([{"step": 1, "note": "a\x07b"}], "fact 'bookmarks.0.note'"),
        ([{"step": 1, "note": "x" * (LONGEST_NOTE + 1)}], "fact 'bookmarks.0.note'"),
        ([{"step": 1, "colour": "red"}], "fact 'bookmarks.0.colour'"),
        ([{"step": n} for n in range(MOST_BOOKMARKS + 1)], "fact 'bookmarks'"),
        ([{"step": 2}, {"step": 1}], "not in the order of outer steps"),
        ([{"step": 2}, {"step": 2}], "not in the order of outer steps"),
    ],
)
def test_marks_that_no_run_writes_are_one_sentence(config, tmp_path, value, words):
    path = tmp_path / "run.metalab"
    run_to(path, config, stop_at=1)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(
            "INSERT INTO facts VALUES ('bookmarks', ?)", (json.dumps(value),)
        )
    with pytest.raises(RunFileError) as caught:
        open_run(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_as_many_as_a_window_can_set_are_read_again(config, tmp_path):
    path = tmp_path / "run.metalab"
    run_to(path, config, stop_at=1)
    marks = ()
    for step in range(MOST_BOOKMARKS):
        marks = with_note(marks, step, "\N{GRINNING FACE}" * LONGEST_NOTE)
    write_bookmarks(path, marks)
    assert open_run(path).history.bookmarks == marks
