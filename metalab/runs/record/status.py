"""Status of a run."""

from enum import Enum


class RunStatus(Enum):
    """Lifecycle of a run.

    STARTING (<-> COMPILING) -> RUNNING <-> PAUSED
    -> FINISHED | STOPPED | DIVERGED | FAILED

    A run that is to wait goes from STARTING to PAUSED; any may be stopped or fail.
    """

    STARTING = "starting"
    COMPILING = "compiling"
    """Kernels are compiled, once on this machine."""

    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"
    DIVERGED = "diverged"
    """Stopped at the last good state, because a number exploded after it."""

    FAILED = "failed"

    @property
    def ended(self) -> bool:
        """Whether the run's thread has nothing left to do."""
        return self in _ENDS


_ENDS = frozenset(
    {RunStatus.FINISHED, RunStatus.STOPPED, RunStatus.DIVERGED, RunStatus.FAILED}
)
