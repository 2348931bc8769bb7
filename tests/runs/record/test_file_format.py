"""The file beneath a run: added to, locked, lost and found, read where it lies."""

import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from io import FileIO
from pathlib import Path

import numpy as np
import pytest

from metalab.engine.events import METRICS, Diverged, StepsDone
from metalab.runs.record import writer as run_writer
from metalab.runs.record.assembly import Layout, open_database
from metalab.runs.record.copies import lacking, save_copy
from metalab.runs.record.file_format import LOG_VERSION, SCHEMA_VERSION, RunFileError
from metalab.runs.record.live import LiveRun
from metalab.runs.record.log import (
    METRIC_COLUMNS,
    Additions,
    LogError,
    encoded,
    records,
)
from metalab.runs.record.reader import open_run
from metalab.runs.record.status import RunStatus
from metalab.runs.record.store import RunStore
from metalab.runs.record.writer import RunWriter
from metalab.runs.running.control import RunControl
from metalab.runs.running.resume import prepare_resume
from metalab.runs.running.run import run_experiment
from tests.support.stored import StopAfter, assert_same_run, resume, run_to


def facts_of(path: Path) -> dict[str, str]:
    with closing(open_database(path)) as database:
        return dict(database.execute("SELECT key, value FROM facts"))


def rows(*steps: int) -> np.ndarray:
    made = np.zeros((len(steps), len(METRIC_COLUMNS)))
    made[:, 0] = steps
    made[:, 2] = np.nan
    return made


def numbers(path: Path, table: str) -> list[int]:
    with closing(open_database(path)) as database:
        found = database.execute(f"SELECT step FROM {table} ORDER BY step")
        return [step for (step,) in found]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.metalab"


@pytest.fixture
def writer(path):
    writer = RunWriter.create(path, Additions(facts={"at": "0"}))
    yield writer
    writer.abandon()


def test_every_beginning_of_the_log_is_the_run_at_its_last_whole_record(writer, path):
    start = path.stat().st_size
    ends = [start]
    for number in (1, 2, 3):
        writer.append(Additions(facts={"at": f"{number}"}, metrics=rows(number)))
        ends.append(path.stat().st_size)
    whole = path.read_bytes()
    copy = path.with_name("copy.metalab")
    for size in {*range(start, len(whole), 97), *ends, *(end - 1 for end in ends[1:])}:
        copy.write_bytes(whole[:size])
        last = sum(end <= size for end in ends) - 1
        assert json.loads(facts_of(copy)["at"]) == last, size
        assert numbers(copy, "metrics") == list(range(1, last + 1))
    # Behind a record that another write has torn, nothing counts.
    torn = bytearray(whole)
    torn[ends[1] + 60] ^= 1
    copy.write_bytes(torn)
    assert json.loads(facts_of(copy)["at"]) == 1


def test_what_is_added_arrives_and_what_was_taken_back_is_gone(writer, path):
    first = Additions(
        facts={"k": '"old"', "other": "1"},
        arrays={"a": b"old", "b": b"kept"},
        metrics=rows(1, 2, 3),
        probes={0: b"p0", 3: b"p3"},
        snapshots={0: b"s0", 3: b"s3"},
        diagnostics=[(3, "cosine", 0.5), (1, "cosine", None)],
        flags=[(3, "edited", "inner_lr = 0.1")],
    )
    second = Additions(
        rewound_to=2, facts={"k": '"new"'}, arrays={"a": b"new"}, metrics=rows(3, 4)
    )
    for additions in (first, second):
        writer.append(additions)
    for state in ("going on", "closed"):
        assert numbers(path, "metrics") == [1, 2, 3, 4], state
        assert numbers(path, "probes") == numbers(path, "snapshots") == [0]
        assert numbers(path, "diagnostics") == [1]
        assert numbers(path, "flags") == [3]
        facts = facts_of(path)
        assert (facts["k"], facts["other"], facts["at"]) == ('"new"', "1", "0")
        with closing(open_database(path)) as database:
            arrays = dict(database.execute("SELECT name, data FROM arrays"))
            missing = database.execute("SELECT outer_loss FROM metrics").fetchone()
        assert arrays == {"a": b"new", "b": b"kept"}
        assert missing == (None,)
        if state == "going on":
            writer.close()
    assert list(path.parent.iterdir()) == [path]


