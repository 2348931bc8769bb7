"""The kinds of file that an animation can become; each writer streams what it can."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from metalab import __version__

PROVENANCE_FILE = "animation.json"
"""In a folder of frames; also what tells such a folder from any other."""

_PROGRAM = f"metalab {__version__}"
_EXIF_DESCRIPTION, _EXIF_SOFTWARE = 0x010E, 0x0131
_MS = 1000
_WEBP_EFFORT = 2
"""Files are less than half of those of 0; more effort wins next to nothing."""

_GIF_COLOURS = 256
_EXACT_COLOURS = 128
"""Of those of a GIF: the most frequent; the others stand for soft edges."""

_QUALITY = 8
"""Of 10: thin lines and small letters stay sharp."""


Colours = NDArray[np.uint8]
"""Red, green and blue, [colour, 3]."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Film:
    """What is written.

    Attributes:
        frames: RGB pictures in order, each made when asked for; once.
        samples: A few of the frames that have all colours; once.
        durations: How long each frame stands, in ms.
        fps: Frames a second while none is held.
        size: Width and height of the frames in pixels.
        stem: What files in a folder are called, without numbers.
        title: One line.
        provenance: Everything needed to make it again, JSON in ASCII.
    """

    frames: Iterator[Image.Image]
    samples: Iterator[Image.Image]
    durations: list[int]
    fps: int
    size: tuple[int, int]
    stem: str
    title: str
    provenance: str


def write_gif(path: Path, film: Film) -> None:
    """Write a GIF whose frames share one palette, so that no colour flickers."""
    palette = _palette(film)

    def reduced() -> Iterator[Image.Image]:
        for frame in film.frames:
            yield _reduced(frame, palette)

    frames = reduced()
    next(frames).save(
        path,
        format="GIF",
        save_all=True,
        append_images=frames,
        duration=film.durations,
        loop=0,
        comment=film.provenance.encode("ascii"),
    )


def _palette(film: Film) -> Colours:
    """Return colours, [colour, 3]: those of paper, lines and letters are exact.

    The usual reduction averages colours, and makes white paper grey.
    """
    rows = [np.asarray(sample).reshape(-1, 3) for sample in film.samples]
    colours, counts = np.unique(np.concatenate(rows), axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    exact, rest = np.split(colours[order], [_EXACT_COLOURS])
    if len(rest) == 0:
        return exact
    reduced = Image.fromarray(rest[None]).quantize(_GIF_COLOURS - _EXACT_COLOURS)
    return np.concatenate([exact, np.reshape(reduced.getpalette() or [], (-1, 3))])


def _reduced(frame: Image.Image, palette: Colours) -> Image.Image:
    """Return a frame in the palette's nearest colours; Pillow's search is rough."""
    pixels = np.asarray(frame).astype(np.int32)
    packed = pixels @ np.array([1 << 16, 1 << 8, 1], dtype=np.int32)
    there, where = np.unique(packed, return_inverse=True)
    colours = np.stack([there >> 16, (there >> 8) & 255, there & 255], axis=1)
    nearest = [
        np.argmin(((palette.astype(np.int32) - colour) ** 2).sum(axis=1))
        for colour in colours
    ]
    chosen = np.array(nearest, dtype=np.uint8)[where].reshape(packed.shape)
    picture = Image.fromarray(chosen)
    picture.putpalette(palette.astype(np.uint8).tobytes())
    return picture


def write_webp(path: Path, film: Film) -> None:
    """Write a lossless WebP: drawings of few colours are smaller so, and exact."""
    exif = Image.Exif()
    exif[_EXIF_SOFTWARE] = _PROGRAM
    exif[_EXIF_DESCRIPTION] = film.provenance
    next(film.frames).save(
        path,
        format="WEBP",
        save_all=True,
        append_images=film.frames,
        duration=film.durations,
        loop=0,
        lossless=True,
        method=_WEBP_EFFORT,
        exif=exif,
    )


def write_folder(path: Path, film: Film) -> None:
    """Write numbered PNG files into a new folder, with a file that says what they are."""
    path.mkdir()
    facts = PngImagePlugin.PngInfo()
    facts.add_text("Title", film.title)
    facts.add_text("Software", _PROGRAM)
    facts.add_text("Description", film.provenance)
    for index, frame in enumerate(film.frames):
        frame.save(path / f"{film.stem}-{index:04}.png", pnginfo=facts)
    (path / PROVENANCE_FILE).write_text(film.provenance, encoding="ascii")


def write_mp4(path: Path, film: Film) -> None:
    """Write H.264 in MP4, which has no times of its own for frames: held ones repeat.

    Raises:
        OSError: The encoder failed.
    """
    facts = {"title": film.title, "comment": film.provenance}
    options = [f"{name}={value}" for name, value in facts.items()]
    writer = imageio_ffmpeg.write_frames(
        str(path),
        film.size,
        fps=film.fps,
        quality=_QUALITY,
        macro_block_size=2,
        output_params=[
            *("-f", "mp4"),
            *(part for option in options for part in ("-metadata", option)),
        ],
    )
    try:
        writer.send(None)
        shown, due = 0, 0.0
        for frame, duration in zip(film.frames, film.durations, strict=True):
            due += duration * film.fps / _MS
            content = frame.tobytes()
            # At least once: rounding takes no frame away.
            for _ in range(max(1, round(due) - shown)):
                writer.send(content)
                shown += 1
    finally:
        writer.close()


def png_size(picture: NDArray[np.uint8]) -> int:
    """Return how many bytes a picture, [row, column, 3], takes as a PNG."""
    content = io.BytesIO()
    Image.fromarray(picture).save(content, format="PNG")
    return content.tell()
