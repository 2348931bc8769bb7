"""Texts of the Adapt page."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metalab.analysis.adapt_request import AdaptResult
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
        return _empty("No run yet: run the preset, then drag its support points")
    if scene is None:
        return _empty(preparing(moment.history))
    # From the object that the curves come from, which may be an earlier moment's.
    config, step = (
        (moment.config, moment.step)
        if base is None
        else (base.start.config, base.start.step)
    )
    title = "Adapt by hand: {} after {} outer steps".format(
        engine.name(config), f"{step:,}"
    )
    if not moment.exact:
        title += " (recomputing {})".format(f"{moment.wanted_step:,}")
    if doing:
        title += f" · {doing}"
    left = _task_words(scene)
    right = ""
    if base is not None:
        step = min(moment.inner_step, len(base.support_loss) - 1)
        right = "after {}: support {}".format(
            number_of(step, "inner step"), number_text(float(base.support_loss[step]))
        )
        if base.query_loss is not None:
            loss = number_text(float(base.query_loss[step]))
            right += f", {base.asked.task.measured_on} {loss}"
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
        if scene.own:
            return scene.name
        chosen = bool(scene.observed) and all(scene.observed)
        return f"{scene.name} with {'other' if chosen else 'moved'} points"
    if scene.kind == UNKNOWN:
        return "a task without a true curve"
    return names.get(scene.kind, "a curve drawn by hand")


def _task_words(scene: "Scene") -> str:
    count = number_of(len(scene.x), "support point")
    if scene.kind in ("sine", "square"):
        kind = "sine" if scene.kind == "sine" else "square wave"
        return (
            f"{kind}, amplitude {number_text(scene.amplitude)}, "
            f"phase {number_text(scene.phase)}; {count}"
        )
    if scene.kind == "line":
        return f"line from {number_text(scene.phase)} to {number_text(scene.amplitude)}; {count}"
    if len(scene.x) == 0:
        return "no points yet: double-click where one shall be"
    if scene.kind == UNKNOWN:
        return f"no true curve; {count}"
    if scene.kind == "drawn":
        return f"drawn by hand; {count}"
    whose = "" if scene.own else ", changed by you"
    rest = len(scene.other_x)
    others = ("", ", 1 other", f", {rest} others")[min(rest, 2)]
    return f"{scene.name}{whose}; {count}{others}"


def _empty(message: str) -> AdaptText:
    title = "Adapt by hand"
    return AdaptText(title=title, message=message, left="", right="", summary=message)
