"""Plug-ins of the window: asked about once for each content, run at the next start."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from metalab.catalog.plugin_files import (
    VARIABLE,
    PluginError,
    PluginFile,
    look_at,
    name_files,
)
from metalab.runs.system.faults import FaultLog
from metalab.ui.shell.preferences import KeptPlugin, PreferenceStore
from metalab.ui.widgets.dialogs import LeaveDialog, Question

_RENEW = "File > Add plug-in… asks about it anew"


def name_remembered(kept: Iterable[KeptPlugin], faults: FaultLog) -> None:
    """Have plug-ins loaded that a person has allowed, as they were then.

    Args:
        kept: What was allowed.
        faults: Told of those that have changed or are gone.
    """
    for plugin in kept:
        try:
            found = look_at(Path(plugin.path))
            if found.digest != plugin.sha256:
                faults.add(
                    f"Plug-in {plugin.path} has changed since it was added, and is not "
                    f"loaded: {_RENEW}"
                )
                continue
            name_files([found.path])
        except PluginError as error:
            faults.add(f"A plug-in is not loaded: {error}")


def question_before_adding(plugin: PluginFile) -> Question:
    """Return what to ask before a file is run with a person's rights."""
    return Question(
        title="A plug-in is a program",
        text=f"{plugin} is run at every start of metalab with your rights: it can read, "
        "change and send whatever you can. Add it if you know what it does, or trust "
        "whom it is from.\n\nIt is loaded as it is now: if its content changes, you are "
        "asked again.",
        accept="&Add it",
        remembers=False,
    )


def question_before_forgetting(plugin: PluginFile) -> Question:
    """Return what to ask about a file that was added before."""
    return Question(
        title="This plug-in is added",
        text=f"{plugin} is loaded at every start of metalab. Experiments and runs that "
        "need it cannot be opened without it.",
        accept="&Forget it",
        remembers=False,
    )


def _question_before_restart(plugin: PluginFile, what: str) -> Question:
    return Question(
        title="At the next start",
        text=f"{plugin} is {what} when metalab starts the next time. A run in progress "
        "is stopped and kept first.",
        accept="&Start again now",
        remembers=False,
    )


def start(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Start metalab as a process of its own, which outlives this one."""
    process = QProcess()
    process.setProgram(sys.executable)
    module = [] if getattr(sys, "frozen", False) else ["-m", "metalab"]
    process.setArguments([*module, *arguments])
    given = QProcessEnvironment()
    for name, value in environment.items():
        given.insert(name, value)
    process.setProcessEnvironment(given)
    process.startDetached()


class PluginKeeper(QObject):
    """Adds and forgets plug-ins, and starts metalab again for them.

    Attributes:
        restart_wanted: The window is to close, and another to open.
        refused: A file cannot be a plug-in: the reason.
        dialog: What is open: the choice of a file, or a question.
    """

    restart_wanted = Signal()
    refused = Signal(Exception)

    def __init__(
        self,
        window: QWidget,
        preferences: PreferenceStore,
        *,
        given: str | None,
        parent: QObject,
    ) -> None:
        """Prepare.

        Args:
            window: Where questions are asked.
            preferences: Where plug-ins are remembered.
            given: The environment variable as metalab was started with.
            parent: Qt's owner.
        """
        super().__init__(parent)
        self._window = window
        self._preferences = preferences
        self._given = given
        self._restarts = False
        self.dialog: QFileDialog | LeaveDialog | None = None

    def choose(self) -> None:
        """Ask for a file."""
        dialog = QFileDialog(self._window, "Add plug-in")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter("Python files (*.py)")
        dialog.fileSelected.connect(self.consider)
        self.dialog = dialog
        dialog.open()

    def consider(self, name: str) -> None:
        """Ask whether a file may be run; a file that is added, whether to forget it."""
        try:
            plugin = look_at(Path(name))
        except PluginError as error:
            self.refused.emit(error)
            return
        if _kept(plugin) in self._preferences.current.plugins:
            self._ask(question_before_forgetting(plugin), partial(self._forget, plugin))
        else:
            self._ask(question_before_adding(plugin), partial(self._add, plugin))

    def _add(self, plugin: PluginFile) -> None:
        self._keep([*self._others(plugin), _kept(plugin)])
        self._offer_restart(plugin, "loaded")

    def _forget(self, plugin: PluginFile) -> None:
        self._keep(self._others(plugin))
        self._offer_restart(plugin, "left out")

    def _others(self, plugin: PluginFile) -> list[KeptPlugin]:
        kept = self._preferences.current.plugins
        return [other for other in kept if other.path != str(plugin.path)]

    def _keep(self, plugins: Sequence[KeptPlugin]) -> None:
        self._preferences.change("plugins", tuple(plugins))

    def _offer_restart(self, plugin: PluginFile, what: str) -> None:
        self._ask(_question_before_restart(plugin, what), self._restart)

    def _restart(self) -> None:
        self._restarts = True
        self.restart_wanted.emit()

    def stay(self) -> None:
        """Forget that metalab was to start again: the window stays."""
        self._restarts = False

    def start_again(self, run: Path | None) -> None:
        """Start metalab anew if that was asked for; called when the window is gone.

        Args:
            run: The run that was in view, which is opened again.
        """
        if not self._restarts:
            return
        environment = dict(os.environ)
        # What is remembered is named anew, and what is forgotten is not.
        environment.pop(VARIABLE, None)
        if self._given:
            environment[VARIABLE] = self._given
        start([] if run is None else [str(run)], environment)

    def _ask(self, question: Question, then: Callable[[], None]) -> None:
        dialog = LeaveDialog(question, self._window)
        self.dialog = dialog
        dialog.accepted.connect(then)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


def _kept(plugin: PluginFile) -> KeptPlugin:
    return KeptPlugin(path=str(plugin.path), sha256=plugin.digest)
