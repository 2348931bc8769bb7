"""Honest rivals of a run: what simpler compositions reach on the very same tasks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from metalab.analysis.evaluate import FreshEvaluation, evaluate_fresh
from metalab.engine.events import Array, Checkpoint
from metalab.engine.statistics import mean_interval
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import validated, with_overrides

NUM_DRAWS = 20
"""Support sets of each task: the tasks are few, their points can be drawn again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A composition of metalab's parts that a method has to beat.

    Attributes:
        title: What people call it.
        preset: Whose model, parts and optimiser it has.
        steps: Outer steps.
        changes: Dotted paths and values that differ from the preset.
        inner_step: The inner step that is measured; None is the last.
    """

    title: str
    preset: str
    steps: int
    changes: tuple[tuple[str, Any], ...] = ()
    inner_step: int | None = None


POOLED = Baseline(
    title="Pooled curve: one network for all tasks, no adaptation",
    preset="maml-gapminder",
    changes=(("hypergradient", "joint"), ("inner.num_inner_steps", 1)),
    steps=3_000,
    inner_step=0,
)
LINE = Baseline(
    title="Least squares on the support set: a line",
    preset="least-squares-gapminder",
    steps=1,
)


def mixed_model(degree: int) -> Baseline:
    """Return a mixed model: polynomial coefficients under a learned Gaussian prior."""
    return Baseline(
        title=f"Mixed model: degree {degree} under a learned Gaussian prior",
        preset="mixed-model-gapminder",
        changes=(("model.degree", degree),),
        steps=2_000,
    )


def baselines(degree: int) -> tuple[Baseline, ...]:
    """Return the rivals, from the simplest on."""
    return (POOLED, LINE, mixed_model(degree))


def experiment_of(config: ExperimentConfig, baseline: Baseline) -> ExperimentConfig:
    """Return a rival's experiment: the run's tasks, seed and evaluation.

    Raises:
        ConfigError: The rival does not go with the run's tasks.
    """
    rival = with_overrides(
        preset_config(baseline.preset), baseline.changes
    ).to_mapping()
    mine = config.to_mapping()
    outer = {"optimizer": rival["outer"]["optimizer"]}
    return validated(
        {
            **rival,
            "name": baseline.preset,
            "preset": "",
            "tasks": mine["tasks"],
            "outer": {
                **outer,
                "num_steps": baseline.steps,
                "num_tasks": config.outer.num_tasks,
            },
            "evaluation": {
                **mine["evaluation"],
                "num_inner_steps": 1,
                "every": baseline.steps,
            },
            "run": {**mine["run"], "compile": "off", "provider": "auto"},
            "diagnostics": mine["diagnostics"],
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """Losses of one method, and how they differ from the run's, task by task.

    Attributes:
        title: What the method is.
        losses: Mean over the draws of each task's query loss, [task].
        rmse: Root mean squared error in the target's own unit; None without one.
        difference: Mean difference of the losses to the run's; 0 for the run.
        low: Lower end of its 95 % interval over tasks; NaN for the run.
        high: Upper end.
        share_better: Share of the tasks on which the run is better; NaN for the run.
    """

    title: str
    losses: Array
    rmse: float | None
    difference: float
    low: float
    high: float
    share_better: float

    @property
    def mean(self) -> float:
        """Mean over the tasks."""
        return float(self.losses.mean())


def compare_with_baselines(  # noqa: PLR0913 - the counts of one comparison
    config: ExperimentConfig,
    checkpoint: Checkpoint,
    *,
    degree: int = 2,
    num_tasks: int = 600,
    num_inner_steps: int,
    seed: int = 0,
    tell: Callable[[str], None],
) -> Iterator[Measured]:
    """Yield the run, then each rival that is trained and measured on the same tasks.

    Args:
        config: The run's experiment.
        checkpoint: Its meta-parameters.
        degree: Of the mixed model's polynomial.
        num_tasks: Tasks, at most; of a table, its held-out tasks.
        num_inner_steps: Of the run.
        seed: Fixes tasks and support sets, which are the same for all.
        tell: Told what is done now.
    """

    def measured(
        which: ExperimentConfig, state: Checkpoint, steps: int, inner_step: int | None
    ) -> tuple[Array, float | None]:
        found: list[FreshEvaluation] = [
            evaluate_fresh(
                which,
                state,
                num_tasks=num_tasks,
                num_shots=config.eval_shots,
                num_queries=config.evaluation.num_queries,
                num_inner_steps=steps,
                seed=seed + draw,
                query=config.held_out_query,
            )
            for draw in range(NUM_DRAWS)
        ]
        step = steps if inner_step is None else inner_step
        losses = np.mean([one.query_loss[:, step] for one in found], axis=0)
        own = [one.rmse[step] for one in found if one.rmse is not None]
        rmse = float(np.sqrt(np.mean(np.square(own)))) if own else None
        return losses, rmse

    tell("The run")
    mine, rmse = measured(config, checkpoint, num_inner_steps, None)
    nothing = float("nan")
    yield Measured(
        title="The run",
        losses=mine,
        rmse=rmse,
        difference=0.0,
        low=nothing,
        high=nothing,
        share_better=nothing,
    )
    for baseline in baselines(degree):
        tell(baseline.title)
        rival = experiment_of(config, baseline)
        trainer = Trainer(rival)
        for _ in trainer.run():
            pass
        losses, rmse = measured(rival, trainer.checkpoint(), 1, baseline.inner_step)
        middle, low, high = mean_interval(losses - mine)
        yield Measured(
            title=baseline.title,
            losses=losses,
            rmse=rmse,
            difference=float(middle),
            low=float(low),
            high=float(high),
            share_better=float((mine < losses).mean()),
        )
