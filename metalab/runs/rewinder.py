"""The meta-parameters at any outer step, recomputed from the nearest state before it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metalab.engine.edit import Edit
from metalab.engine.events import Checkpoint
from metalab.runs.latest import Latest, Stale

if TYPE_CHECKING:
    from metalab.engine.config import ExperimentConfig
    from metalab.runs.history import RunHistory

STEPS_AT_ONCE = 64
"""Between two looks at whether somebody wants another step by now."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RewindRequest:
    """Which state is wanted, and where to begin.

    Attributes:
        config: The experiment.
        edits: What was changed while the run went on.
        provider: Who computed the run; who computes it again, for the same bits.
        state: A state before the wanted one.
        step: The outer step that is wanted.
    """

    config: "ExperimentConfig"
    edits: tuple[Edit, ...]
    provider: str
    state: Checkpoint
    step: int


def rewind_request(history: "RunHistory", step: int) -> RewindRequest | None:
    """Return what has to be computed to know a state, or None if nothing can be."""
    state = history.trail.at_or_before(step)
    if state is None or not history.provider:
        return None
    return RewindRequest(
        config=history.config,
        edits=history.edits,
        provider=history.provider,
        state=state,
        step=step,
    )


class Rewinder(Latest[RewindRequest, Checkpoint]):
    """Recomputes states beside a run, which never knows."""

    def __init__(self) -> None:
        """Make one without a thread; the first request starts it."""
        super().__init__(recomputed, name="rewinder")


def recomputed(
    request: RewindRequest, stale: Stale = lambda: False
) -> Checkpoint | None:
    """Return the state at an outer step, bit for bit that of the run.

    Args:
        request: Which.
        stale: Whether nobody wants it any more; then None is returned.
    """
    # Imported here: the window makes a `Rewinder` before torch is there.
    from metalab.engine.trainer import Trainer  # noqa: PLC0415
    from metalab.runs.kernels import load_kept  # noqa: PLC0415

    if request.state.step == request.step:
        return request.state
    if request.provider == "fused":
        load_kept(request.config.run.precision)
    trainer = Trainer(
        request.config,
        checkpoint=request.state,
        provider=request.provider,
        edits=request.edits,
    )

    def pace() -> int:
        return max(1, min(STEPS_AT_ONCE, request.step - trainer.step))

    for _ in trainer.run(pace):
        if trainer.step >= request.step:
            return trainer.checkpoint()
        if stale():
            return None
    return trainer.checkpoint()
