"""What the status bar says."""

from dataclasses import replace

import numpy as np
import pytest

from metalab.engine.events import Diverged
from metalab.runs.record.status import RunStatus
from metalab.runs.running.manager import Launch, RunManager
from metalab.ui.session.phase import Phase
from metalab.ui.shell.status_text import duration, status_texts, steps_per_second
from tests.support.fake_worker import Workshop, small_config


@pytest.fixture
def workshop():
    return Workshop()


@pytest.fixture
def slot(workshop, tmp_path):
    slot = RunManager(workshop)
    slot.launch(Launch(config=small_config(), path=tmp_path / "run.metalab"))
    workshop.worker.play(2)
    slot.poll()
    return slot


@pytest.fixture
def history(slot, workshop):
    workshop.worker.play(10)
    slot.poll()
    return slot.history


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (28.4, "0:28"),
        (61, "1:01"),
        (3599.6, "1:00:00"),
        (45296, "12:34:56"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_a_word_and_a_colour(phase):
    texts = status_texts(phase, None)
    assert texts.state
    assert texts.share == 0
    assert texts.steps == texts.rate == texts.evaluation == ""


def test_the_rate_is_over_the_last_two_seconds(history):
    # 10 steps a second for 10 s, then 100 a second for 3 s.
    seconds = np.concatenate([np.arange(1, 101) / 10, 10 + np.arange(1, 301) / 100])
    steps = np.arange(1, 401.0)
    history = replace(history, steps=steps, seconds=seconds)
    assert steps_per_second(history) == pytest.approx(100)
    assert steps_per_second(history, window=100) == pytest.approx(399 / 12.9)


def test_no_rate_from_too_little(slot, history):
    assert steps_per_second(replace(history, steps=np.array([]))) is None
    one = replace(history, steps=np.array([1.0]), seconds=np.array([0.1]))
    assert steps_per_second(one) is None
    batch = replace(history, steps=np.arange(3.0), seconds=np.full(3, 0.1))
    assert steps_per_second(batch) is None
    assert status_texts(Phase.RUNNING, batch).rate == ""


def test_a_run_in_progress(history):
    history = replace(
        history, steps=np.arange(1, 11.0), seconds=np.arange(1, 11) * 0.002, step=10
    )
    texts = status_texts(Phase.RUNNING, history)
    assert texts.state == "Running"
    assert texts.steps == "10 / 60"
    assert texts.rate == "500 steps/s"
    assert texts.remaining == "0:00 left"
    assert texts.share == pytest.approx(1 / 6)
    latest = history.latest_evaluation
    best_step, best = history.best_evaluation
    assert texts.evaluation == (
        f"Evaluation {latest:.4g}  (best {best:.4g} at {best_step})"
    )
    assert texts.saved == "Saved to 0"
    assert texts.device.startswith("cpu")


def test_an_evaluation_of_an_earlier_step_says_so(history):
    at = history.latest_evaluation_step
    assert status_texts(Phase.PAUSED, replace(history, step=at)).evaluation.count(
        " at "
    ) == (history.best_evaluation is not None)
    later = status_texts(Phase.PAUSED, replace(history, step=at + 7)).evaluation
    assert later.startswith(f"Evaluation {history.latest_evaluation:.4g} at {at}")


def test_a_slow_run_has_decimals(history):
    slow = replace(history, steps=np.array([1.0, 2.0]), seconds=np.array([1.0, 2.5]))
    assert status_texts(Phase.RUNNING, slow).rate == "0.67 steps/s"


def test_before_the_first_event_a_run_is_starting(workshop):
    slot = RunManager(workshop)
    slot.launch(Launch(config=small_config()))
    texts = status_texts(Phase.RUNNING, slot.history)
    assert texts.state == "Starting"
    assert texts.saved == "Not kept"
    assert texts.remaining == texts.evaluation == ""


def test_compiling_is_a_state_of_its_own(workshop, tmp_path):
    slot = RunManager(workshop)
    slot.launch(Launch(config=small_config(), path=tmp_path / "run.metalab"))
    compiling = replace(slot.history, status=RunStatus.COMPILING)
    texts = status_texts(Phase.RUNNING, compiling)
    assert texts.state == "Compiling"
    assert texts.provider == "Kernels are being compiled, once on this machine."
    assert texts.saved == ""
    assert status_texts(Phase.PAUSED, compiling).state == "Paused"


@pytest.mark.parametrize(
    ("provider", "device", "sentence"),
    [
        ("fused", "cpu · kernels", "By compiled kernels: why."),
        ("autodiff", "cpu · autodiff", "By automatic differentiation: why."),
        ("", "cpu", ""),
    ],
)
def test_who_computes_and_why(history, provider, device, sentence):
    history = replace(history, provider=provider, provider_reason="why")
    texts = status_texts(Phase.RUNNING, history)
    assert (texts.device, texts.provider) == (device, sentence)


@pytest.mark.parametrize(
    ("status", "state", "tone"),
    [
        (RunStatus.FINISHED, "Finished", "good"),
        (RunStatus.STOPPED, "Stopped", "muted"),
        (RunStatus.FAILED, "Failed", "error"),
    ],
)
def test_an_end_is_told_once_everything_is_saved(history, status, state, tone):
    ended = replace(history, status=status)
    texts = status_texts(Phase.IDLE, ended)
    assert (texts.state, texts.tone) == (state, tone)
    assert texts.remaining.startswith("took ")
    assert texts.saved == ""
    assert status_texts(Phase.STOPPING, ended).state == "Saving"
    kept = replace(ended, stored_step=1200)
    assert status_texts(Phase.IDLE, kept).saved == "Saved to 1,200"


def test_a_disk_that_is_full_and_a_divergence_stand_out(slot, workshop, history):
    full = replace(history, storage_problem="no space left")
    assert status_texts(Phase.RUNNING, full).saved == "Cannot be saved"
    workshop.worker.diverge()
    slot.poll()
    assert status_texts(Phase.PAUSED, slot.history).tone == "warning"


def test_losses_that_are_not_numbers_have_no_best(history):
    series = replace(
        history.evaluations,
        query_mean=np.full_like(history.evaluations.query_mean, np.nan),
    )
    texts = status_texts(Phase.RUNNING, replace(history, evaluations=series))
    at = history.latest_evaluation_step
    assert texts.evaluation == f"Evaluation nan at {at}"


def test_a_run_that_diverged_is_not_merely_stopped(history):
    event = Diverged(step=9, last_good_step=8, quantity="outer_loss", value=1e9)
    wreck = replace(history, diverged=event, status=RunStatus.DIVERGED)
    for phase in (Phase.PAUSED, Phase.IDLE):
        texts = status_texts(phase, wreck)
        assert (texts.state, texts.tone) == ("Diverged", "warning")
