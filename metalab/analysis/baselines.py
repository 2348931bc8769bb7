"""Honest rivals of a run: what simpler compositions reach on the very same tasks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from metalab.analysis.evaluate import NUM_DRAWS, FreshEvaluation, evaluate_draws
from metalab.analysis.rivals import Doing, LeftOut, Measured, measured
from metalab.core.streams import RandomStreams
from metalab.core.tasks import sample_batch
from metalab.engine.build import DTYPES, build_family
from metalab.engine.events import Checkpoint, StepsDone
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import ConfigError, validated, with_overrides

NUM_TASKS = 600
"""Fresh tasks at most; of a table, its held-out ones."""

DEGREE = 2
"""Of the mixed model's polynomial."""


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


def gaussian_process(config: ExperimentConfig) -> Baseline:
    """Return a Gaussian process whose basis spans the inputs of the run's tasks.

    Where the length-scale comes out between what the functions resolve and what the
    boundary allows, its kernel is that of the process (`core.model.hilbert_basis`).
    """
    low, high = _reach(config)
    one_input = build_family(config).input_dim == 1
    farthest = max(abs(low), abs(high))
    changes: list[tuple[str, Any]] = [
        ("model.boundary", (6.0 if one_input else 3.0) * farthest),
        ("model.length_scale", 0.5 * (high - low) / 2),
    ]
    if build_family(config).input_dim == 2:
        # Their products are what a head is solved for.
        changes.append(("model.num_functions", 16))
    return Baseline(
        title="Gaussian process: learned mean, kernel and noise",
        preset="gaussian-process-gapminder",
        changes=tuple(changes),
        steps=2_000,
    )


def _reach(config: ExperimentConfig) -> tuple[float, float]:
    """Return the smallest and largest of some training tasks' inputs, as given."""
    batch = sample_batch(
        build_family(config),
        64,
        num_shots=config.tasks.num_shots,
        num_queries=config.tasks.num_queries,
        generator=RandomStreams(0).generator("inputs"),
        dtype=DTYPES[config.run.precision],
    )
    low = min(float(one.x.min()) for one in (batch.support, batch.query))
    high = max(float(one.x.max()) for one in (batch.support, batch.query))
    return low, high


def baselines(config: ExperimentConfig, degree: int) -> tuple[Baseline, ...]:
    """Return the rivals of a run, from the simplest on.

    Args:
        config: The run's experiment.
        degree: Of the mixed model's polynomial.
    """
    return (POOLED, LINE, mixed_model(degree), gaussian_process(config))


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


def compare_with_baselines(  # noqa: PLR0913 - the counts of one comparison
    config: ExperimentConfig,
    checkpoint: Checkpoint,
    *,
    degree: int = DEGREE,
    num_tasks: int = NUM_TASKS,
    num_inner_steps: int,
    seed: int = 0,
    tell: Callable[[Doing], None],
) -> Iterator[Measured | LeftOut]:
    """Yield the run, then each rival that is trained and measured on the same tasks.

    Args:
        config: The run's experiment.
        checkpoint: Its meta-parameters.
        degree: Of the mixed model's polynomial.
        num_tasks: Tasks, at most; of a table, its held-out tasks.
        num_inner_steps: Of the run.
        seed: Fixes tasks and support sets, which are the same for all.
        tell: Told what is done now, many times a second; it may raise to give up.
    """
    test = _Test(config=config, num_tasks=num_tasks, seed=seed, tell=tell)
    found = test.losses_of("The run", config, checkpoint, num_inner_steps)
    mine = found.query_loss[:, -1]
    yield measured("The run", mine, _rmse_after(found, -1), mine=None)
    for baseline in baselines(config, degree):
        title = baseline.title
        tell(Doing(title=title))
        try:
            rival = experiment_of(config, baseline)
        except ConfigError as error:
            yield LeftOut(title=title, reason=str(error))
            continue
        state = _trained(rival, baseline, tell)
        found = test.losses_of(title, rival, state, 1)
        step = -1 if baseline.inner_step is None else baseline.inner_step
        losses = found.query_loss[:, step]
        yield measured(title, losses, _rmse_after(found, step), mine=mine)


def _rmse_after(found: FreshEvaluation, step: int) -> float | None:
    return None if found.rmse is None else float(found.rmse[step])


def _trained(
    rival: ExperimentConfig, baseline: Baseline, tell: Callable[[Doing], None]
) -> Checkpoint:
    """Return a rival's state after its last outer step."""
    trainer, made = Trainer(rival), 0
    for event in trainer.run():
        if isinstance(event, StepsDone):
            made += len(event.metrics)
            tell(Doing(title=baseline.title, step=made, num_steps=baseline.steps))
    return trainer.checkpoint()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    """The tasks and support sets on which all are measured."""

    config: ExperimentConfig
    num_tasks: int
    seed: int
    tell: Callable[[Doing], None]

    def losses_of(
        self, title: str, which: ExperimentConfig, state: Checkpoint, num_steps: int
    ) -> FreshEvaluation:
        """Return how one method does on every draw of the support sets."""
        config = self.config
        return evaluate_draws(
            which,
            state,
            num_draws=NUM_DRAWS,
            seed=self.seed,
            tell=lambda draw: self.tell(
                Doing(title=title, draw=draw, num_draws=NUM_DRAWS)
            ),
            num_tasks=self.num_tasks,
            num_shots=config.eval_shots,
            num_queries=config.evaluation.num_queries,
            num_inner_steps=num_steps,
            query=config.held_out_query,
        )
