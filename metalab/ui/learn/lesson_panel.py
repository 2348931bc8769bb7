"""The pages of a lesson, one at a time."""

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QFont, QImage, QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTextBrowser,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from metalab.ui.learn.lesson import Lesson, LessonPage
from metalab.ui.plot.painting import tint
from metalab.ui.style.icons import theme_icon
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import follow_theme

_MARGIN = 12
_TEXT_MARGIN = 8


_WEB = ("http", "https")


class PageText(QTextBrowser):
    """The text of a page, which somebody else may have written.

    It shows no pictures of its own choice (one of a device would have no end), and its
    links lead to the web and nowhere else: not to a program or a file of this machine.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setOpenLinks(False)
        self.anchorClicked.connect(self._on_anchor_clicked)

    def loadResource(self, type: int, name: QUrl | str) -> object:  # noqa: A002, ARG002
        """Return one clear pixel for whatever is asked for.

        Told that there is nothing, Qt opens the file of that name by itself.
        """
        clear = QImage(1, 1, QImage.Format.Format_ARGB32)
        clear.fill(Qt.GlobalColor.transparent)
        return clear

    def _on_anchor_clicked(self, url: QUrl) -> None:
        if url.scheme() in _WEB:
            QDesktopServices.openUrl(url)


class LessonPanel(QWidget):
    """Leads through a lesson. PageUp and PageDown turn its pages, Escape closes it.

    Attributes:
        page_shown: The `LessonPage` that is shown now.
        closed: The lesson was left.
    """

    page_shown = Signal(object)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lesson: Lesson | None = None
        self._index = 0
        self._title = QLabel(self)
        self._place = QLabel(self)
        self.text = PageText(self)
        self.close_button = QToolButton(self)
        self.back_button = QPushButton("&Back", self)
        self.next_button = QPushButton(self)
        self.setAutoFillBackground(True)
        self._describe()
        self._arrange()
        self.close_button.clicked.connect(self.leave)
        self.back_button.clicked.connect(self.go_back)
        self.next_button.clicked.connect(self.go_on)
        follow_theme(self._take_theme)

    def _describe(self) -> None:
        for label in (self._title, self._place):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._title.setWordWrap(True)
        bold = QFont(self._title.font())
        bold.setBold(True)
        self._title.setFont(bold)
        self.text.setFrameShape(QFrame.Shape.NoFrame)
        self.text.document().setDocumentMargin(_TEXT_MARGIN)
        self.text.setAccessibleName("Text of the page")
        self.close_button.setAutoRaise(True)
        self.close_button.setToolTip("Leave the lesson (Esc)")
        self.close_button.setAccessibleName("Leave the lesson")
        for button in (self.back_button, self.next_button):
            button.setAutoDefault(True)

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        foot = QHBoxLayout()
        foot.addWidget(self._place, 1)
        foot.addWidget(self.back_button)
        foot.addWidget(self.next_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        column.addLayout(head)
        column.addWidget(self.text, 1)
        column.addLayout(foot)

    @property
    def lesson(self) -> Lesson | None:
        """The lesson that is shown, or None."""
        return self._lesson

    @property
    def index(self) -> int:
        """Which page is shown, from 0."""
        return self._index

    @property
    def place(self) -> str:
        """Which page is shown, in words."""
        return self._place.text()

    def show_lesson(self, lesson: Lesson, index: int = 0) -> None:
        """Begin a lesson, or go on where it was left.

        Args:
            lesson: What to show.
            index: Which page, from 0; beyond the last one, the last.
        """
        self._lesson = lesson
        self._title.setText(lesson.title)
        self.setAccessibleName(f"Lesson: {lesson.title}")
        self._turn_to(min(max(index, 0), len(lesson.pages) - 1))

    def _take_theme(self, theme: Theme) -> None:
        tint(self._title, theme.text)
        tint(self._place, theme.muted)
        self.close_button.setIcon(theme_icon("close", theme))

    def go_on(self) -> None:
        """Turn to the next page; after the last one, leave."""
        if self._lesson is None:
            return
        if self._index + 1 < len(self._lesson.pages):
            self._turn_to(self._index + 1)
        else:
            self.leave()

    def go_back(self) -> None:
        """Turn to the page before."""
        if self._lesson is not None and self._index > 0:
            self._turn_to(self._index - 1)

    def leave(self) -> None:
        """Close the lesson; `index` still says which page was the last."""
        if self._lesson is not None:
            self._lesson = None
            self.closed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Turn pages and leave."""
        keys = {
            Qt.Key.Key_PageDown: self.go_on,
            Qt.Key.Key_PageUp: self.go_back,
            Qt.Key.Key_Escape: self.leave,
        }
        act = keys.get(Qt.Key(event.key()))
        if act is None:
            super().keyPressEvent(event)
        else:
            act()

    def _turn_to(self, index: int) -> None:
        assert self._lesson is not None, "no lesson to turn the pages of"
        self._index = index
        page: LessonPage = self._lesson.pages[index]
        self.text.setMarkdown(page.text)
        number, last = index + 1, len(self._lesson.pages)
        self._place.setText(f"Page {number} of {last}")
        self.back_button.setEnabled(index > 0)
        self.next_button.setText("&Next" if number < last else "&Finish")
        self.page_shown.emit(page)
