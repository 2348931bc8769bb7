"""Figures as files: the same bytes for the same history, and never half a file."""

import io
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from metalab import __version__
from metalab.core import paths
from metalab.engine.events import METRICS
from metalab.figures.base import FigureChoices, FigureSpec
from metalab.figures.drawing import Drawing
from metalab.figures.errors import FigureError
from metalab.figures.fonts import check_font
from metalab.figures.formats import DPI_RANGE, files_of, format_of
from metalab.figures.paint import NoRoomWarning, paint, styled
from metalab.figures.registry import figure_named
from metalab.figures.script import script
from metalab.figures.sights import Sight, history_of, step_of
from metalab.figures.sizes import FigureSize, size_named
from metalab.runs.record.history import RunHistory
from metalab.runs.record.reader import whole_rows


def draw(
    figure: FigureSpec | str,
    sight: Sight,
    *,
    size: FigureSize | str = "single",
    choices: FigureChoices | None = None,
) -> Figure:
    """Return a figure as matplotlib's object, for a notebook.

    Args:
        figure: A figure or its name.
        sight: What is seen: the run, or what the figure's page shows (`figures.sights`).
        size: A size, or the name of a preset.
        choices: What a person chose; the defaults if None.

    Raises:
        FigureError: A name is unknown, or the history lacks what the figure shows.
    """
    sheet = _sheet(figure, sight, size, choices)
    with styled(sheet.size):
        return paint(sheet.drawing, sheet.size)


def caption_of(
    figure: FigureSpec | str,
    sight: Sight,
    *,
    size: FigureSize | str = "single",
    choices: FigureChoices | None = None,
) -> str:
    """Return sentences that could stand below a figure; arguments as for `draw`.

    Raises:
        FigureError: A name is unknown, or the history lacks what the figure shows.
    """
    return _sheet(figure, sight, size, choices).drawing.caption


def encode(
    figure: FigureSpec | str,
    sight: Sight,
    suffix: str,
    *,
    size: FigureSize | str = "single",
    choices: FigureChoices | None = None,
    dpi: float = 300,
) -> bytes:
    """Return a figure as the content of a file.

    Args:
        figure: A figure or its name.
        sight: What is seen: the run, or what the figure's page shows (`figures.sights`).
        suffix: Of the format, such as ".svg".
        size: A size, or the name of a preset.
        choices: What a person chose; the defaults if None.
        dpi: Dots per inch of a PNG.

    Raises:
        FigureError: A name is unknown, or the history lacks what the figure shows.
    """
    name = Path(f"figure{suffix}")
    format_of(name)
    sheet = _sheet(figure, sight, size, choices)
    return _files(sheet, name, dpi)[name]


def render(
    figure: FigureSpec | str,
    sight: Sight,
    path: Path,
    *,
    size: FigureSize | str = "single",
    choices: FigureChoices | None = None,
    dpi: float = 300,
) -> tuple[Path, ...]:
    """Write a figure in the format that the path's suffix names.

    A file that is there already is replaced in one go, or stays as it was.

    Args:
        figure: A figure or its name.
        sight: What is seen: the run, or what the figure's page shows (`figures.sights`).
        path: .pdf, .svg, .png, .csv, or .py, which comes with its .csv beside it.
        size: A size, or the name of a preset.
        choices: What a person chose; the defaults if None.
        dpi: Dots per inch of a PNG.

    Returns:
        The files written; the one asked for comes first.

    Raises:
        FigureError: A name is unknown, the history lacks what the figure shows, or the
            file cannot be written. Then nothing has changed on disk.
        RunFileError: Data of every outer step are wanted, which a long run has in its
            file alone, and that cannot be read.
    """
    if format_of(path).suffix == ".csv" and isinstance(sight, RunHistory):
        sight = whole_rows(sight)
    return _write(_sheet(figure, sight, size, choices), path, dpi)


