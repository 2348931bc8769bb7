"""Animations as files: whole, or not there at all."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from metalab import __version__
from metalab.figures.animation import FORMATS, AnimationChoices, Progress, pictures
from metalab.figures.base import FigureError
from metalab.figures.render import check_folder
from metalab.runs.history import RunHistory


def write_animation(
    path: Path,
    history: RunHistory,
    choices: AnimationChoices,
    *,
    progress: Progress = lambda _done, _all: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> bool:
    """Write an animation; what is there already is replaced in one go, or stays.

    Args:
        path: .gif, .webp or .mp4; or a name that ends in .png, of which a folder of
            frames is made.
        history: The run.
        choices: What and how.
        progress: Told after each frame.
        cancelled: Asked after each frame; then nothing is written.

    Returns:
        Whether it was written, not cancelled.

    Raises:
        FigureError: The run lacks what is animated, the format is unknown or needs what
            is not installed, or the file cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise FigureError(
            f"the suffix of {path.name!r} is {path.suffix!r}; allowed: "
            f"{', '.join(FORMATS)}"
        )
    check_folder(path.parent)
    if suffix == ".mp4":
        _check_mp4()
    drawn: list[Image.Image] = []
    for picture, count in pictures(history, choices):
        drawn.append(picture)
        progress(len(drawn), count)
        if cancelled():
            return False
    try:
        _write(path, suffix, drawn, choices, _provenance(history, choices))
    except OSError as error:
        raise FigureError(f"cannot write {path}: {error.strerror or error}") from error
    return True


def _write(
    path: Path,
    suffix: str,
    drawn: list[Image.Image],
    choices: AnimationChoices,
    provenance: str,
) -> None:
    partial = path.with_name(f".{path.stem}.{os.getpid()}.part{suffix}")
    times = [round(1000 / choices.fps)] * len(drawn)
    times[-1] += round(1000 * choices.hold)
    try:
        if suffix == ".png":
            partial.mkdir()
            for index, picture in enumerate(drawn):
                picture.save(partial / f"{path.stem}-{index:04}.png")
            (partial / "animation.json").write_text(provenance, encoding="utf-8")
            _replace_folder(partial, path.with_suffix(""))
            return
        if suffix == ".mp4":
            _write_mp4(partial, drawn, choices)
        else:
            options: dict[str, Any] = {}
            if suffix == ".gif":
                options["comment"] = provenance.encode()
            drawn[0].save(
                partial,
                save_all=True,
                append_images=drawn[1:],
                duration=times,
                loop=0,
                **options,
            )
        partial.replace(path)
    finally:
        if partial.is_dir():
            shutil.rmtree(partial)
        else:
            partial.unlink(missing_ok=True)


def _replace_folder(partial: Path, target: Path) -> None:
    """Put a folder of frames in its place; an older one of frames goes."""
    if target.exists():
        frames_only = target.is_dir() and (target / "animation.json").is_file()
        if not frames_only:
            raise FigureError(f"{target} is there already and holds no frames")
        shutil.rmtree(target)
    partial.replace(target)


def _check_mp4() -> None:
    if find_spec("imageio_ffmpeg") is None:
        raise FigureError(
            "MP4 needs the extra 'animation': pip install 'metalab[animation]'; allowed "
            "without it: .gif, .webp, .png"
        )


def _write_mp4(path: Path, drawn: list[Image.Image], choices: AnimationChoices) -> None:
    import imageio_ffmpeg  # noqa: PLC0415 - an extra

    # Its codec wants even sizes.
    width, height = (size // 2 * 2 for size in drawn[0].size)
    writer = imageio_ffmpeg.write_frames(
        str(path), (width, height), fps=choices.fps, quality=8, macro_block_size=2
    )
    writer.send(None)
    last = [drawn[-1]] * round(choices.hold * choices.fps)
    for picture in (*drawn, *last):
        writer.send(np.ascontiguousarray(np.asarray(picture)[:height, :width]))
    writer.close()


def _provenance(history: RunHistory, choices: AnimationChoices) -> str:
    """Return what is needed to make it again, as JSON."""
    return json.dumps(
        {
            "metalab": __version__,
            "choices": asdict(choices),
            "config_digest": history.config.digest(),
            "config": history.config.to_mapping(),
        },
        sort_keys=True,
    )