def test_only_a_file_with_a_log_is_of_the_newer_version(writer, path):
    def version():
        with path.open("rb") as file:
            return Layout.of(file).version

    # Earlier metalabs read up to version 2: they refuse what they would read half.
    assert version() == LOG_VERSION == 4
    writer.append(Additions(facts={"at": "1"}))
    writer.close()
    assert version() == SCHEMA_VERSION == 3


def test_a_record_that_is_whole_and_senseless_is_told(writer, path):
    for spoilt in (
        Additions(metrics=np.zeros((2, 3))),
        Additions(metrics=rows(1).astype(np.float32)),
        Additions(diagnostics=[("one", "cosine", 0.5)]),
        Additions(facts={"a": 1}),
    ):
        copy = path.with_name("copy.metalab")
        copy.write_bytes(path.read_bytes() + encoded(spoilt, 1))
        with copy.open("rb") as file, pytest.raises(LogError, match="damaged"):
            list(records(file, path.stat().st_size, copy.stat().st_size))
        with pytest.raises(RunFileError, match=r"copy\.metalab cannot be opened"):
            open_database(copy)


def test_superseded_checkpoints_do_not_pile_up(writer, path, monkeypatch):
    size = 2**16
    monkeypatch.setattr(writer, "_compact_at", 4 * size)
    for number in range(1, 40):
        writer.append(
            Additions(
                arrays={"checkpoint": bytes([number]) * size}, metrics=rows(number)
            )
        )
        monkeypatch.setattr(writer, "_compact_at", 4 * size)
    assert path.stat().st_size < 10 * size
    assert numbers(path, "metrics") == list(range(1, 40))
    writer.close()
    with closing(open_database(path)) as database:
        (data,) = database.execute("SELECT data FROM arrays").fetchone()
    assert data == bytes([39]) * size


def test_one_file_has_one_writer_whatever_number_its_process_has(writer, path):
    with pytest.raises(RunFileError, match="is being written by another process"):
        RunWriter.reopen(path, Additions())
    # A process that lives, and does not write: its number came into use again.
    stale = json.dumps({"pid": os.getppid(), "host": os.uname().nodename})
    writer.append(Additions(facts={"writer": stale}))
    writer.abandon()
    for pid in (os.getppid(), -1, 0, 1, 2**70, "x"):
        again = RunWriter.reopen(path, Additions(facts={"writer": json.dumps(pid)}))
        with pytest.raises(RunFileError, match="is being written"):
            RunWriter.reopen(path, Additions())
        again.abandon()


def test_a_file_system_without_locks_keeps_nobody_from_writing(path, monkeypatch):
    def no_locks(_file):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(run_writer, "try_lock", no_locks)
    RunWriter.create(path, Additions(facts={"at": "0"})).abandon()
    first = RunWriter.reopen(path, Additions())
    second = RunWriter.reopen(path, Additions(facts={"at": "2"}))
    with pytest.raises(RunFileError, match="another file has taken its place"):
        first.append(Additions(facts={"at": "1"}))
    second.close()
    assert facts_of(path)["at"] == "2"
    first.abandon()


@pytest.mark.parametrize("urgent", [False, True])
def test_a_file_that_is_deleted_is_told_once_and_written_again(writer, path, urgent):
    writer.append(Additions(facts={"at": "1"}, metrics=rows(1)))
    path.unlink()
    if not urgent:
        with pytest.raises(RunFileError, match="it was deleted or moved away"):
            writer.append(Additions(facts={"at": "2"}, metrics=rows(2)))
        assert not path.exists()
    writer.append(Additions(facts={"at": "2"}, metrics=rows(2)), urgent=urgent)
    assert facts_of(path)["at"] == "2"
    writer.close()
    assert numbers(path, "metrics") == [1, 2]


