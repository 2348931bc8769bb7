"""Who computes a run; the compiler is played."""

import pytest

from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.runs.record.live import LiveRun
from metalab.runs.record.reader import open_run
from metalab.runs.record.status import RunStatus
from metalab.runs.running import provider as module
from metalab.runs.running.control import RunControl
from metalab.runs.running.provider import COMPILING, ProviderError, settle_provider
from metalab.runs.running.resume import prepare_resume
from metalab.runs.running.run import run_experiment
from metalab.runs.system.compiling import Compiling
from metalab.runs.system.kernels import Readiness
from tests.support.stored import resume, run_to


@pytest.fixture
def play(monkeypatch):
    """Let the kernels be ready, or not for a reason; return how often they were asked."""
    asked = []

    def play_one(reason, *, then=None):
        def prepare(precision, *, cancelled, on_compiling):
            asked.append(precision)
            on_compiling(Compiling(share=0.25, name="update", seconds=3.0))
            if then is not None:
                then()
            return Readiness(ready=not reason, reason=reason)

        monkeypatch.setattr(module, "prepare", prepare)
        return asked

    return play_one


def with_provider(config, name):
    return with_overrides(config, [("run.provider", name)])


def without_kernels():
    """An experiment that no kernel computes."""
    return preset_config("cavia-sine")


def settled(config, *, recorded=None):
    live = LiveRun(config)
    name = settle_provider(live, RunControl(), recorded=recorded)
    return name, live.snapshot().provider_reason


def test_auto_takes_the_kernels_where_there_are_any(config, play):
    asked = play("")
    name, reason = settled(config)
    assert name == "fused"
    assert reason
    assert asked == ["float32"]


def test_autodiff_asks_for_no_kernels(config, play):
    asked = play("")
    assert settled(with_provider(config, "autodiff"))[0] == "autodiff"
    assert asked == []


def test_auto_does_without_and_says_why(config, play):
    play("the disk is full")
    found = settled(config)
    assert found == ("autodiff", "no compiled kernels: the disk is full")


def test_auto_does_without_where_there_are_none(play):
    asked = play("")
    assert settled(without_kernels()) == (
        "autodiff",
        "there is no compiled kernel for meta 'context'",
    )
    assert asked == []


def test_what_no_kernel_computes_is_refused_before_anything_runs(play, tmp_path):
    asked = play("")
    live = LiveRun(
        with_provider(without_kernels(), "fused"), path=tmp_path / "run.metalab"
    )
    with pytest.raises(ProviderError, match=r"'fused'.*meta 'context'.*auto"):
        run_experiment(live, RunControl())
    assert asked == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("recorded", [None, "fused"])
def test_who_needs_them_is_refused_with_the_reason(config, play, recorded):
    play("the disk is full")
    config = config if recorded else with_provider(config, "fused")
    with pytest.raises(ProviderError, match=r"the disk is full.*autodiff"):
        settled(config, recorded=recorded)


def test_a_refusal_says_what_to_do_with_a_run_that_went_on(config, play):
    play("numba is not installed (pip install numba)")
    with pytest.raises(ProviderError, match=r"pip install numba.*metalab doctor"):
        settled(config, recorded="fused")


def test_what_began_without_kernels_goes_on_without(config, play):
    asked = play("")
    assert settled(config, recorded="autodiff") == ("autodiff", "the run began with it")
    assert asked == []


def test_what_began_on_kernels_goes_on_so(config, play):
    play("")
    config = with_provider(config, "autodiff")
    assert settled(config, recorded="fused") == ("fused", "the run began with them")


def test_the_status_is_compiling_for_as_long_as_it_takes(config, play):
    live = LiveRun(config)
    seen, told = [], []
    play("", then=lambda: seen.append(live.snapshot().status))
    settle_provider(live, RunControl(), recorded=None, on_compiling=told.append)
    assert seen == [RunStatus.COMPILING]
    assert told == [COMPILING]
    assert live.snapshot().status is RunStatus.STARTING
    assert live.snapshot().compiling is None


@pytest.mark.parametrize("provider", ["auto", "fused"])
def test_a_run_can_be_told_not_to_wait_unless_it_needs_them(
    config, monkeypatch, provider
):
    live = LiveRun(with_provider(config, provider))
    control = RunControl()
    seen = []

    def prepare(precision, *, cancelled, on_compiling):
        on_compiling(Compiling(share=0.25, name="update", seconds=3.0))
        seen.append(live.snapshot().compiling)
        assert not cancelled()
        control.do_without_kernels()
        return Readiness(ready=not cancelled(), reason="compiling was cancelled")

    monkeypatch.setattr(module, "prepare", prepare)
    name = settle_provider(live, control, recorded=None)
    needed = provider == "fused"
    assert seen[0].needed is needed
    assert seen[0].seconds_left == pytest.approx(9.0)
    assert name == ("fused" if needed else "autodiff")
    if not needed:
        reason = live.snapshot().provider_reason
        assert reason == "no compiled kernels: it was told not to wait"


def test_a_run_that_is_stopped_while_compiling_writes_nothing(config, play, tmp_path):
    control = RunControl()
    play("compiling was cancelled", then=control.stop)
    live = LiveRun(config, path=tmp_path / "run.metalab")
    assert run_experiment(live, control) is RunStatus.STOPPED
    assert live.snapshot().status is RunStatus.STOPPED
    assert list(tmp_path.iterdir()) == []


def test_a_resume_that_is_stopped_while_compiling_changes_nothing(
    config, play, tmp_path
):
    path = tmp_path / "run.metalab"
    run_to(path, config, stop_at=20)
    before = path.read_bytes()
    control = RunControl()
    play("compiling was cancelled", then=control.stop)
    past = prepare_resume(path)
    live = LiveRun(past.configs, path=path, past=past)
    assert run_experiment(live, control, resuming=True) is RunStatus.STOPPED
    assert path.read_bytes() == before
    assert live.snapshot().step == 20


def test_a_run_that_is_paused_while_compiling_begins_paused(config, play):
    control = RunControl()
    live = LiveRun(with_provider(config, "auto"))
    play("there is none", then=lambda: control.step(3))

    class Stop:
        def on_event(self, event, seconds):
            if getattr(event, "last_step", 0) >= 3:
                control.stop()

        def flush(self, trainer, *, force=False):
            pass

    run_experiment(live, control, sinks=[Stop()])
    assert live.snapshot().step == 3


def test_the_file_holds_who_computed_and_why(config, play, tmp_path):
    play("the disk is full")
    run_to(tmp_path / "run.metalab", config)
    history = open_run(tmp_path / "run.metalab").history
    assert history.provider == "autodiff"
    assert history.provider_reason == "no compiled kernels: the disk is full"


def test_a_run_without_kernels_goes_on_so_when_there_are_some(config, play, tmp_path):
    path = tmp_path / "run.metalab"
    play("the disk is full")
    run_to(path, config, stop_at=20)
    play("")
    live = resume(path)
    assert live.snapshot().provider == "autodiff"
    assert live.snapshot().step == config.outer.num_steps


def test_two_threads_give_the_same_numbers_again(config):
    two = with_overrides(config, [("run.num_threads", 2)])
    found = []
    for _ in range(2):
        live = LiveRun(two)
        run_experiment(live, RunControl())
        found.append(live.snapshot().metrics["outer_loss"].tolist())
    assert found[0] == found[1]
