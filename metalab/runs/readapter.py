"""Adapting a task to moved points in the background, beside whatever run there is."""

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metalab.engine.events import Array
from metalab.engine.moved import MovedPoints, Readaptation

if TYPE_CHECKING:
    from metalab.engine.adaptation import TaskAdapter
    from metalab.engine.config import ExperimentConfig


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Request:
    """What to adapt, and from where.

    Attributes:
        config: The experiment.
        points: The task and its support set.
        phi: Meta-parameters, [meta].
        step: The outer step that they are from.
    """

    config: "ExperimentConfig"
    points: MovedPoints
    phi: Array
    step: int


class Readapter:
    """Answers the newest request; those that came before it are forgotten.

    A thread of its own, not the run's: that is busy for up to 15 ms at a time, and is
    gone once the run has ended. Nothing is shared with the run.

    Thread: all of it belongs to one thread, the window's.
    """

    def __init__(self) -> None:
        """Make one without a thread; the first request starts it."""
        self._changed = threading.Condition()
        self._request: Request | None = None
        self._answering: Request | None = None
        self._answer: Readaptation | Exception | None = None
        self._closing = False
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come, or to be taken."""
        with self._changed:
            return not self._is_idle() or self._answer is not None

    def request(self, request: Request) -> None:
        """Ask for an answer, in the place of what was asked before; returns at once."""
        assert not self._closing, "the thread has ended"
        with self._changed:
            self._request = request
            self._changed.notify_all()
        if self._thread is None:
            # Not a daemon: `close` sees to its end.
            self._thread = threading.Thread(
                target=self._run, name="readapter", daemon=False
            )
            self._thread.start()

    def take(self, timeout: float = 0.0) -> Readaptation | None:
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
        adapter: TaskAdapter | None = None
        config: ExperimentConfig | None = None
        while (request := self._next()) is not None:
            try:
                if adapter is None or request.config is not config:
                    adapter, config = _adapter_of(request.config), request.config
                answer = adapter.adapt(request.phi, request.points, step=request.step)
            except Exception as error:  # noqa: BLE001 - raised again by `take`
                self._finish(request, error)
            else:
                self._finish(request, answer)

    def _next(self) -> Request | None:
        """Wait for a request and return it; return None when closing."""
        with self._changed:
            self._changed.wait_for(self._has_work)
            if self._closing:
                return None
            self._answering, self._request = self._request, None
            return self._answering

    def _has_work(self) -> bool:
        return self._closing or self._request is not None

    def _finish(self, request: Request, answer: Readaptation | Exception) -> None:
        with self._changed:
            # It is another one, or none, if this one was cancelled.
            if self._answering is request:
                self._answering = None
                self._answer = answer
                self._changed.notify_all()


def _adapter_of(config: "ExperimentConfig") -> "TaskAdapter":
    # Imported here: the window makes a `Readapter` before torch is there.
    from metalab.engine.adaptation import TaskAdapter  # noqa: PLC0415
    from metalab.engine.providers import (  # noqa: PLC0415
        AUTODIFF,
        FUSED,
        chosen_provider,
    )
    from metalab.runs.kernels import load_kept  # noqa: PLC0415

    provider, _ = chosen_provider(config)
    # Nobody who drags a point waits for a compiler.
    if provider == FUSED and not load_kept(config.run.precision).ready:
        provider = AUTODIFF
    return TaskAdapter(config, provider=provider)
