"""The meta-parameters at any outer step, recomputed from the nearest state before it."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metalab.core.errors import UserError
from metalab.engine.events import Checkpoint, Curves, Diverged
from metalab.runs.services.service import LatestRequestService, Notify, Stale, Work

if TYPE_CHECKING:
    from metalab.analysis.gallery import Gallery
    from metalab.engine.trainer import Trainer
    from metalab.experiment.config_history import ConfigHistory
    from metalab.runs.record.history import RunHistory

STEPS_AT_ONCE = 64
"""Between two looks at whether somebody wants another step by now."""


class RewindError(UserError):
    """A step of a run that cannot be computed again."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RewindRequest:
    """Which state is wanted, and where to begin.

    Attributes:
        configs: The experiment at each outer step.
        provider: Who computed the run; who computes it again, for the same bits.
        state: A state before the wanted one.
        step: The outer step that is wanted.
    """

    configs: "ConfigHistory"
    provider: str
    state: Checkpoint
    step: int


def rewind_request(history: "RunHistory", step: int) -> RewindRequest | None:
    """Return what has to be computed to know a state, or None if nothing can be."""
    state = history.trail.at_or_before(step)
    if state is None or not history.provider:
        return None
    return RewindRequest(
        configs=history.configs,
        provider=history.provider,
        state=state,
        step=step,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReplayedState:
    """What was found at an outer step.

    Attributes:
        request: What was asked.
        state: The training state.
        curves: How the gallery's tasks adapt from it.
    """

    request: RewindRequest
    state: Checkpoint
    curves: Curves


class StateReplayer(LatestRequestService[RewindRequest, ReplayedState, None]):
    """Visits outer steps beside a run, which never knows."""

    def __init__(self, notify: Notify) -> None:
        """Make one without a thread; the first request starts it."""
        super().__init__(_Visiting(), name="state replayer", notify=notify)


class _Visiting:
    """Keeps the gallery of one experiment."""

    def __init__(self) -> None:
        self._gallery: Gallery | None = None
        self._of: tuple[object, ...] = ()

    def __call__(
        self, request: RewindRequest, work: Work[None]
    ) -> ReplayedState | None:
        """Answer a request; one that has to be computed may be given up."""
        # Imported here: the window makes a `StateReplayer` before torch is there.
        from metalab.analysis.gallery import Gallery  # noqa: PLC0415
        from metalab.engine.torch_threads import use_threads_of  # noqa: PLC0415

        use_threads_of(request.configs.at(request.step), request.provider)
        state = recomputed(request, work.stale)
        if state is None:
            return None
        of = (request.configs.at(state.step), request.provider)
        if self._gallery is None or self._of != of:
            config, provider = of
            self._gallery = Gallery(config, provider=provider)
            self._of = of
        return ReplayedState(
            request=request, state=state, curves=self._gallery.curves(state)
        )


def _go_on(trainer: "Trainer", event: Diverged) -> None:
    """Go on as the run did, or it would not have come to the step that is asked for."""
    if not math.isfinite(event.value):
        raise RewindError(
            f"outer step {event.step} cannot be computed: {event.message}"
        )
    trainer.accept_explosion()


def recomputed(
    request: RewindRequest, stale: Stale = lambda: False
) -> Checkpoint | None:
    """Return the state at an outer step, bit for bit that of the run.

    Args:
        request: Which.
        stale: Whether nobody wants it any more; then None is returned.

    Raises:
        RewindError: A number is not finite on the way there.
    """
    # Imported here: the window makes a `StateReplayer` before torch is there.
    from metalab.engine.shapes import state_shapes  # noqa: PLC0415
    from metalab.engine.trainer import Trainer  # noqa: PLC0415
    from metalab.runs.system.kernels import load_kept  # noqa: PLC0415

    if request.state.step == request.step:
        return request.state
    if request.provider == "fused":
        load_kept(request.configs.at(request.step).run.precision)
    # Snapshots of files before 0.4 lack the optimiser's state: only the seed leads on.
    found = request.state
    needed = state_shapes(request.configs.at(found.step))
    whole = len(needed) == 1 + len(found.slots)
    trainer = Trainer(
        request.configs,
        checkpoint=found if whole else None,
        provider=request.provider,
    )

    def pace() -> int:
        return max(1, min(STEPS_AT_ONCE, request.step - trainer.step))

    for event in trainer.run(pace):
        if isinstance(event, Diverged):
            _go_on(trainer, event)
        if trainer.step >= request.step:
            return trainer.checkpoint()
        if stale():
            return None
    return trainer.checkpoint()
