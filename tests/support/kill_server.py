"""Runs to be killed, without a start of Python for each: imports once, then forks.

One JSON request a line on stdin, one JSON answer a line on stdout.
"""

import json
import mmap
import os
import signal
import struct
import sys
import threading
import time
from pathlib import Path

import numpy as np

from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.runs.record import store
from metalab.runs.record import writer as run_writer
from metalab.runs.record.file_format import RunFileError
from metalab.runs.record.live import LiveRun
from metalab.runs.record.log import METRIC_COLUMNS, Additions
from metalab.runs.record.reader import open_run
from metalab.runs.record.writer import RunWriter
from metalab.runs.running.control import RunControl
from metalab.runs.running.resume import prepare_resume
from metalab.runs.running.run import run_experiment
from metalab.runs.system import new_file

SETTINGS = [
    ("outer.num_tasks", 4),
    ("model.hidden_sizes", [8]),
    ("evaluation.num_tasks", 16),
    ("evaluation.every", 2000),
]
MOST_MARKS = 100_000
MARK = struct.Struct("<dq")


class Marks:
    """When each outer step was made, where it outlives the process that made it."""

    def __init__(self):
        self._memory = mmap.mmap(-1, 8 + MOST_MARKS * MARK.size)

    def clear(self):
        self._memory[:8] = bytes(8)

    def add(self, step):
        (count,) = struct.unpack_from("<q", self._memory)
        MARK.pack_into(self._memory, 8 + count * MARK.size, time.monotonic(), step)
        struct.pack_into("<q", self._memory, 0, count + 1)

    def all(self):
        (count,) = struct.unpack_from("<q", self._memory)
        return [MARK.unpack_from(self._memory, 8 + i * MARK.size) for i in range(count)]

    def seconds_lost(self, stored_step):
        """Return the time between the first step that is not stored and the last one."""
        marks = self.all()
        lost = [when for when, step in marks if step > stored_step]
        return marks[-1][0] - lost[0] if lost else 0.0


class Killer:
    """A sink that kills the process some time after the run's start, or before its end."""

    def __init__(self, marks, kill, num_steps):
        self._marks = marks
        self._num_steps = num_steps
        self._kill = kill

    def on_event(self, event, seconds):
        step = getattr(event, "last_step", None)
        if step is not None:
            self._marks.add(step)
        if self._kill is None:
            return
        ended = (step or 0) >= self._num_steps - self._kill.get("steps_before_end", 0)
        if self._kill["from"] == "start" or ended:
            threading.Timer(self._kill["delay"], kill_self).start()
            self._kill = None

    def flush(self, trainer, *, force=False):
        pass


def kill_self():
    os.kill(os.getpid(), signal.SIGKILL)


def run(request, marks):
    """Run, or go on with, a file; be killed if so asked."""
    path = Path(request["path"])
    if "flush_seconds" in request:
        store.FLUSH_SECONDS = request["flush_seconds"]
    if request.get("resume"):
        past = prepare_resume(path)
        live = LiveRun(past.configs, path=path, past=past)
    else:
        settings = [*SETTINGS, ("outer.num_steps", request["num_steps"])]
        config = with_overrides(preset_config("maml-sine"), settings)
        live, past = LiveRun(config, path=path), None
    killer = Killer(marks, request.get("kill"), live.config.outer.num_steps)
    run_experiment(live, RunControl(), resuming=past is not None, sinks=[killer])


def write(request, _marks):
    """Make, go on with and close a file; die before or after the n-th call that matters."""
    path, fatal, after = Path(request["path"]), request["call"], request["after"]
    calls = 0

    def deadly(function):
        def called(*arguments, **options):
            nonlocal calls
            calls += 1
            fatal_one = calls == fatal
            if fatal_one and not after:
                kill_self()
            try:
                return function(*arguments, **options)
            finally:
                if fatal_one:
                    kill_self()

        return called

    for owner, name in (
        (os, "fsync"), (os, "link"), (os, "unlink"), (os, "rename"), (os, "replace"),
        (run_writer, "_sync"), (run_writer, "FileIO"), (run_writer, "fill"),
        (run_writer, "write_newest"), (run_writer, "make_tables"),
        (new_file, "clear_side_files"),
    ):  # fmt: skip
        setattr(owner, name, deadly(getattr(owner, name)))
    facts = json.loads(request["facts"])
    writer = RunWriter.create(path, Additions(facts=facts))
    writer.append(Additions(metrics=row(1)))
    writer.close()
    writer = RunWriter.reopen(path, Additions())
    writer.append(Additions(metrics=row(2)))
    writer.close()
    # Nothing was left to die of.
    os._exit(3)


def row(step):
    metrics = np.zeros((1, len(METRIC_COLUMNS)))
    metrics[0, 0] = step
    return metrics


def answer(request, marks):
    marks.clear()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            {"run": run, "write": write}[request["do"]](request, marks)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    found = {"status": status}
    path = Path(request["path"])
    if path.exists():
        try:
            opened = open_run(path)
        except RunFileError as error:
            found["error"] = str(error)
        else:
            found["step"] = opened.history.step
            found["rows"] = len(opened.history.steps)
            if request["do"] == "run":
                found["lost"] = marks.seconds_lost(opened.history.step)
    return found


def main():
    marks = Marks()
    # Loads what a run loads, so that no child has to.
    settings = [*SETTINGS, ("outer.num_steps", 10)]
    run_experiment(
        LiveRun(with_overrides(preset_config("maml-sine"), settings)), RunControl()
    )
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line), marks)), flush=True)


if __name__ == "__main__":
    main()
