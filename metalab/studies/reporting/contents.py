"""Contents of a report: of one run, or of several beside each other."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shlex import join

from metalab import __version__
from metalab.core.errors import UserError
from metalab.experiment.config import recipe_of
from metalab.figures.render import encode_drawing
from metalab.figures.sizes import size_named
from metalab.runs.record.reader import StoredRun, open_run
from metalab.studies.comparison import Comparison, compare_files
from metalab.studies.comparison_curves import (
    TITLE,
    CurveChoices,
    curves_caption,
    drawing_of,
)
from metalab.studies.comparison_scatter import scatter_of
from metalab.studies.comparison_words import (
    HEADINGS,
    NUMBERS,
    note_on,
    rows_of,
    setting_headings,
    setting_rows,
)
from metalab.studies.reporting.commands import (
    commands_of,
    not_repeated,
    train_command,
)
from metalab.studies.reporting.document import (
    Block,
    Code,
    Document,
    Fold,
    Grid,
    Heading,
    Picture,
    Text,
)
from metalab.studies.reporting.methods import bibliography, methods_paragraph
from metalab.studies.reporting.sections import (
    FIGURES,
    NUM_INNER_STEPS,
    SIZE,
    Tell,
    configuration,
    environment_of,
    figures,
    formulas,
    held_out,
    run_lead,
    status_of,
)


def report_on(
    paths: Sequence[Path],
    *,
    reference: str | None = None,
    num_tasks: int = 600,
    tell: Tell = lambda _: None,
) -> Document:
    """Return the report on one run, or the comparison of several.

    Args:
        paths: Run files.
        reference: Of several: the method that the others are compared with; None for the
            first.
        num_tasks: Of several: held-out tasks.
        tell: Told what is being made.

    Raises:
        UserError: A file cannot be used, or the runs cannot be compared.
    """
    if not paths:
        raise UserError("no run file was given; allowed: one or more")
    if len(paths) == 1:
        return _on_one(paths[0], tell)
    tell("measuring")
    found = compare_files(
        paths,
        num_tasks=num_tasks,
        reference=reference,
        tell=tell,
    )
    return _on_several(found, reference, tell)


def _on_one(path: Path, tell: Tell) -> Document:
    run = open_run(path)
    history = run.history
    config, start = history.config_at(), history.config_at(0)
    tell("held-out tasks")
    blocks: list[Block] = [Heading("Held-out evaluation"), *held_out(run)]
    blocks += [Heading("Method"), *formulas(config)]
    if run.checkpoint is not None:
        blocks += figures(path, ("structure",), tell)
    blocks += [Heading("Configuration"), *configuration(start)]
    if run.checkpoint is not None:
        blocks += [Heading("Figures"), *figures(path, FIGURES, tell)]
    steps = max(NUM_INNER_STEPS, config.num_inner_steps)
    commands = commands_of(history, path.name, num_inner_steps=steps)
    blocks += [
        Heading("Methods paragraph"),
        Text(methods_paragraph(config)),
        Heading("Commands that reproduce it"),
        Code("\n".join(commands)),
        *_small(not_repeated(history)),
        Heading("Environment"),
        environment_of(run),
        Heading("BibTeX"),
        Code(bibliography([recipe_of(start)])),
    ]
    return Document(
        title=history.name,
        lead=run_lead(run),
        date=run.created,
        blocks=tuple(blocks),
    )


def _small(text: str) -> list[Text]:
    return [Text(text, small=True)] if text else []


def _on_several(found: Comparison, reference: str | None, tell: Tell) -> Document:
    titles = [group.title for group in found.groups]
    runs = [run for group in found.groups for run in group.runs]
    blocks: list[Block] = [
        Heading("Results"),
        *[Text(difference.words) for difference in found.differences],
        _results(found),
        Text(note_on(found), small=True),
        *_pictures(found),
    ]
    settings = setting_rows(found)
    if settings:
        blocks += [
            Heading("Settings that differ"),
            Grid(setting_headings(found), tuple(settings)),
        ]
    blocks.append(Heading("Runs"))
    blocks.append(_runs(found))
    blocks += [Text(words) for words in found.failures()]
    blocks += _of_methods(found, tell)
    files = [run.path.name for run in runs]
    lines = [train_command(run.history.config_at(0), run.path.name) for run in runs]
    first = [] if reference is None else ["--reference", reference]
    counts = ["--num-tasks", str(found.num_tasks), *first]
    lines.append(join(["metalab", "compare", *files, *counts]))
    lines.append(join(["metalab", "report", *files, *counts, "--to", "report.html"]))
    blocks += [Heading("Commands that reproduce it"), Code("\n".join(lines))]
    for run in runs:
        blocks += _small(not_repeated(run.history))
    stored = [open_run(run.path) for run in runs]
    blocks += _environments(stored)
    recipes = [recipe_of(group.runs[0].history.config_at(0)) for group in found.groups]
    blocks += [Heading("BibTeX"), Code(bibliography(recipes))]
    return Document(
        title=f"Comparison: {', '.join(titles)}",
        lead=f"{len(runs)} runs of {len(titles)} methods on {found.num_tasks:,} held-out "
        f"tasks; metalab {__version__}",
        date=max(run.created for run in stored),
        blocks=tuple(blocks),
    )


_MOST_COLUMNS = 4
"""Methods that have room beside each other on a page."""


def _results(found: Comparison) -> Grid:
    """Return the table of results: a column a method, or a row where they are many."""
    rows = rows_of(found)
    if len(rows) > _MOST_COLUMNS:
        return Grid(HEADINGS, tuple(rows), numbers=NUMBERS)
    turned = tuple(zip(HEADINGS, *rows, strict=True))
    return Grid(turned[0], turned[1:], numbers=tuple(range(1, 1 + len(rows))))


def _pictures(found: Comparison) -> list[Picture]:
    """Return the curves, and each method against the reference task by task."""
    size = size_named(SIZE)
    curves = drawing_of(found, size)
    # The table's note stands below the table already.
    drawings = [(TITLE, replace(curves, caption=curves_caption(CurveChoices())))]
    drawings += [
        (f"{difference.one} against {difference.reference}, task by task", drawing)
        for difference in found.differences
        for drawing in [scatter_of(found, difference.one, difference.reference, size)]
    ]
    return [
        Picture(
            title,
            encode_drawing(drawing, ".svg", title=title, size=SIZE).decode(),
            drawing.caption,
        )
        for title, drawing in drawings
    ]


def _runs(found: Comparison) -> Grid:
    rows = [
        (
            group.title,
            run.path.name,
            str(run.seed),
            run.history.config_at(0).digest(),
            status_of(run.history),
        )
        for group in found.groups
        for run in group.runs
    ]
    headings = ("Method", "File", "Seed", "Configuration", "Status")
    return Grid(headings, tuple(rows), numbers=(2,))


def _of_methods(found: Comparison, tell: Tell) -> list[Block]:
    """Return each method's paragraph, formulas and settings, by its first run."""
    blocks: list[Block] = [Heading("Methods")]
    for group in found.groups:
        run = group.runs[0]
        config = run.history.config_at(0)
        blocks += [
            Heading(group.title, level=3),
            Text(methods_paragraph(config)),
            *formulas(config)[-1:],
        ]
        measured = group.measured
        if measured:
            tell(f"gallery of {group.title}")
            blocks += figures(measured[0].path, ("gallery",), tell)
        blocks.append(
            Fold(f"Settings of {group.title}", tuple(configuration(config)[:1]))
        )
    return blocks


def _environments(runs: Sequence[StoredRun]) -> list[Block]:
    """Return what the runs were computed with, each environment once."""
    by_rows: dict[tuple[tuple[str, ...], ...], list[str]] = {}
    for run in runs:
        assert run.history.path is not None, "a stored run has a file"
        grid = environment_of(run)
        rows = tuple(row for row in grid.rows if row[0] != "training time")
        by_rows.setdefault(rows, []).append(run.history.path.name)
    blocks: list[Block] = [Heading("Environment")]
    for rows, names in by_rows.items():
        if len(by_rows) > 1:
            blocks.append(Text(", ".join(names), small=True))
        blocks.append(Grid(("Item", "Value"), rows))
    return blocks
