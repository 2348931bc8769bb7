"""What the Estimators workspace says below its plots."""

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from metalab.analysis.comparison import NUM_BATCHES, Comparison, EstimatingRequest
from metalab.core.hypergradient.target import Target
from metalab.ui.plot.ticks import number_text
from metalab.ui.session import engine_access as engine
from metalab.ui.session.engine_access import inner_lr

_MOST_LETTERS = 220
"""Two lines of the smallest window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is said.

    Attributes:
        line: As much of it as has room.
        whole: All of it, for the tip and for those who cannot see.
    """

    line: str
    whole: str


def line_of(shown: Comparison | None, *, doing: str, cancelled: bool) -> Words:
    """Return what is measured, what is shown, and what is missing.

    Args:
        shown: The newest rows there are.
        doing: What is being measured; "" for nothing.
        cancelled: Whether a person wanted no more.
    """
    texts = [_tr("Measuring {}").format(doing)] if doing else []
    if shown is not None:
        texts.append(
            _tr("{}, outer step {}, K = {}{}, {} against {}").format(
                engine.name(shown.request.config),
                f"{shown.request.step:,}",
                shown.request.num_inner_steps,
                _rate_words(shown.request),
                _batch_words(shown),
                _against_words(shown),
            )
        )
        if cancelled and not shown.done:
            texts.append(_tr("Cancelled before all K were measured"))
        indefinite = _not_definite(shown)
        if indefinite:
            texts.append(_tr("Not positive definite: {}").format(indefinite))
        left_out = "; ".join(f"{title}: {why}" for title, why in shown.left_out)
        if left_out:
            texts.append(_tr("Left out: {}").format(left_out))
    whole = ". ".join(texts)
    if len(whole) <= _MOST_LETTERS:
        return Words(line=whole, whole=whole)
    cut = whole[: _MOST_LETTERS - 1].rstrip()
    return Words(line=f"{cut}\N{HORIZONTAL ELLIPSIS}", whole=whole)


def _batch_words(shown: Comparison) -> str:
    """Return how much the means are over."""
    count = shown.rows[0].num_batches if shown.rows else NUM_BATCHES
    return _tr("{} meta-batches of {} tasks").format(count, shown.request.num_tasks)


def _against_words(shown: Comparison) -> str:
    """Return what estimates are compared with, and how well that is known."""
    if shown.request.against is Target.K_STEP:
        return _tr("the exact hypergradient of K inner steps")
    words = _tr("the hypergradient of the inner solution")
    if shown.solved is None:
        return words
    return _tr("{} ({:,} of {:,} inner problems solved)").format(words, *shown.solved)


def _rate_words(request: EstimatingRequest) -> str:
    """Return the inner lr that was used; "" where there is none."""
    own = inner_lr(request.config)
    used = own if request.inner_lr is None else request.inner_lr
    return "" if used is None else _tr(", inner lr {}").format(number_text(used))


def _not_definite(shown: Comparison) -> str:
    """Return the estimators that took what is no minimum for one, and how often."""
    return "; ".join(
        f"{row.title} {row.solves.not_positive_definite:,}/{row.solves.num_solves:,}"
        for row in shown.rows
        if row.num_inner_steps == shown.request.num_inner_steps
        and row.solves is not None
        and row.solves.not_positive_definite
    )


def _tr(text: str) -> str:
    return QCoreApplication.translate("estimators", text)