def test_a_folder_that_vanishes_is_told_and_may_come_back(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    path = folder / "a.metalab"
    writer = RunWriter.create(path, Additions())
    away = tmp_path / "away"
    folder.rename(away)
    for urgent in (False, True):
        with pytest.raises(RunFileError, match=r"there is no folder .*disk any more"):
            writer.append(Additions(facts={"at": "1"}), urgent=urgent)
    away.rename(folder)
    writer.append(Additions(facts={"at": "1"}))
    writer.close()
    assert facts_of(path)["at"] == "1"


class FullDisk:
    """No room for more than some bytes of each write, as long as it is full."""

    def __init__(self, monkeypatch):
        self.full = True
        disk = self

        class File(FileIO):
            def write(self, data):
                if not disk.full:
                    return super().write(data)
                super().write(bytes(data[:100]))
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(run_writer, "FileIO", File)
        write = run_writer.written_database

        def written(folder, make, *, version):
            if disk.full and version == SCHEMA_VERSION:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return write(folder, make, version=version)

        monkeypatch.setattr(run_writer, "written_database", written)


def test_a_disk_that_is_full_and_free_again_costs_nothing(
    config, tmp_path, monkeypatch
):
    disk = FullDisk(monkeypatch)
    path, straight = tmp_path / "a.metalab", tmp_path / "straight.metalab"
    problems = []

    class FreeIt(StopAfter):
        def flush(self, trainer, *, force=False):
            problems.append(live.snapshot().storage_problem)
            disk.full = trainer.step < 30

    monkeypatch.setattr("metalab.runs.record.store.FLUSH_SECONDS", 0.0)
    live = LiveRun(config, path=path)
    run_experiment(live, RunControl(), sinks=[FreeIt(None, None)])
    assert "cannot be written: No space left on device" in problems[0]
    assert problems[-1] is None
    run_to(straight, config)
    assert_same_run(path, straight)


def test_a_disk_that_is_full_to_the_end_is_told_with_what_is_kept(
    config, tmp_path, monkeypatch
):
    disk = FullDisk(monkeypatch)
    disk.full = False
    path = tmp_path / "a.metalab"

    class FillIt(StopAfter):
        def flush(self, trainer, *, force=False):
            disk.full = trainer.step >= 20

    monkeypatch.setattr("metalab.runs.record.store.FLUSH_SECONDS", 0.0)
    live = LiveRun(config, path=path)
    with pytest.raises(RunFileError) as failure:
        run_experiment(live, RunControl(), sinks=[FillIt(None, None)])
    step = open_run(path).history.step
    assert 0 < step < 60
    assert str(failure.value) == (
        f"{path} cannot be written: No space left on device; "
        f"it holds the run up to outer step {step}"
    )
    assert live.snapshot().stored_step == step
    disk.full = False
    resume(path)
    straight = tmp_path / "straight.metalab"
    run_to(straight, config)
    assert_same_run(path, straight)


def test_without_room_for_a_second_file_the_log_stays(config, tmp_path, monkeypatch):
    disk = FullDisk(monkeypatch)
    path = tmp_path / "a.metalab"

    class File(FileIO):
        pass

    monkeypatch.setattr(run_writer, "FileIO", File)
    assert disk.full
    run_to(path, config)
    with path.open("rb") as file:
        assert Layout.of(file).version == LOG_VERSION
    history = open_run(path).history
    assert (history.step, history.cut_short) == (60, False)


@pytest.fixture
def killed_before(config, tmp_path):
    """A file as metalab 0.5 left it when it was killed: the end lies in a -wal."""
    whole, path = tmp_path / "whole.metalab", tmp_path / "old" / "old.metalab"
    path.parent.mkdir()
    run_to(whole, config, stop_at=40)
    writing = sqlite3.connect(whole, isolation_level=None)
    writing.execute("PRAGMA journal_mode = WAL")
    writing.execute("PRAGMA wal_autocheckpoint = 0")
    writing.execute("INSERT INTO flags VALUES (40, 'edited', 'in the log')")
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{whole}{suffix}", f"{path}{suffix}")
    writing.close()
    return path


def test_a_run_that_an_earlier_metalab_left_is_read_where_nothing_can_be_written(
    killed_before,
):
    before = {p.name: p.read_bytes() for p in killed_before.parent.iterdir()}
    killed_before.parent.chmod(0o500)
    try:
        assert open_run(killed_before).history.step == 40
        assert numbers(killed_before, "flags") == [40]
    finally:
        killed_before.parent.chmod(0o700)
    assert before == {p.name: p.read_bytes() for p in killed_before.parent.iterdir()}


def test_a_run_that_an_earlier_metalab_left_goes_on(killed_before, config, tmp_path):
    resume(killed_before)
    assert list(killed_before.parent.iterdir()) == [killed_before]
    assert numbers(killed_before, "flags") == [40]
    straight = tmp_path / "straight.metalab"
    run_to(straight, config)
    assert_same_run(killed_before, straight)


HOT_JOURNAL = """
import os, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA cache_size = 1")
database.execute("BEGIN")
database.execute("UPDATE facts SET value = 'null'")
database.execute("UPDATE arrays SET data = zeroblob(length(data))")
os._exit(0)
"""


def test_a_hot_journal_is_rolled_back_in_a_private_copy(config, path, tmp_path):
    run_to(path, config, stop_at=40)
    straight = tmp_path / "other.metalab"
    shutil.copyfile(path, straight)
    subprocess.run([sys.executable, "-c", HOT_JOURNAL, path], check=True)
    assert path.with_name("a.metalab-journal").stat().st_size > 0
    assert path.read_bytes() != straight.read_bytes()
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir() if p.is_file()}
    assert_same_run(path, straight)
    assert before == {p.name: p.read_bytes() for p in tmp_path.iterdir() if p.is_file()}


