"""Histories made by hand: every shape that a view may meet."""

from dataclasses import fields, replace
from functools import cache
from typing import Any

import numpy as np

from metalab.engine.diagnostics import DIAGNOSTICS, LAYER_PREFIX, STABILITY
from metalab.engine.events import (
    METRICS,
    Array,
    Curves,
    Evaluation,
    HeldOutTasks,
    Points,
)
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.config_history import ConfigHistory
from metalab.experiment.fields import with_overrides
from metalab.runs.record.history import (
    DiagnosticSeries,
    EvaluationSeries,
    RunHistory,
    evaluation_row,
    row_width,
)
from metalab.runs.record.status import RunStatus

NUM_TASKS, NUM_GALLERY, NUM_QUERIES, NUM_POINTS = 20, 16, 30, 40


def make_config(
    *changes: tuple[str, Any], k: int = 1, last: int = 10
) -> ExperimentConfig:
    return with_overrides(
        preset_config("maml-sine"),
        [
            ("inner.num_inner_steps", str(k)),
            ("evaluation.num_inner_steps", str(last)),
            *changes,
        ],
    )


def make_tasks(config: ExperimentConfig, seed: int = 0) -> HeldOutTasks:
    rng = np.random.default_rng(seed)
    amplitude = rng.uniform(0.1, 5, NUM_TASKS)
    phase = rng.uniform(0, np.pi, NUM_TASKS)
    grid = np.linspace(-5, 5, NUM_POINTS, dtype=np.float32)

    def target(x: np.ndarray) -> np.ndarray:
        return amplitude[:, None] * np.sin(x - phase[:, None])

    support_x = rng.uniform(-5, 5, (NUM_TASKS, 10))
    query_x = rng.uniform(-5, 5, (NUM_TASKS, NUM_QUERIES))
    return HeldOutTasks(
        parameter_names=("amplitude", "phase"),
        parameters=np.stack([amplitude, phase], axis=1),
        support=Points(x=support_x[..., None], y=target(support_x)[..., None]),
        query=Points(x=query_x[..., None], y=target(query_x)[..., None]),
        grid=grid,
        true_curves=target(grid)[:NUM_GALLERY].astype(np.float32),
        num_inner_steps=config.num_inner_steps,
    )


def make_curves(config: ExperimentConfig, step: int = 100) -> Curves:
    rng = np.random.default_rng(step)
    num_points = 1 + config.num_shown_steps
    shape = (NUM_GALLERY, num_points)
    falling = np.exp(-np.arange(num_points) / 3)
    query = falling * rng.uniform(0.5, 4, (NUM_GALLERY, 1))
    return Curves(
        step=step,
        # As a float32 run gives them.
        curves=rng.normal(size=(*shape, NUM_POINTS)).astype(np.float32),
        support_loss=0.5 * query,
        query_loss=query,
        phi=rng.normal(size=8).astype(np.float32),
    )


def banded(config: ExperimentConfig) -> Curves:
    """Return curves with a predictive deviation, wide before adaptation."""
    curves = make_curves(config)
    deviation = np.full_like(curves.curves, 0.25)
    deviation[:, 0] = 3.0
    return replace(curves, deviation=deviation)


def with_diagnostics(history: RunHistory, count: int, every: int = 50) -> RunHistory:
    """Return a run that measured diagnostics so often; the first were at step 0."""
    config = with_overrides(history.config_at(), [("diagnostics.every", every)])
    names = [info.name for info in DIAGNOSTICS]
    names += [f"{LAYER_PREFIX}{layer}" for layer in (1, 2)]
    rng = np.random.default_rng(3)
    table = rng.uniform(size=(count, len(names)))
    series = DiagnosticSeries(
        steps=float(every) * np.arange(count),
        values={name: table[:, i] for i, name in enumerate(names)},
    )
    return replace(history, configs=ConfigHistory(config), diagnostics=series)


def with_stability(history: RunHistory, **values: float) -> RunHistory:
    """Return a run whose stability was measured at each evaluation, last as given."""
    steps = history.evaluations.steps
    table = {info.name: np.zeros(len(steps)) for info in STABILITY}
    for name, value in values.items():
        table[name][-1] = value
    return replace(history, diagnostics=DiagnosticSeries(steps=steps, values=table))