def _write(sheet: "_Sheet", path: Path, dpi: float) -> tuple[Path, ...]:
    format_of(path)
    check_target(path)
    files = _files(sheet, path, dpi)
    # The data first: a script never stands without them.
    for target in reversed(files):
        replace_file(target, files[target])
    return tuple(files)


def render_drawing(
    drawing: Drawing,
    path: Path,
    *,
    title: str,
    origin: str,
    size: FigureSize | str = "single",
    dpi: float = 300,
) -> tuple[Path, ...]:
    """Write a drawing that is of no single run, in the format of the path's suffix.

    Args:
        drawing: What to draw.
        path: See `render`.
        title: One line.
        origin: Where the data come from, for a reader.
        size: A size, or the name of a preset.
        dpi: Dots per inch of a PNG.

    Returns:
        The files written; the one asked for comes first.

    Raises:
        FigureError: See `render`.
    """
    return _write(_sheet_of(drawing, title, origin, size), path, dpi)


def encode_drawing(
    drawing: Drawing,
    suffix: str,
    *,
    title: str,
    origin: str = "",
    size: FigureSize | str = "single",
    dpi: float = 300,
) -> bytes:
    """Return a drawing that is of no single run as the content of a file.

    Arguments are those of `render_drawing`.

    Raises:
        FigureError: See `encode`.
    """
    name = Path(f"figure{suffix}")
    format_of(name)
    return _files(_sheet_of(drawing, title, origin, size), name, dpi)[name]


