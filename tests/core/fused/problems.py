"""The same outer steps on both providers."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from metalab.core.fused.plan import Counts
from metalab.core.fused.run import Data, FusedRun
from metalab.core.streams import RandomStreams
from metalab.core.tasks import Samples, sample_batch
from metalab.engine.build import DTYPES, build_family, build_learner

STREAMS = RandomStreams(0)
NO_LIMITS = np.full(7, 1e30)


@dataclass(frozen=True)
class Setup:
    """An experiment with sampled tasks for some outer steps."""

    learner: object
    state: object
    counts: Counts
    batch: object


def counts_of(config):
    return Counts(
        num_tasks=config.outer.num_tasks,
        num_shots=config.tasks.num_shots,
        num_queries=config.tasks.num_queries,
    )


def setup(config, num_steps, seed=0):
    counts, dtype = counts_of(config), DTYPES[config.run.precision]
    learner = build_learner(config)
    batch = sample_batch(
        build_family(config),
        counts.num_tasks * num_steps,
        num_shots=counts.num_shots,
        num_queries=counts.num_queries,
        generator=STREAMS.generator("tasks", seed),
        dtype=dtype,
    )
    state = learner.initial_state(
        generator=STREAMS.generator("initial", seed),
        dtype=dtype,
        device=torch.device("cpu"),
    )
    return Setup(learner, state, counts, batch)


def of_unequal_sizes(batch, seed=0):
    """Return the same tasks with some of their points taken away, at least one left.

    What fills up lies anywhere in a set, and would be noticed.
    """
    generator = torch.Generator().manual_seed(seed)
    return replace(
        batch,
        support=_with_gaps(batch.support, generator),
        query=_with_gaps(batch.query, generator),
    )


def _with_gaps(samples, generator):
    kept = torch.rand(samples.x.shape[:2], generator=generator) < 0.6
    kept[:, -1] |= ~kept.any(dim=1)
    mask = kept.to(samples.x.dtype)
    fill = 5.0 * (1 - mask[..., None])
    return Samples(x=samples.x + fill, y=samples.y + fill, mask=mask)


def fused_steps(made, num_steps, **options):
    """Return metrics and the state after steps on the kernels."""
    run = FusedRun(made.learner, made.state, made.counts, **options)
    outcome = run.advance(Data.of(made.batch), 0, num_steps, NO_LIMITS)
    assert not outcome.bad
    return outcome.metrics, run.state


def oracle_steps(made, num_steps):
    """Return metrics and the state after steps by `MetaLearner.step`."""
    state, rows, count = made.state, [], made.counts.num_tasks
    for i in range(num_steps):
        batch = made.batch.rows(i * count, (i + 1) * count)
        result = made.learner.step(state, batch, STREAMS)
        state = result.state
        asked = result.evaluations
        rows.append([*result.metrics.tolist(), asked.gradients, asked.products])
    return np.array(rows), state


def distance(a, b):
    """Return the length of a difference, relative to b; 0 if both are zero."""
    length = torch.linalg.vector_norm(b).clamp(min=1e-30)
    return float(torch.linalg.vector_norm(a - b) / length)
