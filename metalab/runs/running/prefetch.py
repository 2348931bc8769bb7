"""A thread that draws the tasks that a run needs next."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from metalab.core.tasks import TaskBatch
from metalab.engine.torch_threads import use_threads


class ThreadTeam:
    """A run's own threads; they live until `close`."""

    def __init__(self, num_threads: int) -> None:
        """Keep `num_threads` - 1 threads beside the caller's."""
        self._pool = ThreadPoolExecutor(
            max(num_threads - 1, 1), thread_name_prefix="team"
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


class Prefetcher:
    """Draws tasks while compiled kernels train on those before them.

    Not so much for the time that drawing takes, some 3 % of a run's: it asks for the
    interpreter again and again, which a window that paints keeps for milliseconds. Here
    nobody waits for that.
    """

    def __init__(self) -> None:
        """Make one whose thread starts with the first work."""
        self._pool = ThreadPoolExecutor(
            1, thread_name_prefix="ahead", initializer=use_threads, initargs=(1,)
        )

    def __call__(self, draw: Callable[[], TaskBatch]) -> Callable[[], TaskBatch]:
        """Begin to draw; what is returned waits for the tasks, or raises the error."""
        return self._pool.submit(draw).result

    def close(self) -> None:
        """End the thread; what has not begun is not drawn."""
        self._pool.shutdown(cancel_futures=True)
