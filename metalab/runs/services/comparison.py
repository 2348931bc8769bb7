"""Hypergradient estimators compared beside a run, row by row."""

from dataclasses import dataclass

from metalab.analysis.comparison import Comparison, ComparisonRequest
from metalab.runs.services.service import LatestRequestService, Notify, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonProgress:
    """Part of a comparison that is done.

    Attributes:
        known: What has been measured; None before the first piece.
        doing: What is being measured, in words; "" before that is known.
    """

    known: Comparison | None = None
    doing: str = ""


class ComparisonService(
    LatestRequestService[ComparisonRequest, Comparison, ComparisonProgress]
):
    """Compares estimators; what is known so far can be had at any time."""

    def __init__(self, notify: Notify) -> None:
        """Make one without a thread; the first request starts it."""
        super().__init__(_compare, name="estimators", notify=notify)


def _compare(
    request: ComparisonRequest, work: Work[ComparisonProgress]
) -> Comparison | None:
    from metalab.analysis.comparison_steps import comparison_steps  # noqa: PLC0415 - torch

    known: Comparison | None = None
    doing = ""

    def tell(text: str) -> None:
        nonlocal doing
        if work.stale():
            raise _StaleError
        doing = text
        work.tell(ComparisonProgress(known=known, doing=doing))

    try:
        for known in comparison_steps(request, tell):
            work.tell(ComparisonProgress(known=known, doing=doing))
    except _StaleError:
        return None
    return known


class _StaleError(Exception):
    """The request has been replaced: the rest is not measured."""
