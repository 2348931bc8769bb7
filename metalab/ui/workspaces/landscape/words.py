"""Texts of the Landscape page."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF

from metalab.engine.events import names_of
from metalab.figures.drawing import number_of
from metalab.figures.variance import explained_words
from metalab.ui.plot.ticks import number_text
from metalab.ui.session import engine_access as engine

if TYPE_CHECKING:
    from metalab.analysis.landscape_request import (
        Landscape,
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
    left = explained_words(shown)
    text = "\n\n".join(
        (_surface_words(shown, moment), _drawn_words(shown, moment), _warning(shown))
    )
    return LandscapeText(
        title=title, left=left, text=text, summary=". ".join((title, left, text))
    )


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


def _surface_words(shown: "Landscape", moment: "Moment") -> str:
    asked = shown.asked
    if asked.surface == "adapted":
        return (
            "Colour: mean query loss of {} after K = {} from each point, the surface "
            "that the outer loop descends."
        ).format(
            number_of(shown.num_averaged, "held-out task"), asked.config.num_inner_steps
        )
    (name,) = names_of(moment.history.held_out_tasks, asked.tasks[:1])
    return f"Colour: {loss_name(asked)} of {name} at each point."


def _drawn_words(shown: "Landscape", moment: "Moment") -> str:
    asked = shown.asked
    trained = asked.config.num_inner_steps
    names = ", ".join(names_of(moment.history.held_out_tasks, asked.tasks))
    step = min(moment.inner_step, asked.num_inner_steps)
    words = (
        f"Arrows: inner steps 0 … {asked.num_inner_steps} of {names} "
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
