"""Many runs: started, gone on with, found finished; stopped by a signal."""

import os
import signal

import pytest

from metalab.experiment.fields import with_overrides
from metalab.runs.batch.batch import Ending, PlannedRun, carry_out
from metalab.runs.batch.in_turn import run_in_turn
from metalab.runs.batch.pool import run_in_processes
from metalab.runs.record.file_format import RunFileError
from metalab.runs.record.reader import open_run
from metalab.runs.system.compiling import Compiling
from metalab.runs.system.kernels import Readiness


class Watch:
    """Keeps what it is told, and sends one signal when a step is reached."""

    def __init__(self, signal_at: int = -1) -> None:
        self.signal_at = signal_at
        self.steps: list[tuple[int, int]] = []
        self.endings: dict[int, Ending] = {}

    def stepped(self, index, step):
        self.steps.append((index, step))
        if 0 < self.signal_at <= step:
            self.signal_at = -1
            os.kill(os.getpid(), signal.SIGINT)

    def ended(self, index, outcome):
        self.endings[index] = outcome.ending


def ignore(step: int) -> None:
    del step


def never() -> bool:
    return False


@pytest.fixture
def planned(config, tmp_path):
    return [
        PlannedRun(
            config=with_overrides(config, [("run.seed", seed)]),
            path=tmp_path / f"{seed}.metalab",
        )
        for seed in (0, 1)
    ]


def test_runs_in_turn_and_finds_them_finished_again(planned):
    watch = Watch()
    endings = [outcome.ending for outcome in run_in_turn(planned, watch)]
    assert endings == [Ending.FINISHED, Ending.FINISHED]
    assert watch.steps[-1] == (1, 60)
    before = [run.path.read_bytes() for run in planned]
    endings = [outcome.ending for outcome in run_in_turn(planned, Watch())]
    assert endings == [Ending.REUSED, Ending.REUSED]
    assert [run.path.read_bytes() for run in planned] == before


def test_a_signal_stops_inside_a_run_and_the_batch_goes_on_bit_for_bit(
    planned, tmp_path
):
    straight = PlannedRun(config=planned[0].config, path=tmp_path / "straight.metalab")
    carry_out(straight, tell=ignore, stopping=never)
    handler = signal.getsignal(signal.SIGINT)
    outcomes = run_in_turn(planned, Watch(signal_at=1))
    assert signal.getsignal(signal.SIGINT) is handler
    assert [outcome.ending for outcome in outcomes] == [Ending.STOPPED] * 2
    assert 0 < outcomes[0].step < 60
    assert not planned[1].path.exists()
    outcomes = run_in_turn(planned, Watch())
    assert [outcome.ending for outcome in outcomes] == [Ending.FINISHED] * 2
    one, two = (open_run(run.path) for run in (planned[0], straight))
    assert one.checkpoint.phi.tobytes() == two.checkpoint.phi.tobytes()


def test_a_divergence_ends_its_run_and_not_the_batch(planned, config):
    wild = with_overrides(config, [("inner.inner_lr", 10.0)])
    wild_run = PlannedRun(config=wild, path=planned[0].path)
    outcomes = run_in_turn([wild_run, planned[1]], Watch())
    assert [o.ending for o in outcomes] == [Ending.DIVERGED, Ending.FINISHED]
    # Found again, it is not gone on with: the same steps would explode again.
    before = wild_run.path.read_bytes()
    again = run_in_turn([wild_run], Watch())
    assert again == [outcomes[0]]
    assert wild_run.path.read_bytes() == before
    assert "kept the last good state" in outcomes[0].message


def test_a_file_of_another_experiment_is_refused(planned, config):
    carry_out(planned[0], tell=ignore, stopping=never)
    other = PlannedRun(
        config=with_overrides(config, [("inner.inner_lr", 0.02)]), path=planned[0].path
    )
    with pytest.raises(RunFileError, match="another experiment"):
        carry_out(other, tell=ignore, stopping=never)


@pytest.mark.slow
def test_processes_give_the_numbers_of_one_process(planned, tmp_path):
    watch = Watch()
    outcomes = run_in_processes(planned, watch, num_processes=2)
    assert [outcome.ending for outcome in outcomes] == [Ending.FINISHED] * 2
    assert set(watch.endings) == {0, 1}
    here = PlannedRun(config=planned[1].config, path=tmp_path / "here.metalab")
    carry_out(here, tell=ignore, stopping=never)
    one, two = (open_run(run.path) for run in (planned[1], here))
    assert one.checkpoint.phi.tobytes() == two.checkpoint.phi.tobytes()


def test_a_signal_stops_every_process(planned):
    long = [
        PlannedRun(
            config=with_overrides(run.config, [("outer.num_steps", 10_000_000)]),
            path=run.path,
        )
        for run in planned
    ]
    outcomes = run_in_processes(long, Watch(signal_at=1), num_processes=2)
    assert {outcome.ending for outcome in outcomes} == {Ending.STOPPED}
    # Another process may have been stopped at its step 0, or before it had a file.
    paths = [run.path for run in long]
    kept = [open_run(path).history.step if path.exists() else 0 for path in paths]
    assert kept == [outcome.step for outcome in outcomes]
    assert max(kept) > 0


def test_a_batch_that_is_stopped_while_kernels_are_compiled_ends(planned, monkeypatch):
    asked = []

    def prepare(precision, *, cancelled, on_compiling):
        asked.append(precision)
        on_compiling(Compiling(share=0.0, name="", seconds=0.0))
        assert not cancelled()
        os.kill(os.getpid(), signal.SIGINT)
        assert cancelled()
        return Readiness(ready=False, reason="compiling was cancelled")

    monkeypatch.setattr("metalab.runs.running.provider.prepare", prepare)
    outcomes = run_in_turn(planned, Watch())
    assert [outcome.ending for outcome in outcomes] == [Ending.STOPPED] * 2
    assert asked == ["float32"]
    assert not planned[0].path.exists()
