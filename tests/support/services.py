"""A background service and somebody who waits for its answers, where there is no window."""

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from metalab.runs.services.service import LatestRequestService

S = TypeVar("S", bound=LatestRequestService[Any, Any, Any])


class Waited(Generic[S]):
    """Waits for answers; all else is the service's own."""

    def __init__(self, make: Callable[[Callable[[], None]], S]) -> None:
        self._news = threading.Event()
        self.service = make(self._news.set)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.service, name)

    def take(self, timeout: float = 0.0) -> Any:
        """Return the answer to the newest request, waiting so many seconds at most."""
        while True:
            self._news.clear()
            if self.service._is_idle() or not self._news.wait(timeout):
                return self.service.take()

    def close(self, timeout: float | None = None) -> bool:
        """End the thread; return whether it has ended."""
        self.service.close()
        return self.service.join(timeout)
