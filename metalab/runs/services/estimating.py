"""Hypergradient estimators compared beside a run, row by row."""

import threading

from metalab.analysis.comparison import Comparison, EstimatingRequest
from metalab.runs.services.service import LatestRequestService, Stale


class EstimatingThread(LatestRequestService[EstimatingRequest, Comparison]):
    """Compares estimators; what is known so far can be had at any time."""

    def __init__(self) -> None:
        """Make one without a thread; the first request starts it."""
        self._lock = threading.Lock()
        self._newest: EstimatingRequest | None = None
        self._known: Comparison | None = None
        self._doing = ""
        super().__init__(self._compare, name="estimators")

    def request(self, request: EstimatingRequest) -> None:
        """Ask for a comparison; what was known of another request is forgotten."""
        with self._lock:
            self._newest, self._known, self._doing = request, None, ""
        super().request(request)

    def progress(self) -> tuple[Comparison | None, str]:
        """Return what is known of the newest request, and what is being measured."""
        with self._lock:
            return self._known, self._doing

    def _compare(self, request: EstimatingRequest, stale: Stale) -> Comparison | None:
        from metalab.analysis.estimator_pieces import comparison_steps  # noqa: PLC0415 - torch

        def tell(text: str) -> None:
            if stale():
                raise _StaleError
            with self._lock:
                # It may have been replaced since.
                if request is self._newest:
                    self._doing = text

        known: Comparison | None = None
        try:
            for known in comparison_steps(request, tell):
                with self._lock:
                    if request is self._newest:
                        self._known = known
        except _StaleError:
            return None
        return known


class _StaleError(Exception):
    """The request has been replaced: the rest is not measured."""
