"""Training from a script gives the runs of the command line, bit for bit."""

import io
import os
import signal
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import metalab as ml
from metalab.api import shows
from metalab.api.foreground import ProgressSink
from metalab.cli.main import run as command
from metalab.core.errors import UserError
from metalab.experiment.share_code import share_code
from metalab.runs.record.file_format import RunFileError
from metalab.runs.record.live import LiveRun
from tests.support.experiments import small
from tests.support.stored import assert_same_run

EXPLODING = {"inner_inner_lr": 5.0, "inner_num_inner_steps": 5}


@pytest.mark.parametrize("preset", ["maml-sine", "imaml-sine", "reptile-sine"])
def test_the_same_bits_as_the_command_line(preset, tmp_path):
    mine, theirs = tmp_path / "mine.metalab", tmp_path / "theirs.metalab"
    config = small(preset)
    run = ml.train(config, seed=7, outer_num_steps=30, path=mine, progress=False)
    told = ["--code", share_code(config), "--seed", "7", "--set", "outer.num_steps=30"]
    assert command(["train", *told, "--out", str(theirs)]) == 0
    assert run.status == "finished"
    assert run.step == 30
    assert_same_run(mine, theirs)
    assert run.phi.tobytes() == ml.open(theirs).phi.tobytes()


def test_a_run_goes_into_the_data_folder_by_itself():
    run = ml.train(small(), outer_num_steps=3, progress=False)
    assert run.path.is_relative_to(os.environ["METALAB_HOME"])
    assert run.path.suffix == ".metalab"


def test_a_file_that_is_there_is_not_written_over(run):
    with pytest.raises(RunFileError, match=r"run\.metalab"):
        ml.train(small(), path=run.path, progress=False)


def test_torch_keeps_its_threads(tmp_path):
    before = torch.get_num_threads()
    ml.train(
        small(run__num_threads=2),
        outer_num_steps=2,
        path=tmp_path / "a.metalab",
        progress=False,
    )
    assert torch.get_num_threads() == before


def test_going_on_equals_going_through(tmp_path):
    short, whole = tmp_path / "short.metalab", tmp_path / "whole.metalab"
    config = small(outer__schedule="constant")
    ml.train(config, outer_num_steps=20, path=short, progress=False)
    gone_on = ml.resume(short, 45, progress=False)
    ml.train(config, outer_num_steps=45, path=whole, progress=False)
    assert gone_on.step == 45
    assert_same_run(short, whole)
    with pytest.raises(RunFileError, match="nothing is left to do"):
        ml.resume(short)


def test_a_run_that_diverges_is_returned_with_a_warning(tmp_path):
    path = tmp_path / "a.metalab"
    with pytest.warns(RuntimeWarning, match="kept the last good state"):
        run = ml.train(small(), path=path, progress=False, **EXPLODING)
    assert run.status == "diverged"
    assert run.diverged is not None
    assert run.step == run.diverged.last_good_step
    assert run.diverged.message in repr(run)
    assert np.isfinite(run.phi).all()
    with pytest.raises(UserError, match="diverged, and would again"):
        ml.resume(path)


def test_ctrl_c_keeps_the_run_and_raises(tmp_path, monkeypatch):
    path, whole = tmp_path / "a.metalab", tmp_path / "whole.metalab"
    heard = ProgressSink.on_event

    def interrupted(self, event, seconds):
        heard(self, event, seconds)
        if self._step >= 5:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(ProgressSink, "on_event", interrupted)
    with pytest.raises(ml.RunInterrupted, match=r"metalab\.resume\(") as caught:
        ml.train(small(), path=path, progress=False)
    monkeypatch.setattr(ProgressSink, "on_event", heard)
    assert isinstance(caught.value, KeyboardInterrupt)
    stopped = caught.value.run
    assert stopped.path == path
    assert stopped.status == "stopped"
    assert 5 <= stopped.step < 60
    assert ml.resume(path, progress=False).step == 60
    ml.train(small(), path=whole, progress=False)
    assert_same_run(path, whole)


def test_a_thread_of_a_script_can_train(tmp_path):
    path = tmp_path / "a.metalab"
    options = {"outer_num_steps": 3, "path": path, "progress": False}
    thread = threading.Thread(target=ml.train, args=(small(),), kwargs=options)
    thread.start()
    thread.join()
    assert ml.open(path).status == "finished"


def test_silence(tmp_path, capfd):
    ml.train(small(), path=tmp_path / "a.metalab", progress=False)
    told = capfd.readouterr()
    assert (told.out, told.err) == ("", "")


def test_lines_where_there_is_no_terminal(tmp_path, capfd):
    ml.train(small(), path=tmp_path / "a.metalab")
    told = capfd.readouterr()
    assert told.out == ""
    assert "60 of 60 outer steps" in told.err.splitlines()[-1]
    assert "held-out loss" in told.err
    assert "\r" not in told.err


def test_one_line_in_a_notebook(tmp_path, capfd, monkeypatch):
    shell = SimpleNamespace(kernel=object())
    shells = SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", shells)
    ml.train(small(), path=tmp_path / "a.metalab")
    told = capfd.readouterr()
    assert told.err == ""
    assert told.out.count("\n") == 1
    assert "60 of 60 outer steps" in told.out.split("\r")[-1]


def test_a_bar_in_a_terminal(tmp_path, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    ml.train(small(), path=tmp_path / "a.metalab")
    assert "60/60" in screen.getvalue()
    assert "evaluation" in screen.getvalue()


def test_lines_of_a_warning_stand_alone():
    stream = io.StringIO()
    lines = shows._Lines(LiveRun(small()), stream, over=True)
    lines.moved(1, "10 steps/s")
    lines.told("Warning")
    lines.moved(2, "10 steps/s")
    lines.end()
    shown = [line.strip() for line in stream.getvalue().split("\n")]
    assert shown[0].split("\r")[-1] == "Warning"
    assert "2 of 60" in shown[-2]


def test_the_line_that_stays_tells_the_last_evaluation():
    stream = io.StringIO()
    lines = shows._Lines(LiveRun(small()), stream, over=True)
    lines.moved(60, "10 steps/s")
    lines.evaluated(0.25)
    lines.end()
    assert "60 of 60" in stream.getvalue().split("\r")[-1]
    assert "held-out loss 0.250" in stream.getvalue().split("\r")[-1]
