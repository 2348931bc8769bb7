"""`metalab animate`: a figure along the inner or the outer loop, from a run file."""

from pathlib import Path
from typing import Annotated

import typer

from metalab.cli.output import console


def animate(
    file: Annotated[Path, typer.Argument(help="Run file.")],
    figure: Annotated[
        str, typer.Argument(help="Figure: adaptation, inner-loss or losses.")
    ],
    to: Annotated[
        Path, typer.Option(help="File to write: .gif, .webp, .mp4, or .png for frames.")
    ],
    sweep: Annotated[
        str, typer.Option(help="inner (steps of adaptation) or outer (of training).")
    ] = "inner",
    num_frames: Annotated[
        int, typer.Option(help="Most frames of an outer sweep.")
    ] = 60,
    fps: Annotated[int, typer.Option(help="Frames a second.")] = 6,
    size: Annotated[
        str, typer.Option(help="Size preset: single, double, slide or square.")
    ] = "single",
    task: Annotated[
        int, typer.Option(min=1, max=16, help="Held-out task of `adaptation`.")
    ] = 1,
    dpi: Annotated[int, typer.Option(help="Dots per inch.")] = 150,
) -> int:
    """Animate a figure of a run along inner or outer steps."""
    from metalab.figures.animation import AnimationChoices  # noqa: PLC0415 - slow
    from metalab.figures.animation_file import write_animation  # noqa: PLC0415
    from metalab.figures.base import FigureChoices  # noqa: PLC0415
    from metalab.runs.replay import load_history  # noqa: PLC0415

    choices = AnimationChoices(
        figure=figure,
        sweep=sweep,
        num_frames=num_frames,
        fps=fps,
        size=size,
        dpi=dpi,
        figure_choices=FigureChoices(task=task - 1),
    )
    write_animation(to, load_history(file), choices)
    console().print(f"Wrote {to if to.suffix != '.png' else to.with_suffix('')}")
    return 0
