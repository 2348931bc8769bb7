"""What can be seen of a session; `ui.session` adds what can be done."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from metalab.runs.slot import RunSlot, can_go_on
from metalab.ui.phase import Phase

if TYPE_CHECKING:
    from metalab.engine.config import ExperimentConfig
    from metalab.runs.background import BackgroundJob
    from metalab.runs.history import RunHistory


class SessionView(QObject):
    """The state of one window, read only.

    Attributes:
        loaded: Whether the engine can be used.
        config: The experiment in the form; None while it is invalid.
    """

    loaded: bool
    config: "ExperimentConfig | None"
    _slot: RunSlot
    _copy: "BackgroundJob[RunHistory] | None"

    @property
    def history(self) -> "RunHistory | None":
        """The newest view of the run that is or was."""
        return self._slot.history

    @property
    def training(self) -> bool:
        """Whether ending now would cut a run short."""
        return self._slot.busy

    @property
    def busy(self) -> bool:
        """Whether a thread of the session is at work, or will be."""
        return self._slot.busy or self._slot.reading

    @property
    def reading(self) -> bool:
        """Whether a run file is being read."""
        return self._slot.reading

    @property
    def copying(self) -> bool:
        """Whether a copy of a run is being written."""
        return self._copy is not None

    @property
    def phase(self) -> Phase:
        """What can be done just now."""
        if not self.loaded:
            return Phase.LOADING
        if self._slot.active:
            return Phase.PAUSED if self._slot.paused else Phase.RUNNING
        return Phase.STOPPING if self.busy else Phase.IDLE

    @property
    def resumable(self) -> bool:
        """Whether "run" goes on with the run that is shown, instead of a new one."""
        history = self.history
        return (
            self.phase is Phase.IDLE
            and history is not None
            and can_go_on(history)
            and self.config == history.next_config
        )
