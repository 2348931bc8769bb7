"""One piece of work in a background thread: looked at until it is done, or told of."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class GiveUp:
    """Tells work in another thread that nobody wants its result any more.

    Thread: any.
    """

    def __init__(self) -> None:
        self._event = threading.Event()

    def __call__(self) -> bool:
        """Return whether to give up."""
        return self._event.is_set()

    def set(self) -> None:
        """Ask to give up; it stays asked."""
        self._event.set()


class BackgroundJob(Generic[T]):
    """Work that must not block whoever ordered it: reading a file, importing.

    Thread: made and asked by one thread; `work` runs in its own.
    """

    def __init__(
        self,
        work: Callable[[], T],
        *,
        name: str,
        notify: Callable[[], None] | None = None,
    ) -> None:
        """Prepare the work; `start` begins it.

        Args:
            work: What to do; it cannot be interrupted.
            name: Of the thread, for whoever looks at a process.
            notify: Called in the thread once `done`, to return at once; None for those
                who look now and then.
        """
        self._work = work
        self._notify = notify
        self._ended = threading.Event()
        self._values: list[T] = []
        self._error: Exception | None = None
        # Not a daemon: one that is importing when the interpreter ends takes it down.
        self._thread = threading.Thread(target=self._run, name=name, daemon=False)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether the work has ended, well or not."""
        return self._ended.is_set()

    def result(self) -> T:
        """Return what the work returned; raise what it raised.

        Raises:
            Exception: Whatever ended the work.
        """
        assert self.done, "the work has not ended"
        # No wait: nothing but the notice is left to the thread, if that.
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._values[0]

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the work; return whether it has ended."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._values.append(self._work())
        except Exception as error:  # noqa: BLE001 - raised again by `result`
            self._error = error
        self._ended.set()
        if self._notify is not None:
            self._notify()
