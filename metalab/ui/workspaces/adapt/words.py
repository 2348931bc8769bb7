"""What the Adapt workspace says of what it shows."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from metalab.analysis.exploration_request import AdaptResult
from metalab.figures.drawing import number_of
from metalab.ui.plot.ticks import number_text
from metalab.ui.session import engine_access as engine
from metalab.ui.widgets.header import preparing
from metalab.ui.workspaces.adapt.scene import UNKNOWN

if TYPE_CHECKING:
    from metalab.ui.session.moment import Moment
    from metalab.ui.workspaces.adapt.scene import Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptText:
    """Texts; "" where there is nothing to say.

    Attributes:
        title: Whose meta-parameters these are.
        message: Why the canvas is empty.
        left: What the task is, below the canvas.
        right: What its losses become.
        summary: All of it, for those who cannot see.
    """

    title: str
    message: str
    left: str
    right: str
    summary: str


def words_of(
    moment: "Moment | None",
    scene: "Scene | None",
    base: AdaptResult | None,
    doing: str = "",
) -> AdaptText:
    """Return what to say; `doing` is what is waited for."""
    if moment is None:
        return _empty(_tr("No run yet: run the preset, then drag its support points"))
    if scene is None:
        return _empty(_tr(preparing(moment.history)))
    # From the object that the curves come from, which may be an earlier moment's.
    config, step = (
        (moment.config, moment.step)
        if base is None
        else (base.start.config, base.start.step)
    )
    title = _tr("Adapt by hand: {} after {} outer steps").format(
        engine.name(config), f"{step:,}"
    )
    if not moment.exact:
        title += _tr(" (recomputing {})").format(f"{moment.wanted_step:,}")
    if doing:
        title += f" · {doing}"
    left = _task_words(scene)
    right = ""
    if base is not None:
        step = min(moment.inner_step, len(base.support_loss) - 1)
        right = _tr("after {}: support {}").format(
            number_of(step, "inner step"), number_text(float(base.support_loss[step]))
        )
        if base.query_loss is not None:
            loss = number_text(float(base.query_loss[step]))
            right += _tr(", true curve {}").format(loss)
    return AdaptText(
        title=title,
        message="",
        left=left,
        right=right,
        summary=". ".join(text for text in (title, left, right) if text),
    )


def task_name(scene: "Scene") -> str:
    """Return what the task is, for the caption of a figure."""
    names = {"sine": "a sine", "line": "a line", "square": "a square wave"}
    if scene.kind == "held-out":
        name = f"held-out task {scene.task + 1}"
        return name if scene.own else f"{name} with moved points"
    return names.get(scene.kind, "a curve drawn by hand")


def _task_words(scene: "Scene") -> str:
    count = number_of(len(scene.x), "support point")
    if scene.kind in ("sine", "square"):
        kind = _tr("sine") if scene.kind == "sine" else _tr("square wave")
        return _tr("{}, amplitude {}, phase {}; {}").format(
            kind, number_text(scene.amplitude), number_text(scene.phase), count
        )
    if scene.kind == "line":
        return _tr("line from {} to {}; {}").format(
            number_text(scene.phase), number_text(scene.amplitude), count
        )
    if scene.kind == UNKNOWN:
        return _tr("no true curve; {}").format(count)
    if scene.kind == "drawn":
        return _tr("drawn by hand; {}").format(count)
    whose = "" if scene.own else _tr(", changed by you")
    return _tr("held-out task {}{}; {}").format(scene.task + 1, whose, count)


def _empty(message: str) -> AdaptText:
    title = _tr("Adapt by hand")
    return AdaptText(title=title, message=message, left="", right="", summary=message)


def _tr(text: str) -> str:
    return QCoreApplication.translate("adapt", text)