def _sheet_of(
    drawing: Drawing, title: str, origin: str, size: FigureSize | str
) -> "_Sheet":
    provenance = {"metalab": __version__, "caption": drawing.caption, "origin": origin}
    return _Sheet(
        title=title,
        size=size_named(size) if isinstance(size, str) else size,
        drawing=drawing,
        origin=origin,
        provenance=json.dumps(provenance, sort_keys=True),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """A figure ready to be drawn.

    Attributes:
        title: One line.
        size: At which size.
        drawing: How.
        origin: Where its data come from, for a reader.
        provenance: The same for a program: everything needed to make it again, JSON.
    """

    title: str
    size: FigureSize
    drawing: Drawing
    origin: str
    provenance: str


def _told_of_wreck(drawing: Drawing, history: RunHistory) -> Drawing:
    """Return a drawing whose caption says that the run diverged, if it did."""
    diverged = history.diverged
    if diverged is None:
        return drawing
    label = next(info.label for info in METRICS if info.name == diverged.quantity)
    said = (
        f"The run diverged at outer step {diverged.step:,} ({label} "
        f"{diverged.value:.3g}); what is shown ends at its last good state, step "
        f"{diverged.last_good_step:,}."
    )
    return replace(drawing, caption=f"{drawing.caption} {said}")


def _sheet(
    figure: FigureSpec | str,
    sight: Sight,
    size: FigureSize | str,
    choices: FigureChoices | None,
) -> _Sheet:
    spec = figure_named(figure) if isinstance(figure, str) else figure
    chosen_size = size_named(size) if isinstance(size, str) else size
    check_font(chosen_size.font)
    chosen = choices or FigureChoices()
    history, step = history_of(sight), step_of(sight)
    drawing = _told_of_wreck(_drawn(spec, sight, chosen, chosen_size), history)
    config = history.config_at(step)
    digest = config.digest()
    heeded = {k: v for k, v in asdict(chosen).items() if k in spec.heeds}
    provenance: dict[str, Any] = {
        "metalab": __version__,
        "figure": spec.name,
        "size": chosen_size.name,
        "style": {
            "width": chosen_size.width,
            "font": chosen_size.font,
            "font_size": chosen_size.text,
            "line_width": chosen_size.line,
        },
        "choices": heeded,
        "caption": drawing.caption,
        "outer_step": step,
        "config_digest": digest,
        "config": config.to_mapping(),
        "edits": [asdict(edit) for edit in history.configs.edits_before(step)],
    }
    return _Sheet(
        title=spec.title,
        size=chosen_size,
        drawing=drawing,
        origin=(
            f"metalab {__version__}, figure {spec.name}, config digest {digest}, "
            f"seed {config.run.seed}, outer step {step}"
        ),
        provenance=json.dumps(provenance, sort_keys=True),
    )


def _drawn(
    spec: FigureSpec, sight: Sight, choices: FigureChoices, size: FigureSize
) -> Drawing:
    """Return the drawing of what is seen.

    Raises:
        FigureError: The figure is of something else, or that lacks what is needed.
    """
    if isinstance(sight, spec.sight):
        return spec.draw(sight, choices, size)
    if isinstance(sight, RunHistory):
        raise FigureError(
            f"figure {spec.name!r} is of what the page {spec.page.capitalize()} shows, "
            "not of a run's history alone: compute that with figures.looking.sight_of"
        )
    raise FigureError(f"figure {spec.name!r} is of {spec.sight.__name__}")


def _files(sheet: _Sheet, path: Path, dpi: float) -> dict[Path, bytes]:
    """Return what to write where, in the order in which to name it."""
    low, high = DPI_RANGE
    if not low <= dpi <= high:
        raise FigureError(f"dpi is {dpi:g}; allowed: {low} to {high}")
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return {path: sheet.drawing.table.to_csv().encode()}
    if sheet.drawing.no_room:
        raise FigureError(sheet.drawing.no_room)
    if suffix == ".py":
        text = script(sheet.drawing, sheet.size, title=sheet.title, origin=sheet.origin)
        _, csv_path = files_of(path)
        return {path: text.encode(), **_files(sheet, csv_path, dpi)}
    return {path: _printed(sheet, suffix, dpi)}


def _printed(sheet: _Sheet, suffix: str, dpi: float) -> bytes:
    content = io.BytesIO()
    with styled(sheet.size):
        figure = paint(sheet.drawing, sheet.size)
        try:
            figure.savefig(
                content, format=suffix[1:], dpi=dpi, metadata=_metadata(sheet, suffix)
            )
        except NoRoomWarning as warning:
            raise FigureError(
                f"there is no room for this figure at a width of {sheet.size.width:g} mm "
                f"with text of {sheet.size.text:g} points: make it wider or the text "
                "smaller"
            ) from warning
    return content.getvalue()


def _metadata(sheet: _Sheet, suffix: str) -> dict[str, Any]:
    """Return what the file says about itself; no clock, so equal runs, equal files."""
    program = f"metalab {__version__}"
    title = sheet.title
    if suffix == ".pdf":
        return {
            "Title": title,
            "Creator": program,
            "Keywords": sheet.origin,
            "Subject": sheet.provenance,
            "CreationDate": None,
        }
    if suffix == ".svg":
        return {
            "Title": title,
            "Creator": program,
            "Keywords": sheet.origin,
            "Description": sheet.provenance,
            "Date": None,
        }
    return {
        "Title": title,
        "Software": program,
        "Keywords": sheet.origin,
        "Description": sheet.provenance,
    }


def check_folder(folder: Path) -> None:
    """Refuse a folder that nothing can be written to.

    Raises:
        FigureError: It does not exist or cannot be looked at.
    """
    try:
        there = folder.is_dir()
    except OSError as error:
        raise FigureError(f"cannot write to {folder}: {error.strerror}") from error
    if not there:
        raise FigureError(f"the folder {folder} does not exist")


def check_target(path: Path) -> None:
    """Refuse a file that `replace_file` could not write.

    Raises:
        FigureError: Its folder takes no file, or something else has its name.
    """
    check_folder(path.parent)
    obstacle = paths.obstacle_to_write(path)
    if obstacle is not None:
        raise FigureError(f"cannot write {path}: {obstacle}")


def replace_file(path: Path, content: bytes) -> None:
    """Write a file beside its final name, then move it there in one step.

    Raises:
        FigureError: It cannot be written; what was there stays.
    """
    try:
        paths.replace_file(path, content)
    except OSError as error:
        raise FigureError(f"cannot write {path}: {error.strerror}") from error
