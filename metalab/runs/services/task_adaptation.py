"""Tasks of a person's own, adapted to beside a run."""

from typing import TYPE_CHECKING

from metalab.analysis.adapt_request import AdaptRequest, AdaptResult, Start
from metalab.runs.services.service import LatestRequestService, Notify, Work

if TYPE_CHECKING:
    from metalab.analysis.adaptation import TaskAdapter

_MOST_KEPT = 12


class TaskAdaptationService(
    LatestRequestService[AdaptRequest, tuple[AdaptResult, ...], None]
):
    """Answers the newest question, from all its starts at once."""

    def __init__(self, notify: Notify) -> None:
        """Make one without a thread; the first request starts it."""
        super().__init__(_Adapting(), name="task adaptation", notify=notify)


class _Adapting:
    """Keeps the methods that were asked for last, ready to adapt."""

    def __init__(self) -> None:
        self._kept: dict[object, tuple[object, TaskAdapter]] = {}

    def __call__(
        self, asked: AdaptRequest, work: Work[None]
    ) -> tuple[AdaptResult, ...] | None:
        """Answer a question; between two starts it may be given up."""
        answers: list[AdaptResult] = []
        for start in asked.starts:
            if answers and work.stale():
                return None
            adapter = self._adapter(start, asked.inner_lr)
            answers.append(adapter.adapt(start, asked))
        return tuple(answers)

    def _adapter(self, start: Start, inner_lr: float | None) -> "TaskAdapter":
        # Imported here: the window makes the service before torch is there.
        from metalab.analysis.adaptation import TaskAdapter  # noqa: PLC0415

        key = (id(start.config), inner_lr)
        kept = self._kept.get(key)
        if kept is None:
            adapter = TaskAdapter(start.config, inner_lr=inner_lr)
            # The configuration is kept too: its id must not become another's.
            kept = (start.config, adapter)
            while len(self._kept) >= _MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = kept
        return kept[1]
