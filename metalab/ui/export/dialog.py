"""Makes a figure for paper: choose, look at it in its true size, save or copy."""

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QMimeData, Qt, QTimer, QUrl
from PySide6.QtGui import (
    QDesktopServices,
    QGuiApplication,
    QImage,
    QKeySequence,
    QShortcut,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from metalab.figures.base import FigureChoices
from metalab.figures.registry import figure_named
from metalab.runs.record.history import RunHistory
from metalab.ui.export.jobs import ExportJobs, JobKind
from metalab.ui.export.options import ExportOptions
from metalab.ui.export.preview import ExportPreview
from metalab.ui.export.rows import align_labels
from metalab.ui.export.settings import ExportSettings
from metalab.ui.export.target import ExportTarget, run_stem
from metalab.ui.export.work import (
    Copy,
    FigureRequest,
    list_fonts,
    make_copy,
    make_preview,
    save_file,
)
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme
from metalab.ui.widgets.painted import tint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from metalab.figures.sights import Sight, Standpoint

_DEBOUNCE_MS = 150
_MARGIN = 16
_SIDE_WIDTH = 340
_SIZE = (980, 640)


def _no_sights() -> "Mapping[str, Sight]":
    return {}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """The window's view when the dialog is opened.

    Attributes:
        then: The run as it was at the playhead, for figures of one moment; None for the
            run as it is.
        figure: The figure of the page in view; "" for the one that was made last.
        sights: What pages show, by name of the figure that is drawn from it.
        standpoint: Where in the run the window stands, for what takes no time to
            compute; None before there are meta-parameters.
    """

    then: "RunHistory | None" = None
    figure: str = ""
    sights: "Mapping[str, Sight]" = field(default_factory=_no_sights)
    standpoint: "Standpoint | None" = None


class ExportDialog(QDialog):
    """One run as it was when the dialog was opened, as figures.

    Errors and results are told in the dialog itself; it stays open until it is closed.
    """

    def __init__(
        self,
        history: "RunHistory",
        *,
        choices: FigureChoices | None = None,
        seen: Seen | None = None,
        settings: ExportSettings | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """Prepare the dialog; figures are drawn once it is shown.

        Args:
            history: The run.
            choices: How figures are drawn at first, such as the task that is looked at.
            seen: What the pages show.
            settings: What the dialog was left with the last time.
            parent: The window.
        """
        super().__init__(parent)
        self.setWindowTitle("Export figure")
        settings = settings or ExportSettings()
        self._history = history
        self._seen = seen or Seen()
        self._then = self._seen.then or history
        self.jobs = ExportJobs(self)
        self._options = ExportOptions(
            history,
            settings=settings,
            choices=choices or FigureChoices(),
            figure=self._seen.figure,
            parent=self,
        )
        self._preview = ExportPreview(
            paper=self._options.paper, fit=settings.fit, parent=self
        )
        self._target = ExportTarget(settings=settings, parent=self)
        self._line = QFrame(self)
        self._status = QLabel(self)
        self._open_folder = QPushButton("Open fol&der", self)
        self._copy = QPushButton("&Copy", self)
        self._close = QPushButton("Close", self)
        self._save = QPushButton("&Save", self)
        self._saved: tuple[Path, ...] = ()
        self._fonts_wanted = False
        self._leaving: int | None = None
        self.debounce = QTimer(self)
        self.debounce.setSingleShot(True)
        self.debounce.setInterval(_DEBOUNCE_MS)
        self._arrange()
        self._connect()
        follow_theme(self._take_theme)
        self._preview.show_message("Rendering…")
        self._suggest()
        self._tell("")

    def _suggest(self) -> None:
        """Name the file after run and figure, and the step where it is an earlier one."""
        figure = self._options.figure
        stem = f"{run_stem(self._history)}-{figure}"
        step = self._then.step
        if step < self._history.step and not figure_named(figure).over_training:
            stem += f"-step-{step}"
        self._target.suggest(stem)

    def _what_is_seen(self) -> "Sight | Standpoint | None":
        """Return what the chosen figure is drawn from, or where to look for it."""
        figure = self._options.figure
        spec = figure_named(figure)
        if figure in self._seen.sights:
            return self._seen.sights[figure]
        if spec.sight is RunHistory:
            return self._history if spec.over_training else self._then
        return self._seen.standpoint

    @property
    def choices(self) -> FigureChoices:
        """How figures are drawn, as chosen last."""
        return self._options.choices

    @property
    def preview(self) -> ExportPreview:
        """Shows the figure."""
        return self._preview

    @property
    def options(self) -> ExportOptions:
        """Says which figure."""
        return self._options

    @property
    def target(self) -> ExportTarget:
        """Says where it goes."""
        return self._target

    @property
    def status(self) -> str:
        """What the dialog says about the last save or copy; "" if nothing."""
        return self._status.text()

    def settings(self) -> ExportSettings:
        """Return what to pass to the next dialog."""
        path = self._target.path
        width, font_size, line_width = self._options.style_rows.own
        return ExportSettings(
            figure=self._options.figure,
            size=self._options.paper.name,
            suffix=self._target.suffix,
            dpi=self._target.dpi,
            folder=str(path.parent) if path is not None else "",
            width=width,
            font=self._options.paper.font,
            font_size=font_size,
            line_width=line_width,
            svg_text=self._target.svg_text,
            fit=self._preview.fit,
        )

    def _take_theme(self, theme: Theme) -> None:
        tint(self._status, theme.text)
        tint(self._line, theme.border)

    def showEvent(self, event: QShowEvent) -> None:
        """Draw the first preview, once the dialog is on the screen."""
        super().showEvent(event)
        self.debounce.start()

    def done(self, result: int) -> None:
        """Close, once a file that is being saved is there; stay if it cannot be."""
        self.debounce.stop()
        if self.jobs.is_busy(JobKind.SAVE):
            self._leaving = result
            self.jobs.keep_only_saving()
            return
        self.jobs.close()
        super().done(result)

    def copy(self) -> None:
        """Put the figure on the clipboard."""
        if self._copy.isEnabled():
            self._tell("Copying…")
            request = self.figure_request(self._target.dpi)
            self.jobs.order(JobKind.COPY, partial(make_copy, request))

    def save(self) -> None:
        """Write the file."""
        if not self._save.isEnabled():
            return
        path = self._target.path
        if path is None:
            self._tell("Enter the name of a file", error=True)
            return
        if self._target.replaced:
            self._ask_to_replace(path)
        else:
            self._write(path)

    def _ask_to_replace(self, path: Path) -> None:
        """Ask before a file that was there is gone."""
        names = " and ".join(self._target.replaced)
        question = QMessageBox(self)
        question.setIcon(QMessageBox.Icon.Question)
        question.setWindowTitle("Replace?")
        question.setTextFormat(Qt.TextFormat.PlainText)
        question.setText(f"Replace {names}?")
        question.setInformativeText("What is in there now will be lost.")
        replace = question.addButton("&Replace", QMessageBox.ButtonRole.AcceptRole)
        question.setDefaultButton(question.addButton(QMessageBox.StandardButton.Cancel))
        question.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        replace.clicked.connect(partial(self._write, path))
        question.open()

    def _write(self, path: Path) -> None:
        self._tell("Saving…")
        self._save.setEnabled(False)
        request = self.figure_request(self._target.dpi)
        self.jobs.order(JobKind.SAVE, partial(save_file, request, path))

    def figure_request(self, dpi: float) -> FigureRequest:
        """Return what to draw as it is chosen, in `dpi` dots per inch."""
        options = self._options
        return FigureRequest(
            options.figure,
            self._what_is_seen(),
            replace(options.paper, svg_text=self._target.svg_text),
            options.choices,
            dpi,
        )

    def _on_changed(self) -> None:
        self._preview.set_paper(self._options.paper)
        self._suggest()
        self._tell("")
        self.debounce.start()

    def _on_target_changed(self) -> None:
        self._tell("")

    def _on_debounced(self) -> None:
        request = self.figure_request(self._preview.dpi)
        self.jobs.order(JobKind.PREVIEW, partial(make_preview, request))

    def _on_finished(self, kind: JobKind, result: Any) -> None:
        if kind is JobKind.PREVIEW:
            self._preview.show_figure(QImage.fromData(result.png), result.caption)
            self._allow(drawable=True)
            self._look_for_fonts()
        elif kind is JobKind.FONTS:
            self._options.style_rows.offer_fonts(result)
        elif kind is JobKind.COPY:
            _to_clipboard(result)
            self._tell("Copied as PNG and SVG")
        else:
            self._save.setEnabled(True)
            self._tell_saved(result)
            if self._leaving is not None:
                self.done(self._leaving)

    def _look_for_fonts(self) -> None:
        """Have the fonts listed, once, after the first figure: that takes a while."""
        if not self._fonts_wanted:
            self._fonts_wanted = True
            self.jobs.order(JobKind.FONTS, list_fonts)

    def _on_refused(self, kind: JobKind, reason: str) -> None:
        if kind is JobKind.PREVIEW:
            self._preview.show_message(_sentence(reason))
            self._allow(drawable=False)
        elif kind is not JobKind.FONTS:
            self._save.setEnabled(True)
            self._leaving = None
            self._tell(_sentence(reason), error=True)

    def _on_open_folder(self) -> None:
        folder = self._saved[0].parent
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _allow(self, *, drawable: bool) -> None:
        """Let the figure be saved and copied, or not."""
        self._copy.setEnabled(drawable)
        self._save.setEnabled(drawable and not self.jobs.is_busy(JobKind.SAVE))

    def _tell_saved(self, paths: tuple[Path, ...]) -> None:
        names = " and ".join(path.name for path in paths)
        self._tell(f"Saved {names}")
        self._saved = paths
        self._open_folder.show()
        self._target.note_saved(paths)

    def _tell(self, text: str, *, error: bool = False) -> None:
        """Say something about the last save or copy, in place of what was said."""
        self._saved = ()
        self._open_folder.hide()
        self._status.setText(text)
        theme = current_theme()
        tint(self._status, theme.error if error else theme.text)

    def _connect(self) -> None:
        self.debounce.timeout.connect(self._on_debounced)
        self._options.changed.connect(self._on_changed)
        self._preview.scale_changed.connect(self.debounce.start)
        self._target.changed.connect(self._on_target_changed)
        self.jobs.finished.connect(self._on_finished)
        self.jobs.refused.connect(self._on_refused)
        self._copy.clicked.connect(self.copy)
        self._save.clicked.connect(self.save)
        self._close.clicked.connect(self.reject)
        self._open_folder.clicked.connect(self._on_open_folder)
        for key, slot in (
            (QKeySequence.StandardKey.Copy, self.copy),
            (QKeySequence.StandardKey.Save, self.save),
        ):
            QShortcut(QKeySequence(key), self).activated.connect(slot)

    def _arrange(self) -> None:
        align_labels([self._options.form, self._target.form])
        self._line.setFrameShape(QFrame.Shape.HLine)
        self._line.setFrameShadow(QFrame.Shadow.Plain)
        side = QWidget(self)
        side.setFixedWidth(_SIDE_WIDTH)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(14)
        column.addWidget(self._options)
        column.addWidget(self._line)
        column.addWidget(self._target)
        column.addStretch(1)
        column.addLayout(self._status_line())
        column.addLayout(self._buttons())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.setSpacing(_MARGIN)
        layout.addWidget(self._preview, 1)
        layout.addWidget(side)
        self.resize(*_SIZE)

    def _status_line(self) -> QHBoxLayout:
        self._status.setWordWrap(True)
        self._status.setTextFormat(Qt.TextFormat.PlainText)
        self._status.setAccessibleName("Result")
        self._open_folder.setAutoDefault(False)
        line = QHBoxLayout()
        line.addWidget(self._status, 1)
        line.addWidget(self._open_folder)
        return line

    def _buttons(self) -> QHBoxLayout:
        self._save.setDefault(True)
        self._copy.setToolTip("Put PNG and SVG on the clipboard")
        buttons = QHBoxLayout()
        for button in (self._copy, self._close):
            button.setAutoDefault(False)
        buttons.addWidget(self._copy)
        buttons.addStretch(1)
        buttons.addWidget(self._close)
        buttons.addWidget(self._save)
        return buttons


def _to_clipboard(copy: Copy) -> None:
    content = QMimeData()
    content.setImageData(QImage.fromData(copy.png))
    content.setData("image/svg+xml", copy.svg)
    QGuiApplication.clipboard().setMimeData(content)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
