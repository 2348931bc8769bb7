"""Animations as files: whole, or not there at all."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from metalab import __version__
from metalab.core.paths import (
    behind_links,
    is_there,
    obstacle_in,
    obstacle_to_create,
    partial_of,
)
from metalab.figures.animation.animation import Animation, never
from metalab.figures.animation.choices import FORMATS, AnimationChoices
from metalab.figures.animation.formats import (
    PROVENANCE_FILE,
    Film,
    write_folder,
    write_gif,
    write_mp4,
    write_webp,
)
from metalab.figures.errors import FigureError
from metalab.figures.registry import figure_named
from metalab.figures.render import check_folder, check_target
from metalab.runs.record.history import RunHistory

MOST_PIXELS = 400_000_000
"""Of a whole GIF or WebP, which Pillow keeps in memory until the last frame."""

Progress = Callable[[int, int], None]
"""Told how many frames are drawn, of how many."""

_WRITERS = {
    ".gif": write_gif,
    ".webp": write_webp,
    ".mp4": write_mp4,
    ".png": write_folder,
}


class _GivenUp(Exception):  # noqa: N818 - no error: it was asked for
    """The person no longer wants the file."""


def say_nothing(_done: int, _count: int) -> None:
    """Take in how far it is, and tell nobody."""


def write_animation(
    path: Path,
    history: RunHistory,
    choices: AnimationChoices,
    *,
    progress: Progress = say_nothing,
    cancelled: Callable[[], bool] = never,
) -> bool:
    """Write an animation; what is there already is replaced in one go, or stays.

    Args:
        path: .gif, .webp or .mp4; or a name that ends in .png, of which a folder of
            frames is made (see `target_of`).
        history: The run.
        choices: What and how.
        progress: Told after each frame.
        cancelled: Asked before each frame; then nothing is written.

    Returns:
        Whether it was written, not cancelled.

    Raises:
        FigureError: The run lacks what is animated, the format is unknown, cannot do what
            is chosen or needs what is not installed, or the file cannot be written.
    """
    target = target_of(path)
    animation = Animation(history, choices)
    check_place(path)
    _check(path.suffix.lower(), animation)
    film = Film(
        frames=_watched(animation, progress, cancelled),
        samples=_samples(animation),
        durations=choices.durations(len(animation), path.suffix.lower()),
        fps=choices.fps,
        size=choices.pixels,
        stem=path.stem,
        title=figure_named(choices.figure).title,
        provenance=_provenance(history, animation),
    )
    try:
        if not animation.settle(cancelled):
            return False
        _write(target, path.suffix.lower(), film)
    except _GivenUp:
        return False
    except OSError as error:
        raise FigureError(f"cannot write {path}: {error.strerror or error}") from error
    return True


def target_of(path: Path) -> Path:
    """Return what is written for a path: itself, or the folder for frames.

    Raises:
        FigureError: No format has its suffix.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise FigureError(
            f"the suffix of {path.name!r} is {path.suffix!r}; allowed: "
            f"{', '.join(FORMATS)}"
        )
    return path.with_suffix("") if suffix == ".png" else path


def check_place(path: Path) -> None:
    """Refuse a path where no animation can be written (see `write_animation`).

    Raises:
        FigureError: No format has its suffix, its folder takes no file, or something else
            has its name.
    """
    target = target_of(path)
    if path.suffix.lower() == ".png":
        _check_folder_of_frames(target)
    else:
        check_target(target)


def _check(suffix: str, animation: Animation) -> None:
    """Refuse what would fail after all the frames are drawn."""
    if suffix == ".mp4" and find_spec("imageio_ffmpeg") is None:
        raise FigureError(
            "MP4 needs the extra 'animation': pip install 'metalab[animation]'; allowed "
            "without it: .gif, .webp, .png"
        )
    width, height = animation.choices.pixels
    if suffix in (".gif", ".webp") and len(animation) * width * height > MOST_PIXELS:
        raise FigureError(
            f"{len(animation)} frames of {width} × {height} pixels are too many for "
            f"{FORMATS[suffix]}; allowed: {MOST_PIXELS // (width * height)} frames of "
            "this size, or .mp4 or .png"
        )


def _check_folder_of_frames(target: Path) -> None:
    """Refuse what is there already, unless it is a folder of frames."""
    check_folder(target.parent)
    if is_there(target / PROVENANCE_FILE):
        obstacle = obstacle_in(target.parent)
    elif is_there(target):
        raise FigureError(
            f"{target} is there already and holds no frames; choose another name"
        )
    else:
        obstacle = obstacle_to_create(target)
    if obstacle is not None:
        raise FigureError(f"cannot write frames to {target}: {obstacle}")


def _watched(
    animation: Animation, progress: Progress, cancelled: Callable[[], bool]
) -> Iterator[Image.Image]:
    """Yield the frames, telling how far it is.

    Raises:
        _GivenUp: Nobody wants them any more.
    """
    for done, picture in enumerate(animation.pictures(), start=1):
        if cancelled():
            raise _GivenUp
        progress(done, len(animation))
        yield Image.fromarray(picture)


def _samples(animation: Animation) -> Iterator[Image.Image]:
    """Yield a few frames that have every colour."""
    for index in sorted({0, len(animation) // 2, len(animation) - 1}):
        yield Image.fromarray(animation.picture(index))


def _write(target: Path, suffix: str, film: Film) -> None:
    # A symbolic link stays one: what it points to is replaced.
    target = behind_links(target)
    partial = partial_of(target)
    try:
        _WRITERS[suffix](partial, film)
        if suffix == ".png":
            _replace_folder(partial, target)
        else:
            partial.replace(target)
    finally:
        if partial.is_dir():
            shutil.rmtree(partial)
        else:
            partial.unlink(missing_ok=True)


def _replace_folder(partial: Path, target: Path) -> None:
    """Put a folder of frames in its place; an older one goes once the new one stands."""
    if not target.exists():
        partial.replace(target)
        return
    older = partial_of(target, suffix=".old")
    target.replace(older)
    try:
        partial.replace(target)
    except OSError:
        older.replace(target)
        raise
    shutil.rmtree(older)


def _provenance(history: RunHistory, animation: Animation) -> str:
    """Return what is needed to make it again, as JSON without any but ASCII letters."""
    config = history.config_at()
    return json.dumps(
        {
            "metalab": __version__,
            "animation": asdict(animation.choices),
            "steps": animation.steps,
            "outer_step": history.step,
            "config_digest": config.digest(),
            "config": config.to_mapping(),
            "edits": [asdict(edit) for edit in history.configs.edits],
        },
        sort_keys=True,
    )
