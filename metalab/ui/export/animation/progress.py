"""The part of the animation dialog that says how far a film is, and what became of it."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from metalab.ui.session.thread_signal import ThreadSignal
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme
from metalab.ui.widgets.painted import tint


class FrameCount:
    """Frames drawn, of how many: counted in one thread, read in another.

    No widget, which must not end in a thread that still counts.
    """

    def __init__(self, notify: Callable[[], None]) -> None:
        """Begin with nothing; `notify` is called after every frame."""
        self._notify = notify
        self.newest = (0, 0)

    def note(self, done: int, count: int) -> None:
        """Take in how many frames are drawn, of how many.

        Thread: any.
        """
        self.newest = (done, count)
        self._notify()


class AnimationProgress(QWidget):
    """A line of text; while a film is being written, a bar and a way to give it up.

    Attributes:
        cancelled: The film is no longer wanted.
        frames: Takes in how many are drawn, in any thread; the bar follows in its own.
    """

    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without a film."""
        super().__init__(parent)
        self._tone = "text"
        self._text = QLabel(self)
        self._bar = QProgressBar(self)
        self._cancel = QPushButton("&Cancel", self)
        self.frames = FrameCount(ThreadSignal(self, self._show_frames).emit)
        self._arrange()
        self._cancel.clicked.connect(self.cancelled)
        self.set_running(running=False)
        follow_theme(self._take_theme)

    @property
    def text(self) -> str:
        """What is said about the last film; "" if nothing."""
        return self._text.text()

    @property
    def fraction(self) -> tuple[int, int]:
        """Frames drawn, of how many, as the bar shows it."""
        return self._bar.value(), self._bar.maximum()

    def tell(self, text: str, *, error: bool = False) -> None:
        """Say something about the film, in place of what was said."""
        self._text.setText(text)
        self._tone = "error" if error else "text"
        self._take_theme(current_theme())

    def _take_theme(self, theme: Theme) -> None:
        tint(self._text, getattr(theme, self._tone))

    def set_running(self, *, running: bool) -> None:
        """Show the bar and the button, or only the text."""
        self._bar.setVisible(running)
        self._cancel.setVisible(running)
        if running:
            # Until the first frame nobody knows how many there are.
            self.frames.newest = (0, 0)
            self._show_frames()

    def _show_frames(self) -> None:
        done, count = self.frames.newest
        self._bar.setRange(0, count)
        self._bar.setValue(done)

    def _arrange(self) -> None:
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setAccessibleName("Result")
        self._bar.setAccessibleName("Frames drawn")
        self._cancel.setAutoDefault(False)
        working = QHBoxLayout()
        working.addWidget(self._bar, 1)
        working.addWidget(self._cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._text)
        layout.addLayout(working)


def sentence(text: str) -> str:
    """Return an error's message as people read it: with a capital."""
    return text[:1].upper() + text[1:]
