"""Compiling every kernel, or loading it from disk, by calling it once."""

import numpy as np
import torch

from metalab.core.fused.oracle import FusedOracle
from metalab.core.fused.plan import Counts
from metalab.core.fused.run import Data, FusedRun
from metalab.core.fused.view import FusedView
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.learner import METRIC_NAMES, MetaLearner
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.mlp import MLP
from metalab.core.objective import OuterObjective
from metalab.core.oracle import BilevelProblem
from metalab.core.outer import Adam
from metalab.core.tasks import Samples, TaskBatch


def warm(dtype: torch.dtype) -> None:
    """Make the kernels of one precision ready; half a minute where nothing is kept."""
    model = MLP(input_dim=1, output_dim=1, hidden_sizes=(8, 8))
    learner = MetaLearner(
        problem=BilevelProblem(model=model, meta=Initialisation()),
        inner=GradientDescent(),
        hypergradient=Unrolled(),
        outer=Adam(),
        num_steps=1,
        objective=OuterObjective(),
        fused=True,
    )
    points = Samples(
        x=torch.ones(1, 2, 1, dtype=dtype), y=torch.ones(1, 2, 1, dtype=dtype)
    )
    batch = TaskBatch(
        parameters=torch.ones(1, 1, dtype=dtype), support=points, query=points
    )
    state = learner.initial_state(
        generator=torch.Generator().manual_seed(0),
        dtype=dtype,
        device=torch.device("cpu"),
    )
    run = FusedRun(learner, state, Counts(num_tasks=1, num_shots=2, num_queries=2))
    view = FusedView(learner, batch, points.x, num_steps=1)
    view(state.phi)
    run.advance(Data.of(batch), 0, 1, np.full(len(METRIC_NAMES), np.inf))
    oracle = FusedOracle(learner.problem, state.phi, batch)
    theta = oracle.start()
    oracle.linearise(theta, curvature=True).hvp(theta)
    oracle.query_loss(theta)
