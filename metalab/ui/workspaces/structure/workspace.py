"""The Structure workspace: the bilevel problem as a picture, with the run inside it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage, QPalette, QShowEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from metalab.figures.sights import StructureSight
from metalab.figures.structure.blueprint import Blueprint, blueprint_of
from metalab.figures.structure.model import Flow, Numbers, Structure, numbers_of
from metalab.figures.structure.sentences import route_sentence
from metalab.runs.record.status import RunStatus
from metalab.ui.plot.painting import Ink, picture_of, tint
from metalab.ui.session import engine_access
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme
from metalab.ui.widgets.header import PanelHeader, preparing, tool_button
from metalab.ui.widgets.legend import Entry, Legend, Swatch
from metalab.ui.widgets.scrolling import Scrolling
from metalab.ui.workspaces.base import Workspace
from metalab.ui.workspaces.structure.diagram import StructureDiagram
from metalab.ui.workspaces.structure.painter import FLOW_INKS
from metalab.ui.workspaces.structure.supervised import supervised_sentence

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig
    from metalab.figures.sights import Sight
    from metalab.runs.record.history import RunHistory
    from metalab.ui.session.moment import Moment

_LEAST_LINES = 26.0
"""Height below which the picture scrolls: three quarters of what its texts would like."""

_SLOTS = ("meta", "inner", "hypergradient")


class StructureWorkspace(Workspace):
    """The nested loops of the experiment in the form, with the numbers of the run.

    A part that is chosen asks for the group of the form that sets it.
    """

    shows_example = False

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._config: ExperimentConfig | None = None
        self._blueprint: Blueprint | None = None
        self._history: RunHistory | None = None
        self._stale = True
        # The answer is asked for 30 times a second, and is the same nearly always.
        self._compared: tuple[object, bool] = (None, False)
        self.header = PanelHeader("Structure", self)
        self.compare = tool_button(
            "Compare with supervised training",
            "Show ordinary training beside it: one loop, one loss",
            parent=self.header,
            checkable=True,
        )
        self.legend = Legend(self)
        self.diagram = StructureDiagram(self)
        self._sentence = _label(self)
        self._note = _label(self)
        self._arrange()
        self.compare.toggled.connect(self._on_compare_toggled)
        self.diagram.group_requested.connect(self.group_requested)
        self.header.copy_requested.connect(self._on_copy_requested)
        follow_theme(self._take_theme)

    def _arrange(self) -> None:
        self.setAutoFillBackground(True)
        self.header.add_tool(self.compare)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 0, 4, 3)
        layout.setSpacing(0)
        for part in (self.header, self.legend):
            layout.addWidget(part)
        layout.addWidget(Scrolling(self.diagram, self, least_lines=_LEAST_LINES), 1)
        for part in (self._sentence, self._note):
            layout.addWidget(part)

    # What is shown

    @property
    def sentence(self) -> str:
        """What the method does, in one sentence; "" without an experiment."""
        return self._sentence.text()

    @property
    def note(self) -> str:
        """Why numbers are missing, or what went wrong; "" for nothing."""
        return self._note.text()

    def show_config(self, config: "ExperimentConfig | None") -> None:
        """Draw the experiment in the form; None until the engine is there.

        Once an experiment is shown, the picture stays while the form is invalid: give
        the last one that was valid.
        """
        if config == self._config:
            return
        self._config = config
        self._blueprint = None
        self._refresh_if_visible()

    def show_moment(self, moment: "Moment | None") -> None:
        """Show the numbers of the outer step at the playhead; None for no run."""
        self.show_history(None if moment is None else moment.shown)

    def show_history(self, history: "RunHistory | None") -> None:
        """Show the numbers of a run; None for no run. Does nothing while hidden."""
        self._history = history
        self._refresh_if_visible()

    def _refresh_if_visible(self) -> None:
        self._stale = True
        if self.isVisible():
            self._refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what came while the workspace was hidden."""
        super().showEvent(event)
        if self._stale:
            self._refresh()

    def _refresh(self) -> None:
        self._stale = False
        config = self._config
        if config is None and self._history is not None:
            config = self._history.next_config
        if config is None:
            self._blueprint = None
            message = "The engine is being loaded…"
            self.diagram.show_structure(None, Numbers(), message=message)
            self._say("", "")
            return
        if self._blueprint is None or self._blueprint.config != config:
            self._blueprint = blueprint_of(config)
        fits = self._history is not None and _same_method(
            config, self._history.config_at()
        )
        numbers = numbers_of(self._history) if fits else Numbers()
        # The newest step is number n: before it, n - 1 were made.
        structure = self._blueprint.structure(max(numbers.step - 1, 0))
        self.diagram.show_structure(structure, numbers)
        self._show_legend(structure)
        self._show_title(config)
        sentence = route_sentence(structure)
        if self.compare.isChecked():
            sentence = f"{sentence} {supervised_sentence()}"
        self._say(sentence, self._noted(config, self._history))

    def _noted(self, config: "ExperimentConfig", history: "RunHistory | None") -> str:
        if history is None:
            return "No run yet: numbers appear with the first outer step."
        if history.failure is not None:
            return f"The run failed: {history.failure.message}"
        if history.diverged is not None:
            return history.diverged.message
        if not _same_method(config, history.config_at()):
            return "The run that is shown has another method; its numbers are left out."
        if not self._is_of_run(config, history):
            return "Numbers are those of the run; the form differs from it."
        return self._missing(history)

    def _is_of_run(self, config: "ExperimentConfig", history: "RunHistory") -> bool:
        """Return whether the run makes its steps with the settings that are drawn."""
        asked = config, history.next_config
        if asked != self._compared[0]:
            same = history.next_config.digest() == config.digest()
            self._compared = asked, same
        return self._compared[1]

    def _missing(self, history: "RunHistory") -> str:
        if len(history.steps) > 0:
            return ""
        if history.status.ended:
            # Of a whole run, or of one that is looked at where it began.
            return "There are no numbers before the first outer step."
        return preparing(history)

    def _show_title(self, config: "ExperimentConfig") -> None:
        recipe = engine_access.recipe(config)
        plain = "Structure"
        named = "Structure of {}"
        title = plain if recipe is None else named.format(recipe.title)
        if title != self.header.title:
            self.header.set_title(title)

    def _show_legend(self, structure: Structure) -> None:
        line, thick = Swatch.LINE, Swatch.THICK
        data, back = FLOW_INKS[Flow.DATA], FLOW_INKS[Flow.BACK]
        forward, learned = FLOW_INKS[Flow.FORWARD], FLOW_INKS[Flow.LEARNED]
        entries = [
            Entry(swatch=line, ink=data, text="support set"),
            Entry(swatch=line, ink=Ink(role="query"), text="query set"),
            Entry(swatch=line, ink=forward, text="inner parameters"),
            Entry(swatch=line, ink=learned, text="meta-learned"),
            Entry(swatch=thick, ink=back, text="hypergradient"),
        ]
        if any(arrow.straight for arrow in structure.arrows):
            unchanged = "passed on unchanged"
            entries.append(Entry(swatch=Swatch.DASHED, ink=back, text=unchanged))
        self.legend.set_entries(*entries)

    def _say(self, sentence: str, note: str) -> None:
        for label, text in ((self._sentence, sentence), (self._note, note)):
            if label.text() != text:
                label.setText(text)
            label.setVisible(bool(text))
        self._colour_note()

    def _colour_note(self) -> None:
        history, theme = self._history, current_theme()
        failed = history is not None and history.status is RunStatus.FAILED
        diverged = history is not None and history.diverged is not None
        colour = theme.warning if diverged else theme.muted
        tint(self._note, theme.error if failed else colour)

    def _take_theme(self, theme: Theme) -> None:
        tint(self, theme.surface, QPalette.ColorRole.Window)
        tint(self._sentence, theme.text)
        self._colour_note()

    # What a person chooses

    def _on_compare_toggled(self, compared: bool) -> None:  # noqa: FBT001 - a slot
        self.diagram.set_compared(compared=compared)
        self._refresh_if_visible()
        self.choices_changed.emit()

    def _on_copy_requested(self) -> None:
        QGuiApplication.clipboard().setImage(self.picture())

    @property
    def figure(self) -> str:
        """Name of the figure of this page."""
        return "structure"

    def sights(self) -> "Mapping[str, Sight]":
        """Return the picture, with the numbers in it."""
        history, structure = self._history, self.diagram.structure
        if history is None or structure is None or self._blueprint is None:
            return {}
        recipe = engine_access.recipe(self._blueprint.config)
        sight = StructureSight(
            history=history,
            structure=structure,
            numbers=self.diagram.numbers,
            title="" if recipe is None else recipe.title,
        )
        return {self.figure: sight}

    def picture(self) -> QImage:
        """Return the picture with its legend and sentence."""
        parts = (self.legend, self.diagram, self._sentence)
        return picture_of(parts, title=self.header.title)

    # What is remembered

    def save_state(self) -> dict[str, Any]:
        """Return choices as plain values, for `restore_state`."""
        return {"compare": self.compare.isChecked()}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Take choices; what is missing or not understood stays as it is."""
        compared = state.get("compare")
        if isinstance(compared, bool):
            self.compare.setChecked(compared)


def _same_method(one: "ExperimentConfig", other: "ExperimentConfig") -> bool:
    """Return whether two experiments have the same parts, whatever their settings."""
    return all(getattr(one, slot).kind == getattr(other, slot).kind for slot in _SLOTS)


def _label(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setWordWrap(True)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setContentsMargins(12, 2, 12, 2)
    label.hide()
    return label
