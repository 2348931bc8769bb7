"""Meanings of the marks on the Adapt canvas: only of those that are there."""

from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication

from metalab.analysis.exploration_request import Explored
from metalab.figures.drawing import number_of
from metalab.ui.plot.painting import Ink, ramp_ink
from metalab.ui.widgets.legend import Entry, Swatch
from metalab.ui.workspaces.adapt.scene import UNKNOWN, Scene
from metalab.ui.workspaces.live.adaptation_drawing import legend_of


def task_entries(scene: Scene) -> tuple[Entry, ...]:
    """Return the entries of a task: its true curve, if it has one, and its points."""
    truth, support, *_ = legend_of(banded=False, moved=not scene.own)
    return (support,) if scene.kind == UNKNOWN else (truth, support)


def curve_entries(base: Explored, *, step: int, trained: int) -> tuple[Entry, ...]:
    """Return the entries of the curves of the run.

    Args:
        base: How the run adapts.
        step: The emphasised inner step.
        trained: K, where training ends.
    """
    last = len(base.curves) - 1
    chosen = min(step, last)

    def ink(at: int) -> Ink:
        return ramp_ink(at, trained, last)

    entries = [Entry(swatch=Swatch.LINE, ink=ink(0), text=_tr("Before adaptation"))]
    if last > 1:
        text = _tr("After 1 to {} inner steps").format(last)
        entries.append(Entry(swatch=Swatch.LINE, ink=ink(1), end=ink(last), text=text))
    after = _tr("After {}")
    of_k = after.format(number_of(trained, "inner step")) + _tr(" (K, training ends)")
    entries.append(Entry(swatch=Swatch.THICK, ink=ink(trained), text=of_k))
    if chosen != trained:
        text = _tr("Emphasised: inner step {}").format(chosen)
        entries.append(Entry(swatch=Swatch.BOLD, ink=ink(chosen), text=text))
    if base.deviation is not None:
        entries.append(legend_of(banded=True, moved=False)[-1])
    if len(base.fan):
        fan = Ink(role="accent", share=0.4)
        text = _tr("Other support sets")
        entries.append(Entry(swatch=Swatch.LINE, ink=fan, text=text))
    return tuple(entries)


def overlay_entries(titles: Mapping[str, str]) -> tuple[Entry, ...]:
    """Return the entries of what is laid over: titles by role of colour."""
    return tuple(
        Entry(swatch=Swatch.THICK, ink=Ink(role=role), text=title)
        for role, title in titles.items()
    )


def _tr(text: str) -> str:
    return QCoreApplication.translate("adapt", text)
