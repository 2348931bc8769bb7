"""Compiling every kernel, or loading it from disk, by calling it once."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

import numpy as np
import torch
from numba.core import event

from metalab.core.fused.availability import ANSWERS, PARTS, STEPS
from metalab.core.fused.kernels.linking import entries_only
from metalab.core.fused.oracle import FusedOracle
from metalab.core.fused.plan import Counts
from metalab.core.fused.run import Data, FusedRun
from metalab.core.fused.view import FusedView
from metalab.core.hypergradient.unrolled import Unrolled
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.learner import METRIC_NAMES, MetaLearner, MetaState
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.mlp import MLP
from metalab.core.objective import OuterObjective
from metalab.core.oracle import BilevelProblem
from metalab.core.outer import Adam
from metalab.core.tasks import Samples, TaskBatch


def warm(
    dtype: torch.dtype,
    parts: tuple[str, ...] = PARTS,
    *,
    tell: Callable[[str], None] = lambda _name: None,
) -> None:
    """Make the kernels of one precision ready; ten seconds where nothing is kept.

    Args:
        dtype: The precision.
        parts: Of `STEPS` and `ANSWERS`.
        tell: Given the name of each function that has been compiled.
    """
    learner = MetaLearner(
        problem=BilevelProblem(
            model=MLP(input_dim=1, output_dim=1, hidden_sizes=(8, 8)),
            meta=Initialisation(),
        ),
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
    with entries_only(), _telling(tell):
        if STEPS in parts:
            _make_steps(learner, state, batch)
        if ANSWERS in parts:
            _ask(learner, state.phi, batch)


def _make_steps(learner: MetaLearner, state: MetaState, batch: TaskBatch) -> None:
    run = FusedRun(learner, state, Counts(num_tasks=1, num_shots=2, num_queries=2))
    run.advance(Data.of(batch), 0, 1, np.full(len(METRIC_NAMES), np.inf))


def _ask(learner: MetaLearner, phi: torch.Tensor, batch: TaskBatch) -> None:
    FusedView(learner, batch, batch.support.x, num_steps=1)(phi)
    oracle = FusedOracle(learner.problem, phi, batch)
    theta = oracle.start()
    oracle.linearise(theta, curvature=True).hvp(theta)
    oracle.query_loss(theta)


class _Listener(event.Listener):
    """Tells of functions as they are compiled; what is loaded is not."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell

    def on_start(self, event: event.Event) -> None:
        """Do nothing."""

    def on_end(self, event: event.Event) -> None:
        assert event.data is not None, "numba says what it has compiled"
        self._tell(event.data["dispatcher"].py_func.__name__)


@contextmanager
def _telling(tell: Callable[[str], None]) -> Generator[None]:
    with event.install_listener("numba:compile", _Listener(tell)):
        yield
