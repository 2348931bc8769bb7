"""A batch of runs in this process, one after another."""

import time
from collections.abc import Sequence

from metalab.runs.batch.batch import Outcome, PlannedRun, Watch, attempt
from metalab.runs.batch.run_queue import RETRIES, RunQueue
from metalab.runs.system.signals import stop_on_signals

_PAUSE_SECONDS = 0.05


class InTurn:
    """Carries out runs in the process that asks, one after another.

    Thread: any; it is blocked meanwhile. In the main thread a signal stops the batch.
    """

    def run(self, queue: RunQueue) -> None:
        """Carry out a queue until it is over."""
        with stop_on_signals(queue.stop):
            while not queue.over:
                index = queue.take()
                if index is None:
                    time.sleep(_PAUSE_SECONDS)
                    continue
                self._carry_out(queue, index)

    def _carry_out(self, queue: RunQueue, index: int) -> None:
        def tell(step: int) -> None:
            queue.stepped(index, step)

        def stopping() -> bool:
            return queue.stops(index)

        outcome = attempt(queue.planned(index), tell=tell, stopping=stopping)
        queue.ended(index, outcome)


def run_in_turn(
    planned: Sequence[PlannedRun], watch: Watch, *, retries: int = RETRIES
) -> list[Outcome]:
    """Carry out runs one after another in this process; a signal stops the batch.

    Returns:
        The outcomes, in order; a run that was stopped before it began stands at step 0.

    Thread: the main thread, for the signals.
    """
    queue = RunQueue(planned, watch, retries=retries)
    InTurn().run(queue)
    return queue.outcomes()
