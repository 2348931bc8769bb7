"""Base class of a workspace: a page that shows a moment of a run."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig
    from metalab.figures.sights import Sight
    from metalab.ui.session.basket import Basket
    from metalab.ui.session.moment import Moment


class Workspace(QWidget):
    """A page of the centre. It is made when it is first looked at.

    Only the page that is seen is told of moments, at most as often as frames are drawn.

    Attributes:
        inner_step_chosen: The inner step to emphasise everywhere.
        task_chosen: The held-out task to show everywhere, counted from 0.
        outer_step_chosen: The outer step to stand at.
        group_requested: Name of the form's group that says more.
        run_requested: There is no run, and the preset shall run.
        run_file_requested: A person shall choose a run file: what for, and what takes its
            `Path`.
        run_wanted: A run file shall be opened and looked at: its `Path`.
        experiment_requested: An `ExperimentConfig` shall be in the form.
        report_requested: A report on `report_paths` shall be written.
        choices_changed: A person chose something that `save_state` keeps.
        last_step_changed: `last_inner_step` is another.
        told: What was done, to be said for a while: the words, what a button says, and
            what it does.
        untold: Words of `told` that are not so any more.
    """

    shows_example = True
    """Whether it shows the example that comes with metalab while there is no run."""

    inner_step_chosen = Signal(int)
    task_chosen = Signal(int)
    outer_step_chosen = Signal(int)
    group_requested = Signal(str)
    run_requested = Signal()
    run_file_requested = Signal(str, object)
    run_wanted = Signal(object)
    experiment_requested = Signal(object)
    report_requested = Signal()
    choices_changed = Signal()
    last_step_changed = Signal()
    told = Signal(str, str, object)
    untold = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # A click beside the plots gives it the keys, and so does the window at first.
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)

    @property
    def last_inner_step(self) -> int | None:
        """K' where the page has one of its own; None for the run's."""
        return None

    def show_moment(self, moment: "Moment | None") -> None:
        """Show a moment of a run; None for no run."""
        raise NotImplementedError

    def show_config(self, config: "ExperimentConfig | None") -> None:
        """Take in the experiment in the form; None while it is invalid."""
        del config

    def set_why_not(self, reason: str) -> None:
        """Say why `run_requested` would not be heard; "" if it would."""
        del reason

    def set_basket(self, basket: "Basket") -> None:
        """Take in the window's basket, once: what fills or compares it keeps it."""
        del basket

    @property
    def figure(self) -> str:
        """Name of the figure of what is seen; "" leaves it to who asks."""
        return ""

    @property
    def log_colours(self) -> bool | None:
        """Whether colours go with the logarithm of a loss; None for a page without."""
        return None

    @property
    def awaits_curves(self) -> bool:
        """Whether what a person did is about to be painted with its curves.

        Nothing else is drawn meanwhile, for a frame at most: who computes the curves would
        have to share the interpreter.
        """
        return False

    def sights(self) -> "Mapping[str, Sight]":
        """Return what is shown, by name of the figure that is drawn from it.

        The very objects that are on the screen: nothing is computed for a figure.
        """
        return {}

    def report_paths(self) -> tuple[Path, ...]:
        """Return the run files that a report is on; () for that of the run."""
        return ()

    def picture(self) -> QImage:
        """Return what is shown, without tools, as a picture."""
        raise NotImplementedError

    def save_state(self) -> dict[str, Any]:
        """Return choices as plain values, for `restore_state`."""
        return {}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Take choices; what is missing or not understood stays as it is."""
        del state

    def shut_down(self) -> None:
        """Have every thread and timer end; returns at once."""

    def join(self) -> None:
        """Wait for the page's threads, after `shut_down`; the window is closed by then."""
