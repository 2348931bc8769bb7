"""Texts of the Landscape page."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF

from metalab.figures.drawing import number_of
from metalab.ui.plot.ticks import number_text
from metalab.ui.session import engine_access as engine

if TYPE_CHECKING:
    from metalab.analysis.landscape_request import (
        Landscape,
        LandscapeGrid,
        LandscapeRequest,
    )
    from metalab.ui.session.moment import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class LandscapeText:
    """Texts; "" where there is nothing to say.

    Attributes:
        title: Whose meta-parameters these are, and which loss.
        left: How much of the paths the plane holds, below the map.
        text: What is drawn, beside it.
        summary: All of it, for those who cannot see.
    """

    title: str
    left: str = ""
    text: str = ""
    summary: str = ""


def words_of(moment: "Moment | None", shown: "Landscape | None") -> LandscapeText:
    """Return what to say."""
    if moment is None:
        return LandscapeText(title="Landscape")
    # From the object that the colours come from, which may be an earlier moment's.
    config, step = (
        (moment.config, moment.step)
        if shown is None
        else (shown.asked.config, shown.asked.step)
    )
    title = "Landscape: {} after {} outer steps".format(
        engine.name(config), f"{step:,}"
    )
    if not moment.exact:
        title += " (recomputing {})".format(f"{moment.wanted_step:,}")
    if shown is None:
        return LandscapeText(title=title, summary=title)
    left = explained_words(shown.asked, shown.plane)
    text = "\n\n".join(
        (_surface_words(shown), _drawn_words(shown, moment), _warning(shown))
    )
    return LandscapeText(
        title=title, left=left, text=text, summary=". ".join((title, left, text))
    )


def explained_words(asked: "LandscapeRequest", plane: "LandscapeGrid") -> str:
    """Return how much of the paths lies in the plane."""
    first, second = plane.explained
    if asked.surface == "adapted" and math.isfinite(plane.outer_explained):
        return (
            f"explained variance: inner paths {_percent(first + second)}, "
            f"outer path {_percent(plane.outer_explained)}"
        )
    return f"explained variance of the inner paths: u {_percent(first)}, v {_percent(second)}"


def place_words(shown: "Landscape | None", place: QPointF, loss: float | None) -> str:
    """Return what is at a place."""
    where = f"u {number_text(place.x())}, v {number_text(place.y())}"
    if shown is None or loss is None:
        return where
    return f"{where}: {loss_name(shown.asked)} {number_text(loss)}"


def loss_name(asked: "LandscapeRequest") -> str:
    """Return what the colours are of."""
    names = {
        "support": "support loss",
        "query": "query loss",
        "adapted": "query loss after adaptation",
    }
    return names[asked.surface]


def _surface_words(shown: "Landscape") -> str:
    asked = shown.asked
    if asked.surface == "adapted":
        return (
            "Colour: mean query loss of {} after K = {} from each point, the surface "
            "that the outer loop descends."
        ).format(
            number_of(shown.num_averaged, "held-out task"), asked.config.num_inner_steps
        )
    return f"Colour: {loss_name(asked)} of held-out task {asked.tasks[0] + 1} at each point."


def _drawn_words(shown: "Landscape", moment: "Moment") -> str:
    asked = shown.asked
    trained = asked.config.num_inner_steps
    numbers = ", ".join(str(task + 1) for task in asked.tasks)
    step = min(moment.inner_step, asked.num_inner_steps)
    words = (
        f"Arrows: inner steps 0 … {asked.num_inner_steps} of held-out tasks {numbers} "
        f"from θ₀ (cross); dots: inner step {step}."
    )
    if asked.num_inner_steps > trained:
        words += f" Pale: beyond K = {trained}."
    if asked.surface == "adapted" and len(asked.outer) > 1:
        words += " Red: the outer loop, from its first step."
    return words


def _warning(shown: "Landscape") -> str:
    return (
        "One plane through {} dimensions: what lies off it is seen projected, and its "
        "loss is not the colour behind it."
    ).format(f"{len(shown.plane.centre):,}")


def _percent(share: float) -> str:
    if not math.isfinite(share):
        return "–"
    percent = 100 * min(share, 1.0)
    # "100 %" only where it is all.
    if 99.95 <= percent < 99.9995:
        return ">99.9 %"
    return f"{percent:.3g} %" if percent < 99.95 else "100 %"
