"""What Live says of the length of the inner steps."""

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from metalab.engine.diagnostics import STABILITY, STEP_CURVATURE, UNSTABLE_SHARE
from metalab.runs.record.history import RunHistory
from metalab.ui.plot.ticks import number_text


@dataclass(frozen=True, slots=True, kw_only=True)
class StabilityWords:
    """A line on stability; empty where nothing was measured.

    Attributes:
        text: The share of tasks, and how far the steps are from the limit.
        tip: What was measured, and when.
        tone: Role of the theme.
    """

    text: str = ""
    tip: str = ""
    tone: str = "muted"


def _tr(text: str) -> str:
    return QCoreApplication.translate("stability", text)


def stability_words(history: RunHistory | None) -> StabilityWords:
    """Return what was last measured of a run's inner steps, in words."""
    if history is None:
        return StabilityWords()
    shares = history.diagnostics.of(UNSTABLE_SHARE)
    largest = history.diagnostics.of(STEP_CURVATURE)
    if not len(shares) or not len(largest):
        return StabilityWords()
    share, most = float(shares.values[-1]), float(largest.values[-1])
    told = _tr("Inner steps stable for all tasks")
    if share > 0:
        told = _tr("Inner steps overshoot for {share} % of tasks").format(
            share=f"{100 * share:.0f}"
        )
    reach = _tr("lr × curvature up to {most}, limit 2").format(most=number_text(most))
    helps = [info.help for info in STABILITY if info.name != STEP_CURVATURE]
    at = _tr("Measured at outer step {step}.").format(step=f"{int(shares.steps[-1]):,}")
    warned = history.stability_warning is not None
    return StabilityWords(
        text=f"{told} ({reach})",
        tip="\n".join([*helps, at]),
        tone="warning" if warned else "muted",
    )
