"""The dialog that makes an animation of the run that is shown."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from metalab.core.errors import UserError
from metalab.figures.base import FigureChoices
from metalab.runs.background import BackgroundJob

if TYPE_CHECKING:
    from metalab.figures.animation import AnimationChoices
    from metalab.runs.history import RunHistory

POLL_MS = 50
_SUFFIXES = (".gif", ".webp", ".mp4", ".png")
_SWEEPS = (
    ("inner", "adaptation"),
    ("outer", "adaptation"),
    ("outer", "inner-loss"),
    ("outer", "losses"),
)


class AnimationDialog(QDialog):
    """What is swept, how fast, in which format; drawn in the background."""

    def __init__(
        self,
        history: "RunHistory",
        choices: FigureChoices,
        *,
        parent: QWidget | None = None,
    ) -> None:
        """Offer animations of a run.

        Args:
            history: The run as it is shown.
            choices: What is chosen about its figures.
            parent: Qt's parent.
        """
        super().__init__(parent)
        self._history = history
        self._choices = choices
        self._job: BackgroundJob[bool] | None = None
        self._cancelled = _Flag()
        self._done = (0, 0)
        self.setWindowTitle(self.tr("Export animation"))
        self.what = QComboBox(self)
        for text in (
            self.tr("Adaptation, inner steps"),
            self.tr("Adaptation, outer steps"),
            self.tr("Loss against inner step, outer steps"),
            self.tr("Losses over training, outer steps"),
        ):
            self.what.addItem(text)
        self.kind = QComboBox(self)
        self.kind.addItems(["GIF", "WebP", "MP4", self.tr("PNG frames")])
        self.fps = _box(1, 60, 6, self)
        self.frames = _box(2, 600, 60, self)
        self.dpi = _box(30, 600, 150, self)
        self.bar = QProgressBar(self)
        self.state = QLabel(self)
        self.state.setWordWrap(True)
        self.export = QPushButton(self.tr("&Export…"), self)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._arrange()
        self.what.currentIndexChanged.connect(self._show_choices)
        self.export.clicked.connect(self._on_export)
        self.buttons.rejected.connect(self.reject)
        self._timer.timeout.connect(self._poll)
        self._show_choices()

    def _arrange(self) -> None:
        form = QFormLayout()
        for text, widget in (
            (self.tr("&What"), self.what),
            (self.tr("&Format"), self.kind),
            (self.tr("F&rames a second"), self.fps),
            (self.tr("&Most frames"), self.frames),
            (self.tr("&Dots per inch"), self.dpi),
        ):
            form.addRow(text, widget)
        self.bar.hide()
        self.buttons.addButton(self.export, QDialogButtonBox.ButtonRole.ActionRole)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.state)
        layout.addWidget(self.bar)
        layout.addWidget(self.buttons)
        self.setMinimumWidth(420)

    @property
    def running(self) -> bool:
        """Whether frames are being drawn."""
        return self._job is not None

    def animation_choices(self) -> "AnimationChoices":
        """Return what is chosen.

        Raises:
            FigureError: It is not admissible.
        """
        # matplotlib takes a second: not before it is needed.
        from metalab.figures.animation import AnimationChoices  # noqa: PLC0415

        sweep, figure = _SWEEPS[self.what.currentIndex()]
        return AnimationChoices(
            figure=figure,
            sweep=sweep,
            num_frames=self.frames.value(),
            fps=self.fps.value(),
            dpi=self.dpi.value(),
            figure_choices=self._choices,
        )

    def start(self, path: Path) -> None:
        """Draw and write in the background."""
        try:
            choices = self.animation_choices()
        except UserError as error:
            self.state.setText(str(error))
            return
        history, flag = self._history, self._cancelled
        flag.on = False

        def work() -> bool:
            from metalab.figures.animation_file import (  # noqa: PLC0415
                write_animation,
            )

            return write_animation(
                path,
                history,
                choices,
                progress=self._on_progress,
                cancelled=flag.is_on,
            )

        self._job = BackgroundJob(work, name="animation")
        self._job.start()
        self.state.setText(self.tr("Drawing…"))
        self.bar.show()
        self.export.setText(self.tr("&Cancel"))
        self._timer.start()

    def reject(self) -> None:
        """Close; what is being drawn is given up."""
        self._cancelled.on = True
        self._timer.stop()
        if self._job is not None:
            self._job.join()
            self._job = None
        super().reject()

    def _on_progress(self, done: int, count: int) -> None:
        # In the other thread: only a pair is replaced.
        self._done = (done, count)

    def _on_export(self) -> None:
        if self.running:
            self._cancelled.on = True
            return
        suffix = _SUFFIXES[self.kind.currentIndex()]
        dialog = QFileDialog(self, self.tr("Export animation"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(suffix.removeprefix("."))
        dialog.selectFile(f"{self._history.config.name}{suffix}")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_file)
        dialog.open()

    def _on_file(self, name: str) -> None:
        self.start(Path(name))

    def _poll(self) -> None:
        done, count = self._done
        self.bar.setRange(0, count)
        self.bar.setValue(done)
        job = self._job
        if job is None or not job.done:
            return
        self._job = None
        self._timer.stop()
        self.bar.hide()
        self.export.setText(self.tr("&Export…"))
        try:
            written = job.result()
        except UserError as error:
            self.state.setText(str(error))
            return
        told = (
            self.tr("Written") if written else self.tr("Cancelled: nothing was written")
        )
        self.state.setText(told)

    def _show_choices(self) -> None:
        inner = _SWEEPS[self.what.currentIndex()][0] == "inner"
        self.frames.setEnabled(not inner)
        count = 1 + self._history.config.num_shown_steps
        if not inner:
            count = len(self._history.trail)
        text = self.tr("{} inner steps") if inner else self.tr("{} states are kept")
        self.state.setText(text.format(count - 1 if inner else count))


class _Flag:
    """Set in one thread, seen in another."""

    def __init__(self) -> None:
        self.on = False

    def is_on(self) -> bool:
        return self.on


def _box(low: int, high: int, value: int, parent: QWidget) -> QSpinBox:
    box = QSpinBox(parent)
    box.setRange(low, high)
    box.setValue(value)
    return box
