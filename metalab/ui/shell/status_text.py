"""Texts of the status bar."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from metalab.runs.record.status import RunStatus
from metalab.ui.session.phase import Phase

if TYPE_CHECKING:
    from metalab.runs.record.history import RunHistory

RATE_SECONDS = 2.0
"""Training time over which the rate is taken: long enough to be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusTexts:
    """Each text is "" where there is nothing to say.

    Attributes:
        state: Of the pill.
        tone: Role of the theme that colours the pill.
        steps: Outer steps made, of how many.
        rate: Outer steps a second.
        remaining: Time to the end.
        evaluation: Newest held-out loss, its step if that is not the last, and the best.
        saved: Up to which step the run file is safe.
        device: What computes.
        provider: By what means, and why.
        share: Of the planned steps, 0 to 1.
    """

    state: str
    tone: str
    steps: str = ""
    rate: str = ""
    remaining: str = ""
    evaluation: str = ""
    saved: str = ""
    device: str = ""
    provider: str = ""
    share: float = 0.0


_PHASES = {
    Phase.LOADING: ("Loading", "muted"),
    Phase.RUNNING: ("Running", "accent"),
    Phase.PAUSED: ("Paused", "evaluation"),
    Phase.STOPPING: ("Saving", "muted"),
    Phase.IDLE: ("Ready", "muted"),
}
_BEGINNINGS = {
    RunStatus.STARTING: "Starting",
    RunStatus.COMPILING: "Compiling",
}
_ENDS = {
    RunStatus.FINISHED: ("Finished", "good"),
    RunStatus.STOPPED: ("Stopped", "muted"),
    RunStatus.DIVERGED: ("Diverged", "warning"),
    RunStatus.FAILED: ("Failed", "error"),
}


def steps_per_second(
    history: "RunHistory", window: float = RATE_SECONDS
) -> float | None:
    """Return the rate over the last seconds of training; None if none is known."""
    if len(history.steps) == 0:
        return None
    seconds = history.seconds
    start = int(np.searchsorted(seconds, seconds[-1] - window))
    elapsed = float(seconds[-1] - seconds[start])
    if elapsed <= 0.0:
        return None
    return float(history.steps[-1] - history.steps[start]) / elapsed


def duration(seconds: float) -> str:
    """Return a time as "0:28" or "1:02:03"."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def status_texts(phase: Phase, history: "RunHistory | None") -> StatusTexts:
    """Return what to say of a run in some phase."""
    state, tone = _PHASES[phase]
    if history is None:
        return StatusTexts(state=state, tone=tone)
    if phase is Phase.IDLE and history.status in _ENDS:
        state, tone = _ENDS[history.status]
    if phase is Phase.RUNNING and history.status in _BEGINNINGS:
        state = _BEGINNINGS[history.status]
    if history.diverged is not None and phase is Phase.PAUSED:
        state, tone = _ENDS[RunStatus.DIVERGED]
    rate = steps_per_second(history)
    return StatusTexts(
        state=state,
        tone=tone,
        steps=f"{history.step:,} / {history.num_steps:,}",
        rate="" if rate is None else f"{_rounded(rate)} steps/s",
        remaining=_remaining(phase, history, rate),
        evaluation=_evaluation(history),
        saved=_saved(history),
        device=_device(history),
        provider=_provider(history),
        share=history.step / history.num_steps,
    )


def _rounded(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"


def _remaining(phase: Phase, history: "RunHistory", rate: float | None) -> str:
    if phase is Phase.RUNNING and rate:
        left = duration((history.num_steps - history.step) / rate)
        return f"{left} left"
    if len(history.seconds) > 0:
        return f"took {duration(float(history.seconds[-1]))}"
    return ""


def _evaluation(history: "RunHistory") -> str:
    latest, best = history.latest_evaluation, history.best_evaluation
    if latest is None:
        return ""
    text = f"Evaluation {latest:.4g}"
    at = history.latest_evaluation_step
    if at is not None and at != history.step:
        text += f" at {at:,}"
    if best is None:
        return text
    step, value = best
    return text + f"  (best {value:.4g} at {step:,})"


def _device(history: "RunHistory") -> str:
    """Return what computes a run, in two words."""
    means = {"fused": "kernels", "autodiff": "autodiff"}
    name = means.get(history.provider)
    return history.device if name is None else f"{history.device} · {name}"


def _provider(history: "RunHistory") -> str:
    """Return who computes a run, in a sentence."""
    if history.status is RunStatus.COMPILING:
        kernels = "Kernels are being compiled, once on this machine"
        return f"{history.provider_reason or kernels}."
    names = {
        "fused": "By compiled kernels",
        "autodiff": "By automatic differentiation",
    }
    name = names.get(history.provider)
    if name is None:
        return ""
    reason = history.provider_reason
    return f"{name}: {reason}." if reason else f"{name}."


def _saved(history: "RunHistory") -> str:
    if history.path is None:
        return "Not kept"
    if history.storage_problem is not None:
        return "Cannot be saved"
    if history.stored_step == 0 and (
        history.status.ended or history.status in _BEGINNINGS
    ):
        return ""
    return f"Saved to {history.stored_step:,}"
