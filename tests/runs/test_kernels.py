"""Kernels are compiled in a child, kept for each version, and never silently missing."""

import subprocess
import sys

import pytest

from metalab.core.fused.availability import digest
from metalab.engine.overrides import with_overrides
from metalab.runs import kernels
from metalab.runs.conduct import conduct
from metalab.runs.control import RunControl
from metalab.runs.kernels import cache_folder, prepare, readiness
from metalab.runs.live import LiveRun
from metalab.runs.provider import ProviderError, settle_provider
from metalab.runs.reader import open_run
from metalab.runs.status import RunStatus

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
FAILING = [sys.executable, "-c", "import sys; sys.exit('no room left on the moon')"]


def never():
    return False


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    """A cache in which nothing is compiled."""
    folder = tmp_path / "kernels"
    monkeypatch.setenv("METALAB_KERNELS", str(folder))
    return folder


def as_child(monkeypatch, command):
    monkeypatch.setattr(kernels, "_command", lambda _precision: command)


def filling(folder, precision):
    """Return a child that leaves behind what the compiler would."""
    marker = folder / digest() / f"{precision}.ready"
    code = f"import pathlib as p; m = p.Path({str(marker)!r}); m.parent.mkdir(parents=True); m.touch()"
    return [sys.executable, "-c", code]


def test_ready_once_a_child_has_compiled(empty_cache, monkeypatch):
    assert cache_folder() == empty_cache
    assert readiness("float32").reason == "not compiled yet"
    as_child(monkeypatch, filling(empty_cache, "float32"))
    assert prepare("float32", cancelled=never).ready
    assert readiness("float32").ready
    assert not readiness("float64").ready


def test_what_is_ready_needs_no_child(monkeypatch):
    as_child(monkeypatch, FAILING)
    assert readiness("float32").ready, "make compiles before the tests"
    assert prepare("float32", cancelled=never).ready


def test_a_failed_compiler_is_quoted(empty_cache, monkeypatch):
    as_child(monkeypatch, FAILING)
    found = prepare("float32", cancelled=never)
    assert not found.ready
    assert "no room left on the moon" in found.reason
    as_child(monkeypatch, [str(empty_cache / "no such program")])
    assert "did not start" in prepare("float32", cancelled=never).reason


def test_a_cancelled_compiler_is_ended(empty_cache, monkeypatch):
    started = []
    real = subprocess.Popen

    def popen(*args, **options):
        started.append(real(*args, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", popen)
    as_child(monkeypatch, SLEEPER)
    found = prepare("float32", cancelled=lambda: True)
    assert found.reason == "compiling was cancelled"
    assert started[0].poll() is not None


def test_without_a_compiler_runs_go_on_and_say_so(config, monkeypatch):
    monkeypatch.setattr(kernels, "missing_compiler", lambda: "numba is not installed")
    live = LiveRun(config)
    assert conduct(live, RunControl()) is RunStatus.FINISHED
    history = live.snapshot()
    assert history.provider == "autodiff"
    assert "numba is not installed" in history.provider_reason


def test_a_run_that_asks_for_kernels_is_refused_without(config, monkeypatch):
    monkeypatch.setattr(kernels, "missing_compiler", lambda: "numba is not installed")
    live = LiveRun(with_overrides(config, [("run.provider", "fused")]))
    with pytest.raises(ProviderError, match="numba is not installed"):
        conduct(live, RunControl())


def test_the_state_is_shown_while_compiling(config, empty_cache, monkeypatch):
    seen = []
    live = LiveRun(config)

    def prepare_and_look(precision, *, cancelled):
        seen.append((precision, live.snapshot().status, cancelled()))
        return kernels.Readiness(ready=True)

    monkeypatch.setattr("metalab.runs.provider.prepare", prepare_and_look)
    provider = settle_provider(live, RunControl(), recorded=None)
    assert provider == "fused"
    assert seen == [("float32", RunStatus.COMPILING, False)]
    assert live.snapshot().status is RunStatus.STARTING


def test_a_stop_while_compiling_ends_the_run_at_once(config, empty_cache, monkeypatch):
    as_child(monkeypatch, SLEEPER)
    control = RunControl()
    control.stop()
    live = LiveRun(config)
    assert conduct(live, control) is RunStatus.STOPPED
    assert live.snapshot().step == 0


def test_a_run_goes_on_with_the_provider_it_began_with(config, tmp_path):
    path = tmp_path / "a.metalab"
    slow = with_overrides(config, [("run.provider", "autodiff")])
    control = RunControl()
    control.step(5)
    live = LiveRun(slow, path=path)
    live_config = live.config
    assert live_config.run.provider == "autodiff"
    assert settle_provider(live, control, recorded="fused") == "fused"
    assert settle_provider(LiveRun(config), control, recorded="autodiff") == "autodiff"


def test_the_provider_is_in_the_file(config, tmp_path):
    path = tmp_path / "a.metalab"
    conduct(LiveRun(config, path=path), RunControl())
    assert open_run(path).history.provider == "fused"


def test_two_threads_give_the_numbers_of_one_pair_of_chunks(config):
    two = with_overrides(config, [("run.num_threads", 2)])
    found = []
    for _ in range(2):
        live = LiveRun(two)
        conduct(live, RunControl())
        found.append(live.snapshot().metrics["outer_loss"].tolist())
    assert found[0] == found[1]
