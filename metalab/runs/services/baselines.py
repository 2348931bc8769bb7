"""A run compared with baselines beside the window, method by method."""

from dataclasses import dataclass, replace

from metalab.analysis.rivals import (
    NUM_METHODS,
    BaselineComparison,
    BaselinesRequest,
    Doing,
)
from metalab.runs.services.service import LatestRequestService, Notify, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselinesProgress:
    """Part of a comparison that is done.

    Attributes:
        known: What has been measured.
        doing: What is done now.
    """

    known: BaselineComparison
    doing: Doing

    @property
    def share(self) -> float:
        """Share of it all that is done, from 0 to 1, roughly."""
        return (len(self.known.rows) + self.doing.share) / NUM_METHODS


class BaselinesService(
    LatestRequestService[BaselinesRequest, BaselineComparison, BaselinesProgress]
):
    """Trains and measures the rivals of a run; rows can be had as they come."""

    def __init__(self, notify: Notify) -> None:
        """Make one without a thread; the first request starts it."""
        super().__init__(_compare, name="baselines", notify=notify)


def _compare(
    request: BaselinesRequest, work: Work[BaselinesProgress]
) -> BaselineComparison | None:
    from metalab.analysis.baselines import compare_with_baselines  # noqa: PLC0415 - torch
    from metalab.engine.events import Checkpoint  # noqa: PLC0415 - with it

    known = BaselineComparison(request=request)

    def tell(doing: Doing) -> None:
        if work.stale():
            raise _StaleError
        work.tell(BaselinesProgress(known=known, doing=doing))

    rows = compare_with_baselines(
        request.config,
        # Only a run that goes on has a use for the optimiser's state.
        Checkpoint(step=request.step, phi=request.phi, slots=()),
        num_inner_steps=request.config.num_shown_steps,
        tell=tell,
    )
    try:
        for row in rows:
            known = replace(known, rows=(*known.rows, row))
    except _StaleError:
        return None
    return replace(known, done=True)


class _StaleError(Exception):
    """The request has been replaced or cancelled: the rest is not measured."""
