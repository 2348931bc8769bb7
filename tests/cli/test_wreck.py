"""What each command does with the file of a run that diverged."""

import json

import pytest

from metalab.cli.main import run
from metalab.cli.resume import _what_follows
from metalab.engine.events import Diverged
from metalab.runs.record.live import LiveRun
from metalab.runs.record.reader import open_run
from metalab.runs.record.status import RunStatus
from metalab.runs.running.control import RunControl
from metalab.runs.running.run import run_experiment
from tests.support.experiments import small


class StopWhereItDiverges:
    """As the command line does."""

    def __init__(self, control):
        self._control = control

    def on_event(self, event, seconds):
        if type(event).__name__ == "Diverged":
            self._control.stop()

    def flush(self, trainer, *, force=False):
        pass


@pytest.fixture(scope="module")
def wreck(tmp_path_factory):
    """Return the file of a run that diverged some steps after its start."""
    path = tmp_path_factory.mktemp("runs") / "wreck.metalab"
    config = small(
        outer__optimizer={"kind": "sgd", "outer_lr": 3.0}, inner__inner_lr=0.1
    )
    control = RunControl()
    live = LiveRun(config, path=path)
    assert run_experiment(live, control, sinks=[StopWhereItDiverges(control)]) is (
        RunStatus.DIVERGED
    )
    return path


@pytest.fixture
def told(wreck):
    """Return what the file says, in words."""
    return open_run(wreck).history.diverged.message


def test_the_file_says_what_exploded(wreck):
    history = open_run(wreck).history
    assert history.status is RunStatus.DIVERGED
    assert history.diverged.last_good_step == history.step
    assert history.diverged.step > history.step


def test_eval_refuses_it(wreck, told, capsys):
    assert run(["eval", str(wreck)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert told in captured.err
    assert "--last-good" in captured.err


def test_eval_says_why_as_json_too(wreck, told, capsys):
    assert run(["eval", str(wreck), "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert result["status"] == "diverged"
    assert result["diverged"]["message"] == told
    assert result["loss"] is None


def test_eval_measures_the_last_good_state_when_asked(wreck, told, capsys):
    arguments = ["eval", str(wreck), "--last-good", "--num-tasks", "16"]
    assert run([*arguments, "--json"]) == 0
    captured = capsys.readouterr()
    assert told in captured.err
    result = json.loads(captured.out)
    assert result["status"] == "diverged"
    assert result["step"] == open_run(wreck).history.step
    assert len(result["loss"]) == 11
    assert run(arguments) == 0
    title = " ".join(capsys.readouterr().out.split())
    assert f"last good state (step {result['step']})" in title


def test_resume_refuses_it_and_changes_nothing(wreck, told, capsys):
    before = wreck.read_bytes()
    assert run(["resume", str(wreck)]) == 1
    captured = capsys.readouterr()
    assert told in captured.err
    assert "--anyway" in captured.err
    assert wreck.read_bytes() == before


def test_resume_anyway_goes_further(wreck, tmp_path, capsys):
    copy = tmp_path / "copy.metalab"
    copy.write_bytes(wreck.read_bytes())
    first = open_run(wreck).history.diverged
    run(["resume", str(copy), "--anyway", "--json"])
    said = capsys.readouterr()
    follows = (
        f"--anyway: goes on from outer step {first.last_good_step:,} and lets losses"
    )
    assert follows in said.err
    result = json.loads(said.out)
    assert result["step"] > first.last_good_step
    history = open_run(copy).history
    assert history.status.value == result["status"]
    assert history.diverged != first


@pytest.mark.parametrize("suffix", [".csv", ".py"])
def test_export_warns_and_the_caption_says_so(wreck, told, tmp_path, capsys, suffix):
    target = tmp_path / f"losses{suffix}"
    assert run(["export", str(wreck), "losses", "--to", str(target)]) == 0
    assert told in capsys.readouterr().err
    if suffix == ".py":
        diverged = open_run(wreck).history.diverged
        words = " ".join(target.read_text(encoding="utf-8").split())
        assert f"diverged at outer step {diverged.step:,}" in words


def test_resume_anyway_says_that_a_value_that_is_no_number_stops_it_again():
    nothing = Diverged(
        step=1, last_good_step=0, quantity="outer_loss", value=float("inf")
    )
    told = _what_follows(nothing)
    assert told.startswith(
        "--anyway: goes on from outer step 0, makes step 1 again, and"
    )
    assert "stops there again" in told
