"""Moment of a run: one outer step, one inner step, one task."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metalab.engine.events import Array
from metalab.runs.record.history import RunHistory
from metalab.runs.record.status import RunStatus

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moment:
    """A place in a run, with what workspaces need to compute from there.

    Attributes:
        history: The run as it is now, which may be further than the moment.
        shown: The run as it was known at `step`, with the gallery's curves of then; the
            run as it is now while `following`.
        step: The outer step that `phi` is from.
        phi: Meta-parameters at that step, [meta]; None before there are any.
        wanted_step: The outer step that was asked for; not `step` until its
            meta-parameters have been recomputed from the nearest snapshot.
        inner_step: 0 ... K', the emphasised inner step.
        task: The held-out task that is shown, counted from 0.
        following: Whether the moment is the newest one there is.
    """

    history: RunHistory
    shown: RunHistory
    step: int
    phi: Array | None
    wanted_step: int
    inner_step: int
    task: int
    following: bool

    @property
    def config(self) -> "ExperimentConfig":
        """The experiment that `phi` was made with."""
        return self.history.config_at(self.step)

    def is_of_run_of(self, other: "Moment | None") -> bool:
        """Return whether `other` is a moment of the same run."""
        return other is not None and self.history.is_same_run(other.history)

    @property
    def past(self) -> bool:
        """Whether the run has newer states than the one that is shown."""
        return not self.following and self.step < self.history.step

    @property
    def exact(self) -> bool:
        """Whether the meta-parameters are those of the step that was asked for."""
        return self.step == self.wanted_step

    @property
    def running(self) -> bool:
        """Whether the run makes steps just now, so that another moment comes soon."""
        return self.history.status is RunStatus.RUNNING
