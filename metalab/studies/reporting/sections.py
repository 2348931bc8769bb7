"""Sections of a report on one run."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from metalab.analysis.evaluate import evaluate_draws, num_draws_of
from metalab.core.errors import UserError
from metalab.engine.statistics import Interval, TaskSummary
from metalab.experiment.changes import (
    changes,
    group_title,
    setting_text,
    unit_of,
)
from metalab.experiment.config import ExperimentConfig, recipe_of
from metalab.experiment.fields import fields_of
from metalab.experiment.naming import reference_of
from metalab.figures.base import FigureChoices
from metalab.figures.drawing import number_of
from metalab.figures.looking import Looking, sight_of
from metalab.figures.registry import figure_named
from metalab.figures.render import caption_of, encode
from metalab.figures.sights import Standpoint
from metalab.figures.structure.blueprint import blueprint_of
from metalab.runs.record.history import RunHistory
from metalab.runs.record.reader import StoredRun
from metalab.runs.services.snapshots import history_and_phi
from metalab.studies.comparison_words import interval_text
from metalab.studies.reporting.document import Block, Fold, Grid, Picture, Text

SIZE = "double"
FIGURES = ("losses", "gallery", "adaptation")
NUM_TASKS, NUM_QUERIES, NUM_INNER_STEPS = 600, 100, 10
"""Of the held-out table: those of `metalab eval`."""

Tell = Callable[[str], None]


def run_lead(run: StoredRun) -> str:
    """Return what became of a run, and what identifies it."""
    history = run.history
    config = history.config_at()
    return (
        f"{history.status.value.capitalize()} at outer step {history.step:,} of "
        f"{history.num_steps:,}; configuration {config.digest()}, seed "
        f"{config.run.seed}; begun {run.created[:10]}"
    )


def held_out(run: StoredRun) -> list[Block]:
    """Return the loss of fresh tasks by inner step: the table of `metalab eval`.

    Raises:
        UserError: The tasks cannot be had.
    """
    history = run.history
    if run.checkpoint is None:
        return [Text("The run was never trained: there is nothing to evaluate.")]
    if history.diverged is not None:
        return [
            Text(
                f"The run diverged: {history.diverged.message} Its last good state is not "
                "evaluated."
            )
        ]
    config = history.config_at()
    found = evaluate_draws(
        config,
        run.checkpoint,
        num_draws=num_draws_of(config),
        seed=0,
        num_tasks=NUM_TASKS,
        num_shots=config.eval_shots,
        num_queries=NUM_QUERIES,
        num_inner_steps=max(NUM_INNER_STEPS, config.num_inner_steps),
    ).summary()
    return _summary(found, config)


def _summary(found: TaskSummary, config: ExperimentConfig) -> list[Block]:
    k, unit = config.num_inner_steps, config.loss_words.query_unit
    of = "" if unit == "1" else f" ({unit})"
    after = _mean(found, k)
    first = (
        f"Query loss{of} on {number_of(found.num_tasks, 'held-out task')} after K = "
        f"{number_of(k, 'inner step')}: {interval_text(after)}; before adaptation "
        f"{interval_text(_mean(found, 0))}."
    )
    reason = found.why_not(k)
    if reason is not None:
        first += f" No interval: {reason}."
    rows = [
        (
            f"{step}{' (K)' if step == k else ''}",
            interval_text(_mean(found, step)),
            interval_text(
                Interval(
                    value=float(found.iqm[step]),
                    low=float(found.iqm_low[step]),
                    high=float(found.iqm_high[step]),
                )
            ),
            interval_text(
                Interval(
                    value=float(found.median[step]),
                    low=float(found.median_low[step]),
                    high=float(found.median_high[step]),
                )
            ),
            str(int(found.num_exploded[step])),
        )
        for step in range(len(found))
    ]
    headings = ("Inner steps", "Mean", "Interquartile mean", "Median", "Exploded")
    return [
        Text(first),
        Grid(headings, tuple(rows), numbers=(0, 1, 2, 3, 4)),
        Text(
            "In brackets: 95 % interval over the tasks of this network; it says nothing "
            "of other training seeds.",
            small=True,
        ),
    ]


def _mean(found: TaskSummary, step: int) -> Interval:
    return Interval(
        value=float(found.mean[step]),
        low=float(found.mean_low[step]),
        high=float(found.mean_high[step]),
    )


def formulas(config: ExperimentConfig) -> list[Block]:
    """Return what the method computes: its summary and formulas."""
    recipe, structure = recipe_of(config), blueprint_of(config).structure()
    told: list[Block] = []
    if recipe is not None:
        told.append(Text(f"{recipe.title}: {recipe.summary} Source: {recipe.source}."))
    rows = [("Inner step", structure.inner_formula)]
    if structure.moves:
        rows.append(("Hypergradient of one task", f"h = {structure.formula}"))
    told.append(Grid(("Part", "Formula"), tuple(rows)))
    return told


def configuration(config: ExperimentConfig) -> list[Block]:
    """Return what an experiment changes of its preset, and all of it folded."""
    reference, infos = reference_of(config), fields_of(config)
    found = changes(config, reference)
    blocks: list[Block] = []
    if found:
        rows = [
            (
                f"{group_title(c.info.group, infos)}: {c.info.spec.label}",
                c.info.path,
                setting_text(c.info, c.ours),
                setting_text(c.info, c.theirs),
                unit_of(c.info),
            )
            for c in found
        ]
        headings = ("Setting", "Key", "This run", f"Preset {reference.name}", "Unit")
        blocks.append(Grid(headings, tuple(rows)))
    else:
        blocks.append(Text(f"The same as preset {reference.name}."))
    every = [
        (
            f"{group_title(info.group, infos)}: {info.spec.label}",
            info.path,
            setting_text(info, info.value),
            "" if info.spec.word_for(info.value) else unit_of(info),
        )
        for info in infos
    ]
    table = Grid(("Setting", "Key", "Value", "Unit"), tuple(every))
    return [*blocks, Fold(f"All {len(every)} settings", (table,))]


def figures(
    path: Path, names: Sequence[str], tell: Tell = lambda _: None
) -> list[Block]:
    """Return figures of a run; one that it holds nothing for says so in its place.

    Args:
        path: The run file.
        names: Of the figures.
        tell: Told which figure is drawn.
    """
    history, phi = history_and_phi(path)
    where = Standpoint(history=history, phi=phi, step=history.step)
    choices = FigureChoices(legend="above")
    blocks: list[Block] = []
    for name in names:
        tell(f"figure {name}")
        spec = figure_named(name)
        try:
            sight = sight_of(spec, where, Looking())
            svg = encode(spec, sight, ".svg", size=SIZE, choices=choices).decode()
            caption = caption_of(spec, sight, size=SIZE, choices=choices)
        except UserError as error:
            blocks.append(Text(f"{spec.title}: {error}.", small=True))
            continue
        blocks.append(Picture(spec.title, svg, caption))
    return blocks


def environment_of(run: StoredRun) -> Grid:
    """Return the machine and the versions that a run was computed with."""
    history = run.history
    rows = [(name, value) for name, value in run.environment.items() if value]
    # Where a person keeps Python is nobody else's business.
    rows = [row for row in rows if row[0] != "executable"]
    if history.provider:
        rows.append(("device", history.device))
        rows.append(
            ("oracle provider", f"{history.provider}: {history.provider_reason}")
        )
    seconds = float(history.seconds[-1]) if len(history.seconds) else math.nan
    if not math.isnan(seconds):
        rows.append(("training time", f"{seconds:,.1f} s"))
    return Grid(("Item", "Value"), tuple(rows))


def status_of(history: RunHistory) -> str:
    """Return where a run stands, in short."""
    return f"{history.status.value}, {history.step:,} of {history.num_steps:,} steps"
