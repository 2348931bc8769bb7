"""A thread of its own that answers the newest request; earlier ones are forgotten."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

R = TypeVar("R")
A = TypeVar("A")

Stale = Callable[[], bool]
"""Whether the request that is being answered has been replaced or cancelled."""


class LatestRequestService(Generic[R, A]):
    """Work beside a run that shares nothing with it, and of which only the newest counts.

    A thread of its own, not the run's: that is busy for up to 15 ms at a time, and is
    gone once the run has ended.

    Thread: all of it belongs to one thread, the window's; `compute` is called in another.
    """

    def __init__(self, compute: Callable[[R, Stale], A | None], *, name: str) -> None:
        """Make one without a thread; the first request starts it.

        Args:
            compute: Answers a request; long work asks now and then whether it is stale,
                and then returns None.
            name: Of the thread, for whoever looks at a process.
        """
        self._compute = compute
        self._name = name
        self._changed = threading.Condition()
        self._request: R | None = None
        self._answering: R | None = None
        self._answer: A | Exception | None = None
        self._closing = False
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come, or to be taken."""
        with self._changed:
            return not self._is_idle() or self._answer is not None

    def request(self, request: R) -> None:
        """Ask for an answer, in the place of what was asked before; returns at once."""
        assert not self._closing, "the thread has ended"
        with self._changed:
            self._request = request
            self._changed.notify_all()
        if self._thread is None:
            # Not a daemon: `close` sees to its end.
            self._thread = threading.Thread(
                target=self._run, name=self._name, daemon=False
            )
            self._thread.start()

    def take(self, timeout: float = 0.0) -> A | None:
        """Return the newest answer there is, once.

        Args:
            timeout: How long to wait for the answer to the newest request, in seconds.

        Raises:
            Exception: Why there is no answer.
        """
        with self._changed:
            self._changed.wait_for(self._is_idle, timeout)
            answer, self._answer = self._answer, None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def cancel(self) -> None:
        """Forget what was asked, and any answer to it."""
        with self._changed:
            self._request = self._answering = self._answer = None

    def close(self, timeout: float | None = None) -> bool:
        """End the thread after what it computes just now; return whether it has."""
        self.cancel()
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _is_idle(self) -> bool:
        return self._request is None and self._answering is None

    def _run(self) -> None:
        # Imported here: the window makes these before torch is there.
        from metalab.engine.torch_threads import use_threads  # noqa: PLC0415

        use_threads(1)
        while (request := self._next()) is not None:
            try:
                answer = self._compute(request, self._is_stale)
            except Exception as error:  # noqa: BLE001 - raised again by `take`
                self._finish(request, error)
            else:
                self._finish(request, answer)

    def _is_stale(self) -> bool:
        with self._changed:
            return self._request is not None or self._answering is None

    def _next(self) -> R | None:
        """Wait for a request and return it; return None when closing."""
        with self._changed:
            self._changed.wait_for(self._has_work)
            if self._closing:
                return None
            self._answering, self._request = self._request, None
            return self._answering

    def _has_work(self) -> bool:
        return self._closing or self._request is not None

    def _finish(self, request: R, answer: A | Exception | None) -> None:
        with self._changed:
            # It is another one, or none, if this one was cancelled.
            if self._answering is request:
                self._answering = None
                self._answer = answer
                self._changed.notify_all()
