"""Makes a film of a run: choose, look at any frame of it, write it in the background."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QLocale, Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from metalab.figures.animation.choices import FORMATS, AnimationChoices, shown_steps
from metalab.figures.base import FigureChoices
from metalab.figures.errors import FigureError
from metalab.runs.system.background_job import GiveUp
from metalab.ui.export.animation.options import AnimationOptions
from metalab.ui.export.animation.preview import AnimationPreview
from metalab.ui.export.animation.progress import AnimationProgress, sentence
from metalab.ui.export.animation.work import (
    FrameMaker,
    FrameRequest,
    FrameShown,
    Weight,
    write_file,
)
from metalab.ui.export.jobs import ExportJobs, JobKind
from metalab.ui.export.target import documents_folder, run_stem
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme
from metalab.ui.widgets.painted import tint
from metalab.ui.widgets.plain_text import plain_tip

if TYPE_CHECKING:
    from metalab.runs.record.history import RunHistory


def ask_for_file(
    parent: QWidget, stem: str, suffix: str, then: Callable[[Path], None]
) -> None:
    """Open a dialog for the name of a file.

    Args:
        parent: The dialog that asks.
        stem: A name for the film, which tells run and figure.
        suffix: Of the format.
        then: Called with the path, if one is chosen.
    """

    def chosen(name: str) -> None:
        then(Path(name))

    title = "Export animation as"
    dialog = QFileDialog(parent, title)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilter(f"{FORMATS[suffix]} (*{suffix})")
    dialog.setDefaultSuffix(suffix.removeprefix("."))
    dialog.setDirectory(str(documents_folder()))
    dialog.selectFile(stem + suffix)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(chosen)
    dialog.open()


_MB = 1_000_000
"""From here on a decimal is worth telling."""


class AnimationFacts(QLabel):
    """Frames, seconds, pixels and, once frames have been drawn, bytes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without a film."""
        super().__init__(parent)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAccessibleName("Film")

    def show_film(
        self,
        choices: AnimationChoices,
        num_frames: int,
        suffix: str,
        weight: Weight | None,
    ) -> None:
        """Tell of a film.

        Args:
            choices: What it is.
            num_frames: How many there are.
            suffix: Of its format.
            weight: What its frames take; None if that is not known yet.
        """
        width, height = choices.pixels
        parts = [
            f"{num_frames} frames",
            f"{choices.seconds(num_frames):.1f} s",
            f"{width} × {height} pixels",
        ]
        if weight is not None:
            size = round(weight.of_file(num_frames, suffix))
            told = QLocale().formattedDataSize(
                size, int(size >= _MB), QLocale.DataSizeFormat.DataSizeSIFormat
            )
            parts.append(f"about {told}")
        self.setText(" · ".join(parts))


_DEBOUNCE_MS = 150
_MARGIN = 16
_SIDE_WIDTH = 360
_SIZE = (1000, 600)


class AnimationDialog(QDialog):
    """One run as it was when the dialog was opened, as a film.

    Errors and results are told in the dialog itself; it stays open until it is closed.
    """

    def __init__(
        self,
        history: "RunHistory",
        choices: FigureChoices,
        *,
        parent: QWidget | None = None,
    ) -> None:
        """Prepare the dialog; frames are drawn once it is shown.

        Args:
            history: The run.
            choices: How figures are drawn at first, such as the task that is looked at.
            parent: The window.
        """
        super().__init__(parent)
        self.setWindowTitle("Export animation")
        self._history = history
        self.jobs = ExportJobs(self)
        self._maker = FrameMaker(history)
        self._looking, self._writing = GiveUp(), GiveUp()
        self._looked_at: AnimationChoices | None = None
        self._weight: Weight | None = None
        self._preview = AnimationPreview(self)
        self._options = AnimationOptions(history, choices, self)
        self._facts = AnimationFacts(self)
        self._progress = AnimationProgress(self)
        self._close = QPushButton("Close", self)
        self._export = QPushButton("&Export…", self)
        self.debounce = QTimer(self)
        self.debounce.setSingleShot(True)
        self.debounce.setInterval(_DEBOUNCE_MS)
        self._arrange()
        self._connect()
        follow_theme(self._take_theme)
        self._preview.show_message("Rendering…")

    @property
    def preview(self) -> AnimationPreview:
        """Shows a frame."""
        return self._preview

    @property
    def options(self) -> AnimationOptions:
        """Says what is animated."""
        return self._options

    @property
    def dpi(self) -> QSpinBox:
        """Resolution of the frames."""
        return self._options.dpi

    @property
    def facts(self) -> str:
        """How many frames, how long and how large; "" while that is not known."""
        return self._facts.text()

    @property
    def status(self) -> str:
        """What the dialog says about the last export; "" if nothing."""
        return self._progress.text

    @property
    def running(self) -> bool:
        """Whether a film is being written."""
        return self.jobs.is_busy(JobKind.SAVE)

    def _take_theme(self, theme: Theme) -> None:
        tint(self._facts, theme.muted)

    def showEvent(self, event: QShowEvent) -> None:
        """Draw the first frame, once the dialog is on the screen."""
        super().showEvent(event)
        self._on_changed()

    def done(self, result: int) -> None:
        """Close; what is being drawn is given up, and leaves nothing."""
        self._looking.set()
        self._writing.set()
        self.debounce.stop()
        self.jobs.close()
        super().done(result)

    def start(self, path: Path) -> None:
        """Write the film in the background.

        Args:
            path: Its suffix names the format; of .png, a folder of frames is made.
        """
        try:
            choices = self._options.choices()
        except FigureError as error:
            self._tell(sentence(str(error)), error=True)
            return
        # A frame that nobody looks at now would keep the film waiting.
        self.debounce.stop()
        self._looking.set()
        self._writing = GiveUp()
        self._tell("Drawing…")
        work = partial(
            write_file,
            path,
            self._history,
            choices,
            self._progress.frames.note,
            self._writing,
        )
        self.jobs.order(JobKind.SAVE, work)
        self._show_running()

    def cancel(self) -> None:
        """Give up the film that is being written; nothing of it stays."""
        self._writing.set()

    def _on_changed(self) -> None:
        self._tell("")
        self._look()

    def _look(self) -> None:
        """Have the wanted frame drawn, or say why that cannot be."""
        if self.running:
            return
        try:
            choices = self._options.choices()
            steps = shown_steps(self._history, choices)
            choices.durations(len(steps), self._options.suffix)
        except FigureError as error:
            self._refuse(str(error))
            return
        self._preview.set_count(len(steps))
        self._export.setEnabled(True)
        self._show_facts()
        self.debounce.start()

    def _on_debounced(self) -> None:
        choices = self._options.choices()
        if choices != self._looked_at:
            self._weight = None
            # The axes of what was chosen before are not needed any more.
            self._looking.set()
            self._looking = GiveUp()
            self._looked_at = choices
        request = FrameRequest(
            choices,
            self._preview.index,
            self._preview.dpi(choices.size),
            self._looking,
        )
        self.jobs.order(JobKind.PREVIEW, partial(self._maker.show, request))

    def _on_frame_chosen(self) -> None:
        if not self.debounce.isActive():
            self._on_debounced()

    def _on_finished(self, kind: JobKind, result: Any) -> None:
        if kind is JobKind.SAVE:
            self._tell_written(result)
        elif isinstance(result, FrameShown):
            self._weight = result.weight
            self._preview.show_frame(result)
            self._show_facts()

    def _on_refused(self, kind: JobKind, reason: str) -> None:
        if kind is JobKind.SAVE:
            self._show_running()
            self._tell(sentence(reason), error=True)
            self._look_again()
        else:
            self._refuse(reason)

    def _tell_written(self, written: Path | None) -> None:
        self._show_running()
        if written is None:
            self._tell("Cancelled: nothing was written")
        else:
            self._tell(f"Saved {written.name}")
            self._progress.setToolTip(plain_tip(str(written)))
        self._look_again()

    def _look_again(self) -> None:
        # What was looked at may have been given up for the film.
        self._looked_at = None
        self._look()

    def _refuse(self, reason: str) -> None:
        """Say why nothing can be drawn, in the place of the frame."""
        self.debounce.stop()
        self._preview.set_count(0)
        self._preview.show_message(sentence(reason))
        self._facts.clear()
        self._export.setEnabled(False)

    def _on_export(self) -> None:
        figure, suffix = self._options.choices().figure, self._options.suffix
        stem = f"{run_stem(self._history)}-{figure}"
        ask_for_file(self, stem, suffix, self.start)

    def _show_facts(self) -> None:
        choices = self._options.choices()
        count = len(shown_steps(self._history, choices))
        weight = self._weight if choices == self._looked_at else None
        self._facts.show_film(choices, count, self._options.suffix, weight)

    def _show_running(self) -> None:
        running = self.running
        self._options.setEnabled(not running)
        self._preview.set_movable(movable=not running)
        self._export.setEnabled(not running)
        self._progress.set_running(running=running)

    def _tell(self, text: str, *, error: bool = False) -> None:
        self._progress.tell(text, error=error)
        self._progress.setToolTip("")

    def _connect(self) -> None:
        self.debounce.timeout.connect(self._on_debounced)
        self._options.changed.connect(self._on_changed)
        self._preview.resized.connect(self._look)
        self._preview.frame_chosen.connect(self._on_frame_chosen)
        self.jobs.finished.connect(self._on_finished)
        self.jobs.refused.connect(self._on_refused)
        self._export.clicked.connect(self._on_export)
        self._progress.cancelled.connect(self.cancel)
        self._close.clicked.connect(self.reject)

    def _arrange(self) -> None:
        self._close.setAutoDefault(False)
        self._export.setDefault(True)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self._close)
        buttons.addWidget(self._export)
        side = QWidget(self)
        side.setFixedWidth(_SIDE_WIDTH)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self._options)
        column.addWidget(self._facts)
        column.addStretch(1)
        column.addWidget(self._progress)
        column.addLayout(buttons)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        layout.setSpacing(_MARGIN)
        layout.addWidget(self._preview, 1)
        layout.addWidget(side)
        self.resize(*_SIZE)
