"""The way from a thread that has something new to the window's thread."""

import threading
from collections.abc import Callable
from typing import Protocol, TypeVar
from weakref import WeakMethod

from PySide6.QtCore import QCoreApplication, QObject, Qt, Signal


class Service(Protocol):
    """Owner of a thread, such as a `LatestRequestService`."""

    def close(self) -> None:
        """Have the thread end; returns at once, and nobody is told of anything more."""

    def join(self) -> bool:
        """Wait for the end of the thread."""
        ...


S = TypeVar("S", bound=Service)


class _Poster(QObject):
    """Lives in the window's thread; what is posted in another is delivered there."""

    posted = Signal()

    def __init__(self, deliver: Callable[[], None]) -> None:
        super().__init__()
        self._deliver = deliver
        self.posted.connect(self._on_posted, Qt.ConnectionType.QueuedConnection)

    def _on_posted(self) -> None:
        self._deliver()


class ThreadSignal:
    """Emitted in any thread, received in the window's, at its next turn.

    However often it is emitted until then, there is one event and one call. It is no
    `QObject` itself: threads hold it, and the last of them must not destroy one.
    """

    def __init__(self, owner: QObject, slot: Callable[[], None]) -> None:
        """Make one, in the window's thread.

        Args:
            owner: When Qt destroys it, the signal is closed.
            slot: A method, called in the window's thread after the signal was emitted.
        """
        # Weakly: a thread that holds the signal must not keep a page alive.
        self._slot = WeakMethod(slot)
        self._lock = threading.Lock()
        self._emitted = False
        self._services: list[Service] = []
        self._poster: _Poster | None = _Poster(self._deliver)
        owner.destroyed.connect(self.close)

    def emit(self) -> None:
        """Have `slot` called soon; returns at once.

        Thread: any.
        """
        # Within the lock: the poster is not destroyed while it posts.
        with self._lock:
            if self._poster is not None and not self._emitted:
                self._emitted = True
                self._poster.posted.emit()

    def add_service(self, make: Callable[[Callable[[], None]], S]) -> S:
        """Return a service that emits this signal, and is closed with it.

        Args:
            make: Makes the service, given what it calls when it has something new.
        """
        service = make(self.emit)
        self._services.append(service)
        return service

    def close(self) -> None:
        """Close its services, and let nothing be received of them; returns at once.

        Not even what was emitted already is received. Calling it again does nothing.
        """
        for service in self._services:
            service.close()
        with self._lock:
            poster, self._poster = self._poster, None
        app = QCoreApplication.instance()
        if poster is not None and app is not None:
            # Not at once: it may be delivering just now.
            poster.setParent(app)
            poster.deleteLater()

    def join(self) -> None:
        """Wait for the threads of its services, after `close`: no window is there."""
        for service in self._services:
            service.join()

    def _deliver(self) -> None:
        with self._lock:
            closed, self._emitted = self._poster is None, False
        slot = self._slot()
        if slot is not None and not closed:
            slot()