def test_a_copy_of_a_run_that_goes_on_says_what_it_lacks(config, path, tmp_path):
    copies = []

    class Copy(StopAfter):
        def on_event(self, event, seconds):
            if getattr(event, "last_step", 0) == 40:
                copies.append(save_copy(path, tmp_path / "copy.metalab"))

        def flush(self, trainer, *, force=False):
            pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("metalab.runs.record.store.FLUSH_SECONDS", 0.0)
        control = RunControl()
        control.step(40)
        live = LiveRun(config, path=path)
        run_experiment(live, control, sinks=[Copy(None, None), StopAfter(control, 40)])
    (history,) = copies
    assert history.path == tmp_path / "copy.metalab"
    assert 0 < history.step <= 40
    assert f"complete to outer step {history.step} of 60" in lacking(history)
    # A copy goes on by itself.
    resume(history.path)
    resume(path)
    assert_same_run(history.path, path)
    assert lacking(open_run(path).history) == ""
    whole = save_copy(path, tmp_path / "whole.metalab")
    assert (whole.step, lacking(whole)) == (60, "")


def test_a_copy_does_not_take_the_place_of_a_run_that_is_written(config, path, writer):
    other = path.with_name("other.metalab")
    run_to(other, config, stop_at=5)
    with pytest.raises(RunFileError, match="is being written"):
        save_copy(other, path)
    with pytest.raises(RunFileError, match="is the run itself"):
        save_copy(other, other)
    with pytest.raises(RunFileError, match="nowhere does not exist"):
        save_copy(other, path.parent / "nowhere" / "copy.metalab")


def test_a_run_that_another_process_writes_is_refused_before_anything_starts(
    config, path
):
    seen = []

    class Ask(StopAfter):
        def on_event(self, event, seconds):
            if not seen:
                with pytest.raises(RunFileError) as refusal:
                    prepare_resume(path, num_steps=100)
                seen.append(str(refusal.value))

    run_experiment(LiveRun(config, path=path), RunControl(), sinks=[Ask(None, None)])
    assert seen == [
        f"{path} is being written by process {os.getpid()} on {os.uname().nodename}; "
        "stop that run first"
    ]


