"""Threads that compute the parts of a meta-batch at the same time."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor


class Crew:
    """A run's own threads; they live until `close`."""

    def __init__(self, num_threads: int) -> None:
        """Keep `num_threads` - 1 threads beside the caller's."""
        self._pool = ThreadPoolExecutor(
            max(num_threads - 1, 1), thread_name_prefix="crew"
        )

    def __call__(self, jobs: Sequence[Callable[[], None]]) -> None:
        """Do all jobs at the same time; there are at most as many as threads.

        The first is done by the caller. The jobs wait for each other, so that none may
        be left in a queue.
        """
        others = [self._pool.submit(job) for job in jobs[1:]]
        jobs[0]()
        for other in others:
            other.result()

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()
