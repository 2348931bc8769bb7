"""The rows of the command palette: which entries are shown, and how one is drawn."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import (
    QColor,
    QFont,
    QPainter,
    QPalette,
    QTextCharFormat,
    QTextLayout,
)
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from metalab.ui.actions.fuzzy import Match, fuzzy_match

_SEPARATOR = "   "
_PADDING, _GAP, _AIR = 10, 24, 10
_IN_TITLE, _IN_FRONT = 8, 2
"""For letters that are all in the title, or are a whole synonym; and for the title's
first one."""

_WORD = re.compile(r"\w+")

_Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True, kw_only=True)
class PaletteEntry:
    """Something that can be done from the command palette.

    Attributes:
        key: Unique name, by which what was used recently is remembered.
        title: What it is called.
        detail: Where else it is found: the title of a menu, or "Preset".
        run: Does it.
        shortcut: Its keys, as this desktop writes them; "" for none.
        why_not: Why it cannot be done just now; "" if it can.
        synonyms: What else it is called. Words find it by these only as a whole, from
            the beginnings of theirs.
    """

    key: str
    title: str
    detail: str
    run: Callable[[], object]
    shortcut: str = ""
    why_not: str = ""
    synonyms: tuple[str, ...] = ()

    @property
    def enabled(self) -> bool:
        """Whether it can be done."""
        return not self.why_not

    @property
    def words(self) -> str:
        """What letters are looked for in."""
        return f"{self.title}{_SEPARATOR}{self.detail}"

    def found(self, letters: str) -> "_Found | None":
        """Return how letters find it, by its words or by a synonym; None if they do not.

        Found by a synonym, it says so.
        """
        by_words = fuzzy_match(letters, self.words)
        fits = [] if by_words is None else [_Found(by_words, self)]
        for synonym in self.synonyms:
            match = fuzzy_match(letters, synonym)
            if match is not None and _begins_words(letters, synonym):
                told = replace(self, detail=f"{self.detail}: {synonym}")
                start = len(told.words) - len(synonym)
                places = tuple(start + place for place in match.places)
                whole = letters.strip().lower() == synonym.lower()
                score = match.score + _IN_TITLE * whole
                fits.append(_Found(Match(score=score, places=places), told))
        return max(fits, key=_score_of, default=None)


@dataclass(frozen=True, slots=True)
class _Found:
    """A match, and the entry with what was matched among its words."""

    match: Match
    entry: PaletteEntry


def _score_of(found: _Found) -> int:
    return found.match.score


def _begins_words(letters: str, text: str) -> bool:
    starts = _WORD.findall(text.lower())
    return all(
        any(start.startswith(word) for start in starts)
        for word in _WORD.findall(letters.lower())
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    entry: PaletteEntry
    places: tuple[int, ...]


class PaletteModel(QAbstractListModel):
    """The entries that some letters find, the best first."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._entries: tuple[PaletteEntry, ...] = ()
        self._recent: tuple[str, ...] = ()
        self._rows: list[_Row] = []

    def set_entries(
        self, entries: Sequence[PaletteEntry], recent: Sequence[str]
    ) -> None:
        """Take other entries, and show all of them.

        Args:
            entries: In the order of their menus.
            recent: Keys of what was used, the last first.
        """
        self._entries, self._recent = tuple(entries), tuple(recent)
        self.find("")

    def find(self, letters: str) -> None:
        """Show what some letters find: better matches first, then what was used."""
        found: list[tuple[tuple[int, int, int], _Row]] = []
        for number, entry in enumerate(self._entries):
            fit = entry.found(letters)
            if fit is not None:
                row = _Row(entry=fit.entry, places=fit.match.places)
                found.append((self._rank(fit.entry, fit.match, number), row))
        self.beginResetModel()
        self._rows = [row for _, row in sorted(found, key=_rank_of)]
        self.endResetModel()

    def _rank(
        self, entry: PaletteEntry, match: Match, number: int
    ) -> tuple[int, int, int]:
        fit = match.score
        if match.places:
            fit += _IN_TITLE * (match.places[-1] < len(entry.title))
            fit += _IN_FRONT * (match.places[0] == 0)
        used = entry.key in self._recent
        age = self._recent.index(entry.key) if used else len(self._recent)
        return -fit, age, number

    def entry(self, index: _Index) -> PaletteEntry:
        """Return the entry of a row."""
        return self._rows[index.row()].entry

    def places(self, index: _Index) -> tuple[int, ...]:
        """Return which letters of the entry's words were found."""
        return self._rows[index.row()].places

    def rowCount(self, parent: _Index | None = None) -> int:
        """Return how many entries are shown."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return title, tooltip, or all of an entry in words."""
        entry = self.entry(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return entry.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return entry.why_not or None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            parts = (entry.title, entry.detail, entry.shortcut, entry.why_not)
            return ", ".join(part for part in parts if part)
        return None


def _rank_of(found: tuple[tuple[int, int, int], _Row]) -> tuple[int, int, int]:
    return found[0]


class PaletteDelegate(QStyledItemDelegate):
    """Draws title and menu, what was matched emphasised, and the keys at the right."""

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        """Return one line with some air."""
        del index
        metrics = option.fontMetrics  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType] - missing in the stubs
        return QSize(0, metrics.height() + _AIR)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: _Index
    ) -> None:
        """Draw one entry."""
        model = index.model()
        assert isinstance(model, PaletteModel), "the delegate is the palette's own"
        rect, state, palette = _given(option)
        entry = model.entry(index)
        selected = bool(state & QStyle.StateFlag.State_Selected)
        look = _Look(palette, lit=selected and entry.enabled)
        painter.save()
        if selected:
            painter.fillRect(rect, look.ground)
        inside = rect.adjusted(_PADDING, 0, -_PADDING, 0)
        room = QRect(inside)
        if entry.shortcut:
            painter.setPen(look.faint)
            sides = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(inside, sides, entry.shortcut)
            width = painter.fontMetrics().horizontalAdvance(entry.shortcut)
            room.setRight(inside.right() - width - _GAP)
        _draw_words(painter, QRectF(room), entry, model.places(index), look)
        painter.restore()


