"""`metalab export`: a figure, or its data, from a run file."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from metalab.cli.look import (
    Font,
    FontSize,
    LineWidth,
    Size,
    Width,
    warn_of_small_text,
)
from metalab.cli.moment import OtherTasks, Step, chosen_step, parsed
from metalab.cli.output import console, warn
from metalab.cli.target import Force, check_free
from metalab.cli.wreck import warn_of_wreck
from metalab.cli.written import read_written
from metalab.figures.names import figure_names
from metalab.runs.system.background_job import GiveUp
from metalab.runs.system.signals import stop_on_signals

if TYPE_CHECKING:
    from metalab.figures.base import FigureSpec
    from metalab.figures.looking import Looking, Tell
    from metalab.figures.sights import Sight, Standpoint

_CANCELLED = 130
"""Exit code that a shell gives a command ended by Ctrl+C."""


def export(
    file: Annotated[Path, typer.Argument(help="Run file.")],
    figure: Annotated[
        str, typer.Argument(help=f"Figure: {', '.join(figure_names())}.")
    ],
    to: Annotated[
        Path,
        typer.Option(
            help="File to write: .png, .svg, .pdf, .csv, or .py with its data in a "
            ".csv beside it."
        ),
    ],
    force: Force = False,
    step: Step = None,
    assignments: OtherTasks = None,
    size: Size = "single",
    width: Width = None,
    font: Font = "DejaVu Sans",
    font_size: FontSize = None,
    line_width: LineWidth = None,
    svg_text: Annotated[
        bool,
        typer.Option(help="Text in .svg stays text; else it becomes outlines."),
    ] = False,
    dpi: Annotated[
        int, typer.Option(min=30, max=1200, help="Dots per inch of .png.")
    ] = 300,
    legend: Annotated[
        str, typer.Option(help="Where the legend stands: above, right or none.")
    ] = "above",
    log_y: Annotated[
        bool, typer.Option(help="Logarithmic loss: its axis, or its colours.")
    ] = True,
    smoothing: Annotated[
        float,
        typer.Option(
            help="Of `losses`: share of what is shown that the moving average spans, 0 "
            "to 0.5."
        ),
    ] = 0.05,
    x: Annotated[
        str,
        typer.Option(help="Of `losses`: outer-step, training-time or tasks-seen."),
    ] = "outer-step",
    task: Annotated[int, typer.Option(min=1, help="Held-out task, from 1.")] = 1,
    inner_step: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Of `adapt` and `landscape`: the inner step that stands out. Default: "
            "K. They show 0 ... K' as the run evaluates; `adapt` goes as far as this "
            "one, and draws every step or, of many, evenly chosen ones, K and K'.",
        ),
    ] = None,
    points: Annotated[
        Path | None,
        typer.Option(
            help="Of `adapt`: a file of other support points, x and y on each line."
        ),
    ] = None,
    sort: Annotated[
        str,
        typer.Option(help="Of `gallery`: task, loss, or a number of the tasks."),
    ] = "task",
    surface: Annotated[
        str, typer.Option(help="Of `landscape`: support, query or adapted.")
    ] = "support",
    axes: Annotated[
        str, typer.Option(help="Of `landscape`: paths, outer, gradients or random.")
    ] = "paths",
    zoom: Annotated[
        int,
        typer.Option(help="Of `landscape`: its side is multiplied by 2 to this power."),
    ] = 0,
    num_paths: Annotated[
        int, typer.Option(help="Of `landscape`: tasks whose paths are drawn.")
    ] = 4,
    num_inner_steps: Annotated[
        int | None,
        typer.Option(help="Of `estimators`: K. Default: the run's."),
    ] = None,
    against: Annotated[
        str,
        typer.Option(help="Of `estimators`: compared with K steps or with a solution."),
    ] = "steps",
    seed: Annotated[
        int, typer.Option(min=0, help="Of `estimators`: fixes the meta-batches.")
    ] = 0,
) -> int:
    """Draw a figure of a run for a paper, or write its data."""
    from metalab.figures.base import FigureChoices  # noqa: PLC0415 - slow
    from metalab.figures.formats import files_of, format_of  # noqa: PLC0415
    from metalab.figures.looking import Looking  # noqa: PLC0415
    from metalab.figures.registry import (  # noqa: PLC0415
        check_shows_tasks,
        figure_named,
    )
    from metalab.figures.render import check_target, render  # noqa: PLC0415
    from metalab.figures.sights import Standpoint  # noqa: PLC0415
    from metalab.figures.sizes import styled_size  # noqa: PLC0415
    from metalab.runs.services.snapshots import history_and_phi  # noqa: PLC0415

    spec = figure_named(figure)
    which, changes = chosen_step(step), parsed(assignments)
    if changes:
        check_shows_tasks(figure)
    choices = FigureChoices(
        task=task - 1,
        log_y=log_y,
        smoothing=smoothing,
        x=x.replace("-", " "),
        legend=legend,
        sort=sort,
    )
    looking = Looking(
        points=None if points is None else read_written(points).arrays,
        surface=surface,
        axes=axes,
        zoom=zoom,
        num_paths=num_paths,
        num_inner_steps=num_inner_steps,
        against=against,
        seed=seed,
    )
    style = styled_size(
        size,
        width=width,
        font=font,
        font_size=font_size,
        line_width=line_width,
        svg_text=svg_text,
    )
    format_of(to)
    for path in files_of(to):
        check_target(path)
    check_free(files_of(to), force=force)
    history, phi = history_and_phi(file, which, changes)
    where = Standpoint(
        history=history,
        phi=phi,
        step=history.step,
        task=task - 1,
        inner_step=inner_step,
    )
    sight = _seen(spec, where, looking)
    if sight is None:
        warn("cancelled; nothing was written")
        return _CANCELLED
    files = render(spec, sight, to, size=style, choices=choices, dpi=dpi)
    warn_of_wreck(file, where.history)
    if format_of(to).sized:
        warn_of_small_text(spec, sight, size=style, choices=choices)
    console().print(f"Wrote {' and '.join(map(str, files))}")
    return 0


class _GivenUpError(Exception):
    """Somebody has pressed Ctrl+C."""


def _seen(
    spec: "FigureSpec", where: "Standpoint", looking: "Looking"
) -> "Sight | None":
    """Return what the figure is drawn from; None if computing that was cancelled."""
    from metalab.figures.looking import sight_of  # noqa: PLC0415 - slow

    give_up = GiveUp()
    try:
        with stop_on_signals(give_up.set), _telling(give_up) as tell:
            return sight_of(spec, where, looking, tell)
    except _GivenUpError:
        return None


@contextmanager
def _telling(give_up: GiveUp) -> "Generator[Tell]":
    """Show what is computed, on stderr, as long as it takes."""
    screen = Console(stderr=True, markup=False, highlight=False, emoji=False)
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        console=screen,
        disable=not screen.is_terminal,
        transient=True,
    )
    with bar:
        shown = bar.add_task("computing", total=None)

        def tell(text: str, share: float | None) -> None:
            if give_up():
                raise _GivenUpError
            total = None if share is None else 1.0
            bar.update(shown, description=text, completed=share or 0.0, total=total)

        yield tell
