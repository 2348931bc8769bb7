"""The part of the export dialog that says where the figure goes, and as what."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QStandardPaths, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)

from metalab.figures.formats import DPI_RANGE, FORMATS, files_of
from metalab.runs.system.home import file_stem
from metalab.ui.export.rows import add_row, choice_box, dense_form
from metalab.ui.export.settings import ExportSettings
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.painted import tint
from metalab.ui.widgets.plain_text import plain_tip

if TYPE_CHECKING:
    from metalab.runs.record.history import RunHistory

_DPI_STEP = 50


def documents_folder() -> Path:
    """Return where files go until a person chooses a place."""
    place = QStandardPaths.StandardLocation.DocumentsLocation
    folder = Path(QStandardPaths.writableLocation(place))
    return folder if folder.is_dir() else Path.home()


def run_stem(history: "RunHistory") -> str:
    """Return a part of a file name that tells a run from others."""
    path = history.path
    return file_stem(history.name if path is None else path.stem)


class ExportTarget(QWidget):
    """Format, resolution and path.

    Attributes:
        changed: The format, the resolution or the path is another.
    """

    changed = Signal()

    def __init__(
        self, *, settings: ExportSettings, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        folder = Path(settings.folder) if settings.folder else documents_folder()
        self._folder = folder
        self._suggested = ""
        self._own: set[Path] = set()
        self._format = choice_box(
            [(entry.title, suffix) for suffix, entry in FORMATS.items()],
            settings.suffix,
            self,
        )
        self._dpi = QSpinBox(self)
        self._dpi.setRange(*DPI_RANGE)
        self._dpi.setSingleStep(_DPI_STEP)
        self._dpi.setSuffix(" dots per inch")
        self._dpi.setValue(settings.dpi)
        self._svg_text = QCheckBox("&Keep text as text", self)
        self._svg_text.setChecked(settings.svg_text)
        self._svg_text.setToolTip(
            "For programs that edit it; else text becomes outlines, which look the "
            "same where the font is missing"
        )
        self._path = QLineEdit(self)
        self._browse = QPushButton("&Browse…", self)
        self._note = QLabel(self)
        self._form = dense_form(self)
        self._arrange()
        self._format.currentIndexChanged.connect(self._on_format_chosen)
        self._dpi.valueChanged.connect(self.changed)
        self._svg_text.toggled.connect(self.changed)
        self._path.textChanged.connect(self._on_path_changed)
        self._path.editingFinished.connect(self._on_path_entered)
        self._browse.clicked.connect(self._on_browse)
        self._show_format()
        follow_theme(self._take_theme)

    @property
    def form(self) -> QFormLayout:
        """The rows, for alignment with other forms."""
        return self._form

    @property
    def suffix(self) -> str:
        """Suffix of the chosen format."""
        return self._format.currentData()

    @property
    def dpi(self) -> int:
        """Dots per inch of a PNG."""
        return self._dpi.value()

    @property
    def svg_text(self) -> bool:
        """Whether text in an SVG stays text."""
        return self._svg_text.isChecked()

    @property
    def replaced(self) -> tuple[str, ...]:
        """Names of files that saving would replace, but for what was saved from here."""
        path = self.path
        return tuple(
            written.name
            for written in (files_of(path) if path is not None else ())
            if written not in self._own and _there(written)
        )

    @property
    def path(self) -> Path | None:
        """Where the figure goes; None if no file is named."""
        text = self._path.text().strip()
        start = Path.home() if text.startswith("~/") else self._folder
        path = start / text.removeprefix("~/")
        if not path.name or _there(path, directory=True):
            return None
        return path if path.suffix else path.with_suffix(self.suffix)

    @property
    def note(self) -> str:
        """What saving would do to files that are there; "" if nothing."""
        return self._note.text()

    def _take_theme(self, theme: Theme) -> None:
        tint(self._note, theme.muted)

    def suggest(self, stem: str) -> None:
        """Name the file after what it shows, unless a person has named it."""
        suggested = str(self._folder / f"{stem}{self.suffix}")
        if self._path.text() in ("", self._suggested):
            self._path.setText(suggested)
        self._suggested = suggested

    def note_saved(self, paths: Sequence[Path]) -> None:
        """Take in what was written: replacing it again needs no warning."""
        self._own.update(paths)
        self.refresh()

    def refresh(self) -> None:
        """Look again at what is there already."""
        path = self.path
        names = " and ".join(self.replaced)
        text = f"{names} exists already" if names else ""
        if len(self.replaced) > 1:
            text = f"{names} exist already"
        self._note.setText(text)
        self._path.setToolTip("" if path is None else plain_tip(str(path)))

    def _arrange(self) -> None:
        self._note.setWordWrap(True)
        self._browse.setAutoDefault(False)
        file_row = QWidget(self)
        line = QHBoxLayout(file_row)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self._path, 1)
        line.addWidget(self._browse)
        for text, field, editor in (
            ("F&ormat", self._format, self._format),
            ("&Resolution", self._dpi, self._dpi),
            ("F&ile", file_row, self._path),
        ):
            add_row(self._form, text, field, editor)
        self._form.insertRow(2, "", self._svg_text)
        self._form.addRow("", self._note)

    def _on_format_chosen(self) -> None:
        path = self.path
        if path is not None and path.suffix.lower() in FORMATS:
            renamed = str(path.with_suffix(self.suffix))
            if self._path.text() == self._suggested:
                self._suggested = renamed
            self._path.setText(renamed)
        self._show_format()
        self.refresh()
        self.changed.emit()

    def _on_path_changed(self) -> None:
        self.refresh()
        self.changed.emit()

    def _on_path_entered(self) -> None:
        """Take the format from a suffix that was typed."""
        path = self.path
        if path is not None:
            index = self._format.findData(path.suffix.lower())
            if index >= 0:
                self._format.setCurrentIndex(index)

    def _on_browse(self) -> None:
        path = self.path or self._folder
        filters = {
            f"{entry.title} (*{suffix})": suffix for suffix, entry in FORMATS.items()
        }
        chosen, _ = QFileDialog.getSaveFileName(
            self,
            "Save figure as",
            str(path),
            ";;".join(filters),
            next(text for text, suffix in filters.items() if suffix == self.suffix),
            # Saving asks; asking twice would be a nuisance.
            QFileDialog.Option.DontConfirmOverwrite,
        )
        if chosen:
            self._path.setText(chosen)
            self._on_path_entered()

    def _show_format(self) -> None:
        self._form.setRowVisible(self._dpi, self.suffix == ".png")
        self._form.setRowVisible(self._svg_text, self.suffix == ".svg")


def _there(path: Path, *, directory: bool = False) -> bool:
    try:
        return path.is_dir() if directory else path.exists()
    except OSError:
        # Out of reach, or no possible name: saving will say so.
        return False
