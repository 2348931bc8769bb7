"""Parts of the form that open and close."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from metalab.ui.forms.field_row import FieldRow
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme
from metalab.ui.widgets.painted import GUTTER, FoldHeader, tint


class Fold(QWidget):
    """A header with rows below it that it folds away.

    A search opens it for as long as the search lasts.
    """

    def __init__(
        self,
        title: str,
        *,
        prominent: bool,
        expanded: bool,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._usual = expanded
        self._remembered: bool | None = None
        self._rows: tuple[FieldRow, ...] = ()
        self.header = FoldHeader(title, prominent=prominent, parent=self)
        self._body = QWidget(self)
        self._layout = QVBoxLayout(self._body)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self._body)
        self.header.toggled.connect(self._body.setVisible)
        self.header.setChecked(expanded)
        self._body.setVisible(expanded)

    @property
    def rows(self) -> tuple[FieldRow, ...]:
        """The rows, hidden ones included."""
        return self._rows

    def append(self, widget: QWidget) -> None:
        """Put a widget below the rows, to be folded with them."""
        self._layout.addWidget(widget)

    @property
    def expanded(self) -> bool:
        """Whether the rows are open."""
        return self.header.isChecked()

    @property
    def chosen(self) -> bool:
        """Whether the rows are open, or will be when the search has ended."""
        return self.expanded if self._remembered is None else self._remembered

    @property
    def is_usual(self) -> bool:
        """Whether that is as the form begins."""
        return self.chosen is self._usual

    def set_expanded(self, *, expanded: bool) -> None:
        """Open or close the rows."""
        self.header.setChecked(expanded)

    def set_rows(self, rows: Sequence[FieldRow]) -> None:
        """Take rows in this order.

        Rows that were here before and are not now are the caller's to delete.
        """
        for row in self._rows:
            self._layout.removeWidget(row)
        self._rows = tuple(rows)
        for place, row in enumerate(rows):
            self._layout.insertWidget(place, row)

    def search(self, words: list[str]) -> bool:
        """Show the matching rows alone; return whether there are any."""
        found = False
        for row in self._rows:
            match = row.matches(words)
            row.setVisible(match)
            found = found or match
        self._open_while(searching=bool(words))
        return found

    def _open_while(self, *, searching: bool) -> None:
        if searching:
            if self._remembered is None:
                self._remembered = self.expanded
            # Also one that was closed since the last letter: it hides what is found.
            self.set_expanded(expanded=True)
        elif self._remembered is not None:
            self.set_expanded(expanded=self._remembered)
            self._remembered = None

    def show_dot(self, rows: Sequence[FieldRow]) -> None:
        """Mark the header if a row differs or is wrong."""
        theme = current_theme()
        states = [row.state for row in rows if row.state is not None]
        wrong = any(state.wrong for state in states)
        differs = any(state.differs for state in states)
        colour = theme.accent if differs else None
        self.header.set_dot(theme.error if wrong else colour)
        meaning = "differs from the preset" if differs else ""
        self.header.setAccessibleDescription("has a problem" if wrong else meaning)


class Group(QWidget):
    """One section of the experiment: problems, ordinary rows, advanced rows."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = title
        self.main = Fold(title, prominent=True, expanded=True, parent=self)
        self.advanced = Fold("", prominent=False, expanded=False)
        self.main.append(self.advanced)
        self._problems = QLabel(self)
        self._problems.setWordWrap(True)
        self._problems.setTextFormat(Qt.TextFormat.PlainText)
        self._problems.setContentsMargins(GUTTER, 0, 8, 6)
        self._problems.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 6)
        layout.setSpacing(0)
        layout.addWidget(self.main)
        # Below the header, and there even while the rows are folded away.
        inner = self.main.layout()
        assert isinstance(inner, QVBoxLayout)
        inner.insertWidget(1, self._problems)
        follow_theme(self._take_theme)

    @property
    def rows(self) -> tuple[FieldRow, ...]:
        """Every row, in the order of the form."""
        return self.main.rows + self.advanced.rows

    @property
    def problems(self) -> str:
        """The text below the header; "" if none is shown."""
        return self._problems.text()

    def set_rows(self, rows: Sequence[FieldRow]) -> None:
        """Take rows; the advanced ones go into a fold of their own."""
        advanced = [row for row in rows if row.info.spec.advanced]
        ordinary = [row for row in rows if not row.info.spec.advanced]
        self.advanced.header.setText(f"Advanced ({len(advanced)})")
        self.advanced.set_rows(advanced)
        self.main.set_rows(ordinary)
        self.advanced.setVisible(bool(advanced))

    def set_problems(self, messages: Sequence[str]) -> None:
        """Say what is wrong between the fields of this section."""
        self._problems.setText("\n".join(messages))
        self._problems.setVisible(bool(messages))

    def _take_theme(self, theme: Theme) -> None:
        tint(self._problems, theme.error)
        self.refresh_dots()

    def refresh_dots(self) -> None:
        """Mark the headers of what differs or is wrong."""
        self.main.show_dot(self.rows)
        self.advanced.show_dot(self.advanced.rows)

    def search(self, words: list[str]) -> bool:
        """Show the matching rows alone; return whether there are any."""
        in_advanced = self.advanced.search(words)
        in_main = self.main.search(words)
        self.advanced.setVisible(in_advanced and bool(self.advanced.rows))
        self.setVisible(in_main or in_advanced)
        return in_main or in_advanced

    def open_to(self, row: FieldRow) -> None:
        """Open what hides a row."""
        self.main.set_expanded(expanded=True)
        if row in self.advanced.rows:
            self.advanced.set_expanded(expanded=True)
