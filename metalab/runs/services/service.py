"""A thread of its own that answers the newest request; earlier ones are forgotten."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

R = TypeVar("R")
A = TypeVar("A")
P = TypeVar("P")

Notify = Callable[[], None]
"""Passes on that there is something new; called in a service's thread."""

Stale = Callable[[], bool]
"""Whether the request that is being answered has been replaced or cancelled."""


@dataclass(frozen=True, slots=True)
class Work(Generic[P]):
    """Callbacks that a service gives to whoever answers a request.

    Attributes:
        stale: Whether nobody wants the answer any more; long work asks now and then, and
            then returns None.
        tell: Takes what is known so far.
    """

    stale: Stale
    tell: Callable[[P], None]


class LatestRequestService(Generic[R, A, P]):
    """Work beside a run that shares nothing with it, and of which only the newest counts.

    A thread of its own, not the run's: that is busy for up to 15 ms at a time, and is
    gone once the run has ended. Its parameters are request, answer, and progress: what
    is known before the answer.

    Thread: all of it belongs to one thread, the window's; `compute` and `notify` are
    called in another. Nothing waits but `join`.
    """

    def __init__(
        self,
        compute: Callable[[R, Work[P]], A | None],
        *,
        name: str,
        notify: Notify,
    ) -> None:
        """Make one without a thread; the first request starts it.

        Args:
            compute: Answers a request.
            name: Of the thread, for whoever looks at a process.
            notify: Told that `progress` or `take` have something new. It must return at
                once, and is never called after `close` has returned.
        """
        self._compute = compute
        self._name = name
        self._notify = notify
        self._changed = threading.Condition()
        self._request: R | None = None
        self._answering: R | None = None
        self._progress: P | None = None
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
            self._progress = None
            self._changed.notify_all()
        if self._thread is None:
            # Not a daemon: `join` sees to its end, or else the interpreter.
            self._thread = threading.Thread(
                target=self._run, name=self._name, daemon=False
            )
            self._thread.start()

    def progress(self) -> P | None:
        """Return what has been told of the newest request; None if nothing."""
        with self._changed:
            return self._progress

    def take(self) -> A | None:
        """Return the newest answer there is, once; None if there is none.

        Raises:
            Exception: Why there is no answer.
        """
        with self._changed:
            answer, self._answer = self._answer, None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def cancel(self) -> None:
        """Forget what was asked, and any answer to it."""
        with self._changed:
            self._request = self._answering = self._answer = self._progress = None

    def close(self) -> None:
        """Have the thread end after what it computes just now; returns at once.

        Nobody is told of anything from here on.
        """
        self.cancel()
        with self._changed:
            self._closing = True
            self._notify = _tell_nobody
            self._changed.notify_all()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end of the thread; return whether it has ended.

        Args:
            timeout: How long to wait at most, in seconds; None for as long as it takes.
        """
        assert self._closing, "it does not end by itself"
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
        work = Work(stale=self._is_stale, tell=self._tell)
        while (request := self._next()) is not None:
            try:
                answer = self._compute(request, work)
            except Exception as error:  # noqa: BLE001 - raised again by `take`
                self._finish(error)
            else:
                self._finish(answer)

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

    def _tell(self, progress: P) -> None:
        with self._changed:
            if self._request is None and self._answering is not None:
                self._progress = progress
                # Within the lock: who closes the service can rely on silence then.
                self._notify()

    def _finish(self, answer: A | Exception | None) -> None:
        with self._changed:
            # None was being answered any more if it was cancelled. That of a request
            # which is only overtaken counts: whoever asks at every move of the pointer
            # would see nothing before it rests.
            wanted = self._answering is not None and answer is not None
            self._answering = None
            if wanted:
                self._answer = answer
                self._notify()


def _tell_nobody() -> None:
    """Take the place of who listened, once a service is closed."""