def _given(
    option: QStyleOptionViewItem,
) -> tuple[QRect, QStyle.StateFlag, QPalette]:
    """Return rectangle, state and palette of an option, which its stubs leave out."""
    return option.rect, option.state, option.palette  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType]


class _Look:
    """Colours of one row.

    Only what can be done is lit when it is marked; what is off gets a plain ground.
    """

    def __init__(self, palette: QPalette, *, lit: bool) -> None:
        role = QPalette.ColorRole
        self.ground = palette.color(role.Highlight if lit else role.Button)
        self.text = palette.color(role.HighlightedText if lit else role.Text)
        self.found = palette.color(role.HighlightedText if lit else role.Link)
        self.faint = palette.color(
            role.HighlightedText if lit else role.PlaceholderText
        )


def _draw_words(
    painter: QPainter,
    room: QRectF,
    entry: PaletteEntry,
    places: tuple[int, ...],
    look: _Look,
) -> None:
    """Draw title and menu, or title and why it cannot be done, as far as there is room."""
    words = entry.words
    if not entry.enabled:
        words = f"{entry.title}{_SEPARATOR}{entry.why_not}"
        places = tuple(place for place in places if place < len(entry.title))
    layout = QTextLayout(words, painter.font())
    title = look.text if entry.enabled else look.faint
    formats = [
        _span(0, len(entry.title), title),
        _span(len(entry.title), len(words) - len(entry.title), look.faint),
        *(_span(place, 1, look.found, emphasised=True) for place in places),
    ]
    layout.setFormats(formats)
    layout.beginLayout()
    line = layout.createLine()
    # All on one line; what is too long is cut off by the clip.
    line.setLineWidth(float(1 << 20))
    layout.endLayout()
    painter.setClipRect(room)
    top = room.center().y() - line.height() / 2
    layout.draw(painter, QPointF(room.left(), top))


def _span(
    start: int, length: int, colour: QColor, *, emphasised: bool = False
) -> QTextLayout.FormatRange:
    form = QTextCharFormat()
    form.setForeground(colour)
    if emphasised:
        # Never by the colour alone.
        form.setFontWeight(QFont.Weight.Bold)
        form.setFontUnderline(True)
    span = QTextLayout.FormatRange()
    span.start, span.length, span.format = start, length, form  # pyright: ignore[reportAttributeAccessIssue] - missing in the stubs
    return span
