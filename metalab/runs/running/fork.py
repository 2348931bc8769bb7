"""A new run that begins where another one stood, by another method."""

from dataclasses import dataclass

import torch

from metalab.core.errors import UserError
from metalab.core.learner import MetaState
from metalab.core.streams import RandomStreams
from metalab.engine.build import DTYPES, build_learner
from metalab.engine.events import Array, Checkpoint
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import with_overrides
from metalab.experiment.naming import experiment_name
from metalab.runs.record.bookmarks import Bookmarks, until


class ForkError(UserError):
    """Two experiments of which one cannot begin where the other stood."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fork:
    """Where a run begins that is forked from another.

    Attributes:
        config: The experiment of the new run.
        state: Where it begins: outer step, meta-parameters, state of the optimiser.
        parent: Name of the run that it is forked from.
        bookmarks: The parent's, up to there.
    """

    config: ExperimentConfig
    state: Checkpoint
    parent: str
    bookmarks: Bookmarks = ()


def fork(
    config: ExperimentConfig,
    parent: ExperimentConfig,
    state: Checkpoint,
    *,
    bookmarks: Bookmarks = (),
) -> Fork:
    """Return a fork that begins at a training state of another run.

    The outer step is the parent's, so that tasks are drawn as they would have been
    there. What both learn begins at the parent's values; what the new method learns
    besides (learned rates, say) begins afresh. The optimiser goes on where it is the
    same; another one begins at rest.

    Args:
        config: The experiment of the new run; where its plan ends before the state, as
            many steps follow as it plans.
        parent: The experiment that the state is of.
        state: Where the parent stood.
        bookmarks: The parent's; those up to there are taken along.

    Raises:
        ForkError: The two networks, or what is learned of them, do not fit together.
    """
    if config.model != parent.model or config.run.precision != parent.run.precision:
        raise ForkError(
            f"a fork keeps the network and the precision of its parent: model is "
            f"{config.model}, run.precision {config.run.precision!r}; the parent has "
            f"{parent.model}, {parent.run.precision!r}"
        )
    mine, theirs = build_learner(config), build_learner(parent)
    shared = mine.problem.meta_dim
    if shared != theirs.problem.meta_dim:
        raise ForkError(
            f"meta learns {shared} numbers of the network and the parent "
            f"{theirs.problem.meta_dim}: the new run could not begin from them"
        )
    if config.outer.num_steps <= state.step:
        config = with_overrides(
            config, [("outer.num_steps", state.step + config.outer.num_steps)]
        )
    fresh = _fresh(config)
    phi = fresh.phi.numpy().copy()
    phi[:shared] = state.phi[:shared]
    slots, slots_from = state.slots, state.slots_from
    if mine.outer.name != theirs.outer.name or not _fit(slots, fresh.slots):
        slots, slots_from = tuple(slot.numpy() for slot in fresh.slots), state.step
    begun = Checkpoint(step=state.step, phi=phi, slots=slots, slots_from=slots_from)
    return Fork(
        config=config,
        state=begun,
        parent=experiment_name(parent),
        bookmarks=until(bookmarks, state.step),
    )


def _fit(slots: tuple[Array, ...], fresh: tuple[torch.Tensor, ...]) -> bool:
    shapes = [tuple(slot.shape) for slot in fresh]
    return [slot.shape for slot in slots] == shapes


def _fresh(config: ExperimentConfig) -> MetaState:
    """Return the state that the experiment itself would begin from."""
    streams = RandomStreams(config.run.seed)
    return build_learner(config).initial_state(
        generator=streams.generator("initial meta-parameters"),
        dtype=DTYPES[config.run.precision],
        device=torch.device("cpu"),
    )
