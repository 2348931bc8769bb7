"""What the window is about: one experiment that is edited, and one run.

The session holds state and takes commands; it computes nothing. Views ask it, and are
told by `state_changed` when what may be done has changed.
"""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Signal

from metalab.core.errors import UserError
from metalab.runs.background import BackgroundJob
from metalab.runs.home import new_run_path
from metalab.runs.slot import Launch, RunSlot, can_go_on
from metalab.ui import engine_access as engine
from metalab.ui.phase import Notice, Phase
from metalab.ui.session_state import announced
from metalab.ui.session_view import SessionView

if TYPE_CHECKING:
    from collections.abc import Callable

    from metalab.engine.config import ExperimentConfig
    from metalab.engine.events import Checkpoint
    from metalab.runs.faults import FaultLog
    from metalab.runs.fork import Fork
    from metalab.runs.history import RunHistory

T = TypeVar("T")


class Session(SessionView):
    """The state of one window, and the commands that change it.

    Attributes:
        state_changed: What may be done, or what a banner would say, has changed.
        config_replaced: The experiment was replaced by a command: the new one, and the
            preset that it comes from.
        loaded: Whether the engine can be used.
        loading_text: What the window waits for, or why it waits in vain.
        config: The experiment in the form; None while it is invalid.
        problem: What is wrong with the experiment; "" if nothing.
        reference: The preset that the experiment comes from; None before there is one.
        notice: What could not be done, until it is dismissed or something else is done.
    """

    state_changed = Signal()
    config_replaced = Signal(object, object)

    def __init__(
        self,
        faults: "FaultLog",
        *,
        slot: RunSlot | None = None,
        keep_runs: bool = True,
        parent: QObject | None = None,
    ) -> None:
        """Begin without engine, experiment and run; unexpected errors go to `faults`."""
        super().__init__(parent)
        self._faults = faults
        self._slot = RunSlot() if slot is None else slot
        self._keep_runs = keep_runs
        self.loaded = False
        self.loading_text = self.tr("Loading torch…")
        self.config: ExperimentConfig | None = None
        self.problem = ""
        self.reference: ExperimentConfig | None = None
        self.notice: Notice | None = None
        self._copy = None
        self._follows_run = False
        self._announced: tuple[object, ...] = ()

    def set_loading(self, text: str = "") -> None:
        """Say what the window waits for; "" once the engine has been imported."""
        self.loaded = not text
        self.loading_text = text or self.loading_text
        self._announce()

    def set_config(self, config: "ExperimentConfig") -> None:
        """Take in an edit; what a run can take while it goes on reaches it at once."""
        before, history = self.config, self.history
        if before is not None and history is not None and self._follows_run:
            for path, value in engine.live_changes(history.next_config, before, config):
                self._slot.edit(path, value)
        self.config = config
        self.problem = ""
        self._announce()

    def set_invalid(self, problem: str) -> None:
        """Take in an edit that is not allowed, and why."""
        self.config = None
        self.problem = problem
        self._announce()

    def replace(self, config: "ExperimentConfig") -> None:
        """Put an experiment into the form; a run that is in progress goes on."""
        self._replace_config(config)

    def take_code(self, code: str) -> bool:
        """Put the experiment of a share code into the form; return whether it is one."""
        self.dismiss_notice()
        found = self._tried(
            partial(engine.experiment_of_code, code),
            self.tr("The experiment cannot be pasted"),
        )
        if found is not None:
            self._replace_config(found)
        return found is not None

    def open_experiment(self, path: Path) -> None:
        """Put the experiment of a TOML file into the form; a run in progress goes on."""
        self.dismiss_notice()
        found = self._tried(
            partial(engine.experiment_of_file, path),
            self.tr("The experiment cannot be used"),
        )
        if found is not None:
            self._replace_config(found)

    def save_experiment(self, path: Path) -> None:
        """Write the experiment in the form to a TOML file, or say why not."""
        self.dismiss_notice()
        if self.config is None:
            return
        try:
            engine.save_experiment(path, self.config)
        except OSError as error:
            self.tell(self.tr("The experiment cannot be written"), error)

    def fork(self, state: "Checkpoint") -> None:
        """Begin a run of the experiment in the form where the shown one stood."""
        history, config = self.history, self.config
        if config is None or history is None:
            return
        made = self._tried(
            partial(engine.fork, config, history.config_at(state.step), state),
            self.tr("The run cannot be forked"),
        )
        if made is not None:
            self._launch(made.config, fork=made)

    def open_preset(self, name: str) -> None:
        """Put a preset into the form; a run that is in progress goes on.

        Raises:
            ValueError: No preset has that name.
        """
        self._replace_config(engine.preset(name))

    def toggle_run(self) -> None:
        """Run, pause or go on."""
        if self._slot.active:
            if self._slot.paused:
                self._slot.resume()
            else:
                self._slot.pause()
            self._announce()
        else:
            self._begin_or_go_on()

    def step(self, num_steps: int) -> None:
        """Make some outer steps, then wait."""
        if self._slot.active:
            self._slot.step(num_steps)
            self._announce()
        else:
            self._begin_or_go_on(num_steps=num_steps)

    def stop(self) -> None:
        """End the run and keep what it has; forget what was to follow."""
        self._slot.stop()
        self._announce()

    def start(self) -> None:
        """Begin a run of the experiment in the form; one in progress is kept."""
        if self.config is not None:
            self._launch(self.config)

    def reset(self, *, new_seed: bool = False) -> None:
        """Start over with the experiment in the form; one in progress is kept.

        The new run waits at step 0 unless one was running.
        """
        if self.config is None:
            return
        if new_seed:
            self._replace_config(engine.with_other_seed(self.config))
        self._launch(self.config, paused=self.phase is not Phase.RUNNING)

    def go_on_anyway(self) -> None:
        """Go on after the run has paused by itself."""
        self._slot.resume()
        self._announce()

    def halve(self, path: str) -> None:
        """Start the shown experiment over with half the value of a setting."""
        history = self.history
        assert history is not None, "there is no run to mend"
        made = self._tried(
            partial(engine.with_half, history.next_config, path),
            self.tr("{} cannot be halved").format(path),
        )
        if made is not None:
            self._replace_config(made)
            self._launch(made)

    def retry(self) -> None:
        """Run again what has failed: from its file if that holds a state, else afresh."""
        history = self.history
        assert history is not None, "there is no run to try again"
        if can_go_on(history):
            self._go_on(history)
        else:
            self._launch(history.next_config)

    def open_file(self, path: Path) -> None:
        """Show the run that a file holds, and put its experiment into the form."""
        read = partial(engine.stored_history, path)
        self._read(read, self._show_stored, name=f"open {path.name}")

    def save_copy(self, to: Path) -> None:
        """Write the run that is shown to another file; it may go on meanwhile."""
        history = self.history
        if history is None or history.path is None or self.copying:
            return
        self.notice = None
        write = partial(engine.save_copy, history.path, to)
        self._copy = BackgroundJob(write, name=f"copy to {to.name}")
        self._copy.start()
        self._announce()

    def dismiss_notice(self) -> None:
        """Forget what could not be done."""
        self.notice = None
        self._announce()

    def request_curves(self) -> None:
        """Ask the run for the gallery as it is now; for views that can be seen."""
        self._slot.request_curves()

    def poll(self) -> None:
        """Take in what threads have done. Called by the frame clock."""
        self._slot.poll()
        error = self._slot.take_error()
        if error is not None:
            if not isinstance(error, UserError):
                self._faults.add_error(error)
            self.tell(self.tr("The run file cannot be used"), error)
        if self._copy is not None and self._copy.done:
            self._end_copy(self._copy)
        self._announce()

    def _end_copy(self, job: "BackgroundJob[RunHistory]") -> None:
        self._copy = None
        try:
            copy = job.result()
        except Exception as error:  # noqa: BLE001 - whatever ended the thread is told
            if not isinstance(error, UserError):
                self._faults.add_error(error)
            self.tell(self.tr("The copy cannot be saved"), error)
        else:
            words = engine.lacking(copy) or self.tr("the whole run")
            text = f"{copy.path}: {words}"
            self.notice = Notice(self.tr("A copy was saved"), text, "accent")

    def join(self, timeout: float) -> bool:
        """Wait for threads, `timeout` seconds each; return whether none is left."""
        copied = self._copy is None or self._copy.join(timeout)
        return self._slot.join(timeout) and copied

    def _begin_or_go_on(self, *, num_steps: int = 0) -> None:
        history = self.history
        if self.resumable and history is not None:
            self._go_on(history, num_steps=num_steps)
        elif self.config is not None:
            self._launch(self.config, num_steps=num_steps)

    def _launch(
        self,
        config: "ExperimentConfig",
        *,
        paused: bool = False,
        num_steps: int = 0,
        fork: "Fork | None" = None,
    ) -> None:
        if self.reading:
            return
        self.notice = None
        self._follows_run = True
        path = new_run_path(config) if self._keep_runs else None
        self._slot.launch(
            Launch(
                config=config, path=path, paused=paused, num_steps=num_steps, fork=fork
            )
        )
        self._announce()

    def _go_on(self, history: "RunHistory", *, num_steps: int = 0) -> None:
        self._read(
            partial(engine.past_of, history),
            partial(self._launch_past, num_steps=num_steps),
            name=f"resume {history.name}",
        )

    def _launch_past(self, past: "RunHistory", *, num_steps: int) -> None:
        self._slot.launch(
            Launch(config=past.configs, path=past.path, past=past, num_steps=num_steps)
        )

    def _show_stored(self, history: "RunHistory") -> None:
        self._slot.show(history)
        self._replace_config(history.next_config)

    def _replace_config(self, config: "ExperimentConfig") -> None:
        self.config = config
        self.reference = engine.reference(config)
        self._follows_run = False
        self.problem = ""
        self.config_replaced.emit(config, self.reference)
        self._announce()

    def _read(
        self,
        work: "Callable[[], RunHistory]",
        then: "Callable[[RunHistory], None]",
        *,
        name: str,
    ) -> None:
        if not self.busy:
            self.notice = None
            self._slot.read(work, then, name=name)
            self._announce()

    def _tried(self, work: "Callable[[], T]", title: str) -> "T | None":
        """Return what some work gives, or say why it cannot be done."""
        try:
            return work()
        except UserError as error:
            self.tell(title, error)
            return None

    def tell(self, title: str, error: Exception) -> None:
        """Say what could not be done."""
        self.notice = Notice(title, str(error))
        self._announce()

    def _announce(self) -> None:
        """Emit `state_changed` if what views show of the session has changed."""
        state = announced(self)
        if state != self._announced:
            self._announced = state
            self.state_changed.emit()
