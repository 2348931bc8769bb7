"""`metalab animate`: a figure along the inner or the outer loop, from a run file."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from metalab.cli.look import (
    Font,
    FontSize,
    LineWidth,
    Size,
    Width,
    warn_of_small_text,
)
from metalab.cli.output import console, warn
from metalab.cli.target import Force, check_free
from metalab.cli.wreck import warn_of_wreck
from metalab.runs.system.background_job import GiveUp
from metalab.runs.system.signals import stop_on_signals

_CANCELLED = 130
"""What a shell calls the end of a command by Ctrl+C."""


def animate(
    file: Annotated[Path, typer.Argument(help="Run file.")],
    figure: Annotated[
        str, typer.Argument(help="Figure: adaptation, inner-loss or losses.")
    ],
    to: Annotated[
        Path,
        typer.Option(help="File to write: .gif, .webp, .mp4, or .png for a folder."),
    ],
    force: Force = False,
    sweep: Annotated[
        str, typer.Option(help="inner (steps of adaptation) or outer (of training).")
    ] = "inner",
    first: Annotated[int, typer.Option(help="First step shown, of those swept.")] = 0,
    last: Annotated[
        int | None, typer.Option(help="Last step shown; by default the last there is.")
    ] = None,
    num_frames: Annotated[
        int,
        typer.Option(
            help="Most frames; of more steps, those nearest to even places on the "
            "axis are shown, each once."
        ),
    ] = 60,
    fps: Annotated[int, typer.Option(help="Frames a second.")] = 6,
    hold_first: Annotated[
        float, typer.Option(help="Seconds that the first frame stands longer.")
    ] = 0.5,
    hold: Annotated[
        float, typer.Option(help="Seconds that the last frame stands longer.")
    ] = 1.0,
    size: Size = "single",
    width: Width = None,
    font: Font = "DejaVu Sans",
    font_size: FontSize = None,
    line_width: LineWidth = None,
    task: Annotated[
        int, typer.Option(min=1, max=16, help="Held-out task of `adaptation`.")
    ] = 1,
    log_y: Annotated[bool, typer.Option(help="Logarithmic loss axis.")] = True,
    dpi: Annotated[int, typer.Option(help="Dots per inch.")] = 150,
) -> int:
    """Animate a figure of a run along inner or outer steps."""
    from metalab.figures.animation.choices import AnimationChoices  # noqa: PLC0415
    from metalab.figures.animation.file import check_place, target_of, write_animation  # noqa: PLC0415 - slow
    from metalab.figures.base import FigureChoices  # noqa: PLC0415
    from metalab.figures.registry import figure_named  # noqa: PLC0415
    from metalab.runs.services.snapshots import load_history  # noqa: PLC0415

    choices = AnimationChoices(
        figure=figure,
        sweep=sweep,
        first=first,
        last=last,
        num_frames=num_frames,
        fps=fps,
        hold_first=hold_first,
        hold=hold,
        size=size,
        width=width,
        font=font,
        font_size=font_size,
        line_width=line_width,
        dpi=dpi,
        figure_choices=FigureChoices(task=task - 1, log_y=log_y),
    )
    target = target_of(to)
    check_place(to)
    check_free((target,), force=force)
    give_up = GiveUp()
    with stop_on_signals(give_up.set), _bar() as progress:
        bar = progress.add_task("Frames", total=None)

        def tell(done: int, count: int) -> None:
            progress.update(bar, completed=done, total=count)

        history = load_history(file)
        written = write_animation(
            to, history, choices, progress=tell, cancelled=give_up
        )
    if not written:
        warn("cancelled; nothing was written")
        return _CANCELLED
    warn_of_small_text(
        figure_named(figure),
        history,
        size=choices.figure_size,
        choices=choices.figure_choices,
    )
    console().print(f"Wrote {target}")
    warn_of_wreck(file, history)
    return 0


def _bar() -> Progress:
    where = console()
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        console=where,
        disable=not where.is_terminal,
        transient=True,
    )
