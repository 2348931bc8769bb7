"""A run history of made-up numbers, without a run."""

from dataclasses import replace

import numpy as np

from metalab.engine.diagnostics import DIAGNOSTICS, LAYER_PREFIX
from metalab.engine.events import (
    METRICS,
    Curves,
    Evaluation,
    HeldOutTasks,
    Points,
    frozen,
)
from metalab.experiment.config import preset_config
from metalab.experiment.config_history import ConfigHistory
from metalab.experiment.fields import with_overrides
from metalab.runs.record.history import (
    DiagnosticSeries,
    EvaluationSeries,
    RunHistory,
    evaluation_row,
)
from metalab.runs.record.status import RunStatus

NUM_GALLERY = 16
NUM_TASKS = 20


def make_history(
    *changes: tuple[str, object],
    num_rows: int = 300,
    num_inner_steps: int = 2,
    num_shown_steps: int = 6,
    name: str = "maml-sine",
    seed: int = 0,
) -> RunHistory:
    """Return a history with falling losses, evaluations and curves."""
    rng = np.random.default_rng(seed)
    config = with_overrides(
        preset_config("maml-sine"),
        [
            ("name", name),
            ("inner.num_inner_steps", str(num_inner_steps)),
            ("evaluation.num_inner_steps", str(num_shown_steps)),
            ("evaluation.num_tasks", str(NUM_TASKS)),
            *changes,
        ],
    )
    steps = np.arange(1.0, num_rows + 1)
    fall = 0.3 + 4 * np.exp(-steps / 80)
    metrics = {
        info.name: frozen(fall * np.exp(0.2 * rng.normal(size=num_rows)))
        for info in METRICS
    }
    return RunHistory(
        configs=ConfigHistory(config),
        path=None,
        status=RunStatus.PAUSED,
        device="cpu",
        step=num_rows,
        steps=frozen(steps),
        seconds=frozen(steps / 512),
        metrics=metrics,
        evaluations=_evaluations(rng, num_rows, num_shown_steps),
        held_out_tasks=_tasks(rng, num_inner_steps),
        curves=_curves(rng, num_rows, num_shown_steps),
        diverged=None,
        failure=None,
        stored_step=0,
        diagnostics=_diagnostics(num_rows, seed),
    )


def without_rows(history: RunHistory) -> RunHistory:
    """Return the history of a run that has made no outer step."""
    return replace(
        history,
        step=0,
        steps=history.steps[:0],
        seconds=history.seconds[:0],
        metrics={name: values[:0] for name, values in history.metrics.items()},
    )


def without_evaluations(history: RunHistory) -> RunHistory:
    """Return the history of a run that was never evaluated."""
    rows = history.evaluations.rows()[:0]
    return replace(history, evaluations=EvaluationSeries.from_rows(rows))


def _diagnostics(num_rows: int, seed: int) -> DiagnosticSeries:
    # From a generator of its own, so that the other numbers stay as they are.
    rng = np.random.default_rng(7 + seed)
    steps = np.arange(0.0, num_rows + 1, 25)
    names = [info.name for info in DIAGNOSTICS]
    names += [f"{LAYER_PREFIX}{layer}" for layer in (1, 2, 3)]
    return DiagnosticSeries(
        steps=frozen(steps),
        values={name: frozen(rng.uniform(size=len(steps))) for name in names},
    )


def _evaluations(
    rng: np.random.Generator, num_rows: int, num_shown_steps: int
) -> EvaluationSeries:
    rows = []
    for step in sorted({0, 1, 10, *range(0, num_rows + 1, 50)}):
        inner = np.arange(num_shown_steps + 1)
        mean = 3 * np.exp(-0.4 * inner * min(1.0, step / 100)) + 0.1
        losses = mean * np.exp(0.3 * rng.normal(size=(NUM_TASKS, 1)))
        rows.append(
            evaluation_row(
                Evaluation(step=step, support_loss=0.7 * losses, query_loss=losses)
            )
        )
    return EvaluationSeries.from_rows(np.stack(rows))


def _tasks(rng: np.random.Generator, num_inner_steps: int) -> HeldOutTasks:
    amplitude = rng.uniform(0.1, 5, size=(NUM_TASKS, 1)).astype(np.float32)
    phase = rng.uniform(0, np.pi, size=(NUM_TASKS, 1)).astype(np.float32)
    grid = np.linspace(-5, 5, 50, dtype=np.float32)
    support = rng.uniform(-5, 5, size=(NUM_TASKS, 10)).astype(np.float32)
    query = rng.uniform(-5, 5, size=(NUM_TASKS, 30)).astype(np.float32)
    return HeldOutTasks(
        parameter_names=("amplitude", "phase"),
        parameters=np.concatenate([amplitude, phase], axis=1),
        support=_points(support, amplitude, phase),
        query=_points(query, amplitude, phase),
        grid=grid,
        true_curves=(amplitude * np.sin(grid + phase))[:NUM_GALLERY],
        num_inner_steps=num_inner_steps,
    )


def _points(x: np.ndarray, amplitude: np.ndarray, phase: np.ndarray) -> Points:
    return Points(x=x[..., None], y=(amplitude * np.sin(x + phase))[..., None])


def _curves(rng: np.random.Generator, step: int, num_shown_steps: int) -> Curves:
    grid = np.linspace(-5, 5, 50)
    inner = np.arange(num_shown_steps + 1)[:, None]
    amplitude = rng.uniform(0.1, 5, size=(NUM_GALLERY, 1, 1))
    curves = amplitude * np.sin(grid + 1) * (1 - np.exp(-0.5 * inner))
    losses = np.broadcast_to(np.exp(-inner[:, 0]), (NUM_GALLERY, num_shown_steps + 1))
    return Curves(
        step=step,
        curves=curves.astype(np.float32),
        support_loss=losses,
        query_loss=losses,
        phi=np.zeros(8, dtype=np.float32),
    )