def make_evaluations(config: ExperimentConfig, count: int) -> EvaluationSeries:
    return EvaluationSeries.from_rows(
        _evaluation_rows(1 + config.num_shown_steps, count).copy()
    )


@cache
def _evaluation_rows(num_points: int, count: int) -> Array:
    rng = np.random.default_rng(2)
    tasks = rng.uniform(0.1, 4, (count, NUM_TASKS, num_points))
    rows = [
        evaluation_row(Evaluation(step=100 * i, support_loss=0.5 * q, query_loss=q))
        for i, q in enumerate(np.sort(tasks, axis=2)[:, :, ::-1])
    ]
    return np.array(rows).reshape(count, row_width(num_points))


_CONFIGS: dict[int, tuple[ExperimentConfig, ConfigHistory]] = {}


def configs_of(config: ExperimentConfig) -> ConfigHistory:
    """Return the same for the same object: histories of it are of one run."""
    return _CONFIGS.setdefault(id(config), (config, ConfigHistory(config)))[1]


def make_history(
    num_rows: int = 300,
    *,
    config: ExperimentConfig | None = None,
    num_evaluations: int | None = None,
    status: RunStatus = RunStatus.RUNNING,
    probed: bool = True,
    **changes: Any,
) -> RunHistory:
    """Return a run with falling, noisy losses."""
    config = make_config() if config is None else config
    rng = np.random.default_rng(1)
    # Columns of one table, as a live run has them.
    table = np.empty((num_rows, 2 + len(METRICS)))
    table[:, 0] = np.arange(1, num_rows + 1)
    table[:, 1] = 0.002 * table[:, 0]
    noise = rng.lognormal(sigma=0.3, size=(num_rows, len(METRICS)))
    table[:, 2:] = noise * (0.3 + 3 * np.exp(-table[:, :1] / 100))
    if num_evaluations is None:
        num_evaluations = 1 + num_rows // 100
    history = RunHistory(
        configs=configs_of(config),
        path=None,
        status=status,
        device="cpu",
        step=num_rows,
        steps=table[:, 0],
        seconds=table[:, 1],
        metrics={info.name: table[:, 2 + i] for i, info in enumerate(METRICS)},
        evaluations=make_evaluations(config, num_evaluations),
        held_out_tasks=make_tasks(config) if probed else None,
        curves=make_curves(config) if probed else None,
        diverged=None,
        failure=None,
        stored_step=0,
    )
    return replace(history, **changes)


def cut(history: RunHistory, num_rows: int) -> RunHistory:
    """Return a run as it was after its first rows."""
    num_evaluations = int(
        np.searchsorted(history.evaluations.steps, num_rows, side="right")
    )
    evaluations = history.evaluations
    return replace(
        history,
        step=num_rows,
        steps=history.steps[:num_rows],
        seconds=history.seconds[:num_rows],
        metrics={name: y[:num_rows] for name, y in history.metrics.items()},
        evaluations=EvaluationSeries(
            **{
                entry.name: getattr(evaluations, entry.name)[:num_evaluations]
                for entry in fields(evaluations)
            }
        ),
    )


def with_gaps(history: RunHistory, value: float) -> RunHistory:
    """Return a run in which every kind of number is NaN or infinite here and there."""
    metrics = {name: y.copy() for name, y in history.metrics.items()}
    for y in metrics.values():
        y[::3] = value
    assert history.curves is not None
    curves = replace(
        history.curves,
        curves=history.curves.curves.copy(),
        query_loss=history.curves.query_loss.copy(),
        support_loss=history.curves.support_loss.copy(),
    )
    curves.curves[::2, 1:] = value
    curves.query_loss[::2, 1:] = value
    curves.support_loss[::2, 1:] = value
    evaluations = EvaluationSeries.from_rows(history.evaluations.rows().copy())
    evaluations.query_mean[-1, 1:] = value
    evaluations.query_low[-1] = value
    evaluations.query_p10[::2] = value
    return replace(history, metrics=metrics, curves=curves, evaluations=evaluations)


def starting() -> RunHistory:
    """Return a run that has not drawn its tasks yet."""
    return make_history(
        0, num_evaluations=0, probed=False, status=RunStatus.STARTING, device=""
    )
