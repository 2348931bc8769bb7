"""A tour of the window: a strip that explains one part after the other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QHideEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from metalab.ui.plot.painting import tint
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme

_AIR = 3
_PEN = 2.5
_RADIUS = 5.0


class Outline(QWidget):
    """Lies over the window of what it surrounds, which owns it from then on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()

    def surround(self, target: QWidget | None) -> None:
        """Lie around a widget; disappear for None and for one that is hidden."""
        if target is None or not target.isVisible():
            self.hide()
            return
        window = target.window()
        if self.parentWidget() is not window:
            self.setParent(window)
        seen = QRect(target.mapTo(window, QPoint(0, 0)), target.size())
        around = seen.adjusted(-_AIR, -_AIR, _AIR, _AIR).intersected(window.rect())
        if self.isVisible() and around == self.geometry():
            return
        self.setGeometry(around)
        self.show()
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the outline."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(current_theme().accent), _PEN))
        inset = _PEN / 2
        frame = QRectF(self.rect()).adjusted(inset, inset, -inset, -inset)
        painter.drawRoundedRect(frame, _RADIUS, _RADIUS)


Find = Callable[[], QWidget | None]
"""Finds the widget of a stop; None while there is none."""

_STRIPE = 3
_FOLLOW_MS = 50
"""Between two looks at where the target is. Event filters on it and on all that it lies
in would see them half destroyed when the window goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TourStop:
    """One stop.

    Attributes:
        title: What it is.
        text: What it does, in a sentence or two.
        find: Finds the widget that is outlined.
    """

    title: str
    text: str
    find: Find


def _words() -> dict[str, tuple[str, str]]:
    """Return title and text of the five stops, by key, in order."""
    return {
        "run": (
            ("Run, pause, step"),
            (
                "One button starts and pauses the outer loop; beside it, single outer "
                "steps. The space bar does the same."
            ),
        ),
        "experiment": (
            ("The experiment"),
            (
                "Everything that determines the run. The ? beside a setting says what it "
                "means, with its formula; in a field, press Ctrl+F1."
            ),
        ),
        "adapt": (
            ("Adapt by hand"),
            (
                "Drag a support point: the model adapts to it from the meta-parameters, "
                "and every inner step is drawn."
            ),
        ),
        "timeline": (
            ("Two kinds of time"),
            (
                "The upper ruler goes through outer steps, the lower one through inner "
                "steps. Moving on them never disturbs the run."
            ),
        ),
        "workspaces": (
            ("Other views of the same moment"),
            (
                "The landscape of the loss, the hypergradient estimators side by side, "
                "the structure of the problem: all of them follow the timeline."
            ),
        ),
    }


def tour_stops(targets: Mapping[str, Find]) -> tuple[TourStop, ...]:
    """Return the five stops of the window's tour.

    Args:
        targets: What finds the widget of each: "run", "experiment", "adapt", "timeline"
            and "workspaces".

    Raises:
        KeyError: One of them is missing.
    """
    return tuple(
        TourStop(title=title, text=text, find=targets[key])
        for key, (title, text) in _words().items()
    )


class Tour(QWidget):
    """The strip. It stops nothing, and can be left any time.

    It lies in a layout of the window that its stops lie in.

    Attributes:
        stop_changed: Index of the stop that is shown now.
        closed: The tour was left or finished.
    """

    stop_changed = Signal(int)
    closed = Signal()

    def __init__(
        self, stops: Sequence[TourStop], parent: QWidget | None = None
    ) -> None:
        """Make the strip, hidden.

        Args:
            stops: At least one.
            parent: Qt's parent.
        """
        assert stops, "a tour has stops"
        super().__init__(parent)
        self._stops = tuple(stops)
        self._stop = 0
        self.outline = Outline(self)
        self._clock = QTimer(self)
        self._clock.setInterval(_FOLLOW_MS)
        self._clock.timeout.connect(self.follow)
        self._title = QLabel(self)
        self._text = QLabel(self)
        self._place = QLabel(self)
        self.back_button = QPushButton("&Back", self)
        self.next_button = QPushButton(self)
        self.close_button = QPushButton("&Close", self)
        self.setAccessibleName("Tour")
        self._arrange()
        self.back_button.clicked.connect(self.go_back)
        self.next_button.clicked.connect(self.go_on)
        self.close_button.clicked.connect(self.leave)
        self.hide()
        follow_theme(self._take_theme)

    def _arrange(self) -> None:
        bold = QFont(self._title.font())
        bold.setBold(True)
        self._title.setFont(bold)
        for label in (self._title, self._text, self._place):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(self._title)
        words.addWidget(self._text)
        row = QHBoxLayout(self)
        row.setContentsMargins(_STRIPE + 12, 8, 10, 8)
        row.setSpacing(8)
        row.addLayout(words, 1)
        row.addWidget(self._place)
        for button in (self.back_button, self.next_button, self.close_button):
            button.setAutoDefault(True)
            row.addWidget(button)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    @property
    def stop(self) -> int:
        """Index of the stop that is shown, or that the tour would go on from."""
        return self._stop

    @stop.setter
    def stop(self, index: int) -> None:
        self._stop = min(max(index, 0), len(self._stops) - 1)
        if not self.isHidden():
            self._show_stop()

    @property
    def place(self) -> str:
        """Which stop it is, in words."""
        return self._place.text()

    def begin(self) -> None:
        """Show the strip at `stop`: the first one, or where it was left."""
        self.show()
        self._show_stop()
        self._clock.start()
        self.next_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def follow(self) -> None:
        """Find the widget of the stop anew, and outline it where it is now."""
        self.outline.surround(self._stops[self._stop].find())

    def go_on(self) -> None:
        """Go to the next stop; after the last one, finish and begin anew next time."""
        if self._stop + 1 < len(self._stops):
            self.stop = self._stop + 1
        else:
            self.leave()
            self._stop = 0

    def go_back(self) -> None:
        """Go to the stop before."""
        self.stop = self._stop - 1

    def leave(self) -> None:
        """Hide the strip; `stop` says where it was left."""
        if not self.isHidden():
            self.hide()
            self.closed.emit()

    def _take_theme(self, theme: Theme) -> None:
        tint(self._title, theme.text)
        tint(self._text, theme.text)
        tint(self._place, theme.muted)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave on Escape."""
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Take the outline away with the strip."""
        super().hideEvent(event)
        self._clock.stop()
        self.outline.surround(None)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the background, and a stripe in the accent colour."""
        del event
        painter = QPainter(self)
        theme = current_theme()
        painter.fillRect(self.rect(), QColor(theme.raised))
        painter.fillRect(0, 0, _STRIPE, self.height(), QColor(theme.accent))

    def _show_stop(self) -> None:
        stop = self._stops[self._stop]
        number, last = self._stop + 1, len(self._stops)
        self._title.setText(stop.title)
        self._text.setText(stop.text)
        self._place.setText(f"{number} of {last}")
        self.setAccessibleDescription(f"{stop.title}. {stop.text}")
        self.back_button.setEnabled(self._stop > 0)
        self.next_button.setText("&Next" if number < last else "&Done")
        # Before the widget is looked for: whoever listens may bring it up first.
        self.stop_changed.emit(self._stop)
        self.follow()