def test_a_link_to_a_run_stays_a_link(config, tmp_path):
    real, link = tmp_path / "real.metalab", tmp_path / "link.metalab"
    run_to(real, config, stop_at=20)
    real.chmod(0o640)
    link.symlink_to(real)
    resume(link)
    assert link.is_symlink()
    assert open_run(real).history.step == 60
    assert real.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("name", ["a b.metalab", "a'\"%?#.metalab", "日本🙂.metalab"])
def test_names_of_any_kind(config, tmp_path, name):
    path = tmp_path / "földer 🙂" / name
    path.parent.mkdir()
    run_to(path, config, stop_at=20)
    resume(path)
    assert open_run(path).history.step == 60
    assert list(path.parent.iterdir()) == [path]


def test_a_run_that_goes_back_twice_between_two_writes_keeps_its_beginning(
    config, path
):
    store = RunStore.create(path, LiveRun(config, path=path))
    store.on_event(steps(1, 2, 3), 0.1)
    for last_good in (2, 0, 0):
        store.on_event(
            Diverged(
                step=3, last_good_step=last_good, quantity="outer_loss", value=9.0
            ),
            0.2,
        )
    store.on_event(steps(1, 2), 0.3)
    store.close(RunStatus.STOPPED)
    assert numbers(path, "metrics") == [1, 2]
    assert numbers(path, "flags") == [3, 3, 3]


def steps(first: int, *others: int) -> StepsDone:
    return StepsDone(
        first_step=first, metrics=np.zeros((1 + len(others), len(METRICS)))
    )


def test_a_checkpoint_is_written_with_its_step_whichever_attempt_succeeds(
    config, path, tmp_path, monkeypatch
):
    append, failed = RunWriter.append, []

    def fail_once(self, additions, *, urgent=False):
        if urgent and not failed:
            failed.append(1)
            raise RunFileError("no room")
        append(self, additions, urgent=urgent)

    monkeypatch.setattr(RunWriter, "append", fail_once)
    with pytest.raises(RunFileError, match="no room"):
        run_to(path, config, stop_at=30)
    # What closes the file has found room for all of it.
    run = open_run(path)
    assert run.history.step == run.checkpoint.step == 30
    resume(path)
    straight = tmp_path / "straight.metalab"
    run_to(straight, config)
    assert_same_run(path, straight)


def test_a_name_too_long_for_a_journal_is_a_name(config, tmp_path):
    """SQLite's own files beside it would not fit; nothing of ours needs them."""
    path = tmp_path / ("n" * 240 + ".metalab")
    run_to(path, config)
    assert open_run(path).history.step == config.outer.num_steps
    with path.open("rb") as file:
        assert Layout.of(file).version == SCHEMA_VERSION
    resume(path, num_steps=config.outer.num_steps + 5)
    assert open_run(path).history.step == config.outer.num_steps + 5
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_take_its_place_leaves_no_part(
    config, tmp_path, monkeypatch
):
    def refuse(_path):
        raise PermissionError(errno.EACCES, "not allowed")

    monkeypatch.setattr(run_writer, "clear_side_files", refuse)
    path = tmp_path / "a.metalab"
    run_to(path, config)
    assert open_run(path).history.step == config.outer.num_steps
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_whose_lock_cannot_be_had_leaves_no_part(writer, path, monkeypatch):
    def refuse(_file, _path):
        raise PermissionError(errno.EACCES, "not allowed")

    monkeypatch.setattr(run_writer, "_lock", refuse)
    writer.close()
    assert list(path.parent.iterdir()) == [path]
    assert facts_of(path) == {"at": "0"}


def test_a_damaged_page_is_refused_before_anything_is_written(config, tmp_path):
    """A run that went on in such a file would meet the page when it is closed."""
    path = tmp_path / "a.metalab"
    run_to(path, config, stop_at=5)
    whole = path.read_bytes()
    refused = 0
    for start in range(4096, len(whole), 4096):
        spoilt = whole[:start] + b"\x05" * 4096 + whole[start + 4096 :]
        path.write_bytes(spoilt)
        try:
            resume(path, num_steps=7)
        except RunFileError:
            refused += 1
            assert path.read_bytes() == spoilt
        assert list(tmp_path.iterdir()) == [path]
    assert refused > 5
