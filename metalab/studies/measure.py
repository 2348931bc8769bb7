"""From finished runs to the numbers of a study."""

from collections.abc import Mapping

import numpy as np

from metalab.analysis.evaluate import evaluate_fresh
from metalab.analysis.step_size import at_inner_lr
from metalab.core.tasks import QueryKind
from metalab.engine.statistics import rising
from metalab.runs.record.reader import StoredRun, open_run
from metalab.studies.base import Method, Protocol
from metalab.studies.plan import StudyPlan
from metalab.studies.series import Key, Results, Series, pooled


def measure(plan: StudyPlan, methods: tuple[Method, ...]) -> Results:
    """Evaluate the runs of some methods, and what needs no run.

    Fresh tasks depend on the seed of the run alone, so methods are compared on the same
    tasks, and tasks of different seeds are independent.

    Raises:
        RunFileError: A run file cannot be used.
    """
    return pooled([_of_seed(plan, methods, seed) for seed in plan.seeds])


def _of_seed(
    plan: StudyPlan, methods: tuple[Method, ...], seed: int
) -> Mapping[Key, Series]:
    found = dict(plan.study.measure(seed))
    for method in methods:
        path = plan.run(method, seed).path
        run = open_run(path)
        for protocol in method.protocols:
            found[method.name, protocol.name] = _evaluated(run, protocol, seed)
    return found


def _evaluated(run: StoredRun, protocol: Protocol, seed: int) -> Series:
    newest = run.newest_state()
    found = evaluate_fresh(
        at_inner_lr(run.history.config_at(newest.step), protocol.inner_lr),
        newest,
        num_tasks=protocol.num_tasks,
        num_shots=protocol.num_shots,
        num_queries=protocol.num_queries,
        num_inner_steps=protocol.num_inner_steps,
        query=QueryKind(inputs=protocol.query_inputs, targets=protocol.query_targets),
        seed=seed,
    )
    losses = found.query_loss
    steps = np.arange(losses.shape[1], dtype=np.float64)
    return Series(
        points=steps,
        x=steps,
        values=(losses,),
        num_rising=(rising(found.support_loss).sum(axis=0),),
    )
