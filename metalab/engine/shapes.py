"""Shapes of a run's arrays and columns, from its settings alone: a file must agree."""

from collections.abc import Mapping

import torch

from metalab.core.tasks import TaskFamily
from metalab.engine.build import build_learner, held_out_family
from metalab.engine.diagnostics import (
    DIAGNOSTICS,
    LAYER_PREFIX,
    SOLVE_DIAGNOSTICS,
    STABILITY,
)
from metalab.engine.events import NUM_GALLERY
from metalab.engine.held_out import NUM_GRID_POINTS
from metalab.experiment.config import ExperimentConfig

Shapes = Mapping[str, tuple[int, ...]]

SLOT_PREFIX = "slot"
"""Of the arrays of the outer optimiser's state; their number, from 0, follows."""


def state_shapes(config: ExperimentConfig) -> Shapes:
    """Return the shapes of a training state: "phi", "slot0", "slot1", ..."""
    learner = build_learner(config)
    problem = learner.problem
    dim = problem.meta_dim + learner.inner.meta_dim(problem.adapted)
    # Without memory: the optimiser alone knows what it keeps.
    phi = torch.empty(dim, device="meta")
    slots = learner.outer.init(phi)
    named = {f"{SLOT_PREFIX}{i}": tuple(slot.shape) for i, slot in enumerate(slots)}
    return {"phi": tuple(phi.shape), **named}


def held_out_shapes(config: ExperimentConfig) -> Shapes:
    """Return the shapes of the arrays of `events.HeldOutTasks`, as files name them."""
    shots, family = config.eval_shots, held_out_family(config)
    tasks = family.num_tasks(config.evaluation.num_tasks)
    queries = family.num_queries(config.evaluation.num_queries, shots)
    known = {"true_curves": (min(NUM_GALLERY, tasks), NUM_GRID_POINTS)}
    return {
        "parameters": (tasks, len(family.parameter_names)),
        "support_x": (tasks, shots, family.input_dim),
        "support_y": (tasks, shots, family.output_dim),
        "query_x": (tasks, queries, family.input_dim),
        "query_y": (tasks, queries, family.output_dim),
        "grid": (NUM_GRID_POINTS,),
        **(known if isinstance(family, TaskFamily) else {}),
    }


def evaluation_shapes(config: ExperimentConfig) -> Shapes:
    """Return the shapes of the losses of `events.Evaluation`."""
    tasks = held_out_family(config).num_tasks(config.evaluation.num_tasks)
    shape = (tasks, config.num_shown_steps + 1)
    return {"support_loss": shape, "query_loss": shape}


def diagnostic_names(config: ExperimentConfig) -> frozenset[str]:
    """Return the diagnostics that a run can have measured."""
    layers = {block.layer for block in build_learner(config).problem.adapted}
    distances = {f"{LAYER_PREFIX}{layer + 1}" for layer in layers}
    return frozenset(
        {info.name for info in (*DIAGNOSTICS, *SOLVE_DIAGNOSTICS, *STABILITY)}
        | distances
    )
