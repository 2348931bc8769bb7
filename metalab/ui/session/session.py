"""State of the window: one experiment that is edited, and one run.

The session holds state and takes commands; it computes nothing. Views ask it, and are
told by `state_changed` when what may be done has changed.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Signal

from metalab.core.errors import UserError
from metalab.runs.running.manager import Launch, RunManager, can_go_on
from metalab.runs.system.background_job import BackgroundJob
from metalab.runs.system.home import new_run_path
from metalab.ui.session import engine_access as engine
from metalab.ui.session.bookmark_job import BookmarkJob
from metalab.ui.session.earlier_bookmarks import EarlierBookmarks
from metalab.ui.session.notices import copied_notice, finished_notice
from metalab.ui.session.phase import Notice, Phase, Stake
from metalab.ui.session.session_view import Gate, SessionView, announced, ask_nobody
from metalab.ui.session.visits import Visits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metalab.engine.events import Checkpoint
    from metalab.experiment.config import ExperimentConfig
    from metalab.runs.record.bookmarks import Bookmarks
    from metalab.runs.record.history import RunHistory
    from metalab.runs.record.recent import RunSummary
    from metalab.runs.running.fork import Fork
    from metalab.runs.system.faults import FaultLog

T = TypeVar("T")


class Session(SessionView):
    """The state of one window, and the commands that change it.

    Whatever takes the run in view out of it goes through one gate (`_leave`), and leaves
    a way back (`go_back`).

    Attributes:
        state_changed: What may be done, or what a banner would say, has changed.
        config_replaced: The experiment was replaced by a command: the new one, and the
            preset that it comes from.
        run_shown: Another run is in view: it has begun, or was opened.
        run_left: A run with outer steps made room for another: its history.
        config_left: Changes in the form that no run was made of were replaced: the
            experiment as it was.
        loaded: Whether the engine can be used.
        loading_text: What the window waits for, or why it waits in vain.
        config: The experiment in the form; None while it is invalid.
        problem: What is wrong with the experiment; "" if nothing.
        reference: The preset that the experiment comes from; None before there is one.
        notice: What could not be done, until it is dismissed or something else is done.
    """

    state_changed = Signal()
    config_replaced = Signal(object, object)
    run_shown = Signal()
    run_left = Signal(object)
    config_left = Signal(object)

    def __init__(
        self,
        faults: "FaultLog",
        *,
        slot: RunManager | None = None,
        keep_runs: bool = True,
        parent: QObject | None = None,
    ) -> None:
        """Begin without engine, experiment and run; unexpected errors go to `faults`."""
        super().__init__(parent)
        self._faults = faults
        self._slot = RunManager() if slot is None else slot
        self._keep_runs = keep_runs
        self.loaded = False
        self.loading_text = "Loading torch…"
        self.config: ExperimentConfig | None = None
        self.problem = ""
        self.reference: ExperimentConfig | None = None
        self.notice: Notice | None = None
        self.recent = ()
        self.recovered = None
        self._copy = None
        self._marking = BookmarkJob()
        self._visits = Visits()
        self._gate: Gate = ask_nobody
        self._pending: Callable[[], None] | None = None
        self._earlier: EarlierBookmarks | None = None
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
        if self.notice is not None and self.notice.buttons and not self.repeats:
            self.notice = None
        self._announce()

    def set_invalid(self, problem: str) -> None:
        """Take in an edit that is not allowed, and why."""
        self.config = None
        self.problem = problem
        self._announce()

    def set_gate(self, gate: Gate) -> None:
        """Have a person asked before the run in view ends for the sake of another."""
        self._gate = gate

    def set_recent(self, runs: "Sequence[RunSummary]") -> None:
        """Take in which runs there are, the newest first."""
        self.recent = runs
        self._announce()

    def set_recovered(self, run: "RunSummary | None") -> None:
        """Offer a run that a crash has left; None for none any more."""
        self.recovered = run
        self._announce()

    def begin(
        self,
        config: "ExperimentConfig",
        doing: str,
        then: Callable[[], None] = lambda: None,
    ) -> None:
        """Put an experiment into the form and run it.

        Args:
            config: The experiment.
            doing: What for, in the question whether the run in view may end.
            then: What to do once it has begun.
        """

        def work() -> None:
            self.replace(config)
            self._launch(config)
            then()

        if not self.reading:
            self._leave(doing, work)

    def take_code(self, code: str) -> bool:
        """Put the experiment of a share code into the form; return whether it is one."""
        read = partial(engine.experiment_of_code, code)
        return self.put(read, "The experiment cannot be pasted")

    def open_experiment(self, path: Path) -> None:
        """Put the experiment of a TOML file into the form; a run in progress goes on."""
        read = partial(engine.experiment_of_file, path)
        self.put(read, "The experiment cannot be used")

    def put(self, read: "Callable[[], ExperimentConfig]", title: str) -> bool:
        """Put an experiment into the form, or say why not; return whether it is there."""
        self.dismiss_notice()
        found = self._tried(read, title)
        if found is not None:
            self.replace(found)
        return found is not None

    def save_experiment(self, path: Path) -> None:
        """Write the experiment in the form to a TOML file, or say why not."""
        self.dismiss_notice()
        if self.config is None:
            return
        try:
            engine.save_experiment(path, self.config)
        except OSError as error:
            self.tell("The experiment cannot be written", error)

    def fork(self, state: "Checkpoint") -> None:
        """Begin a run of the experiment in the form where the shown one stood."""
        history, config = self.history, self.config
        if config is None or history is None:
            return
        parent = history.config_at(state.step)
        made = self._tried(
            partial(engine.fork, config, parent, state, history.bookmarks or ()),
            "The run cannot be forked",
        )
        if made is not None:
            launch = partial(self._launch, made.config, fork=made)
            self._leave("begin the fork", launch)

    def open_preset(self, name: str) -> None:
        """Put a preset into the form; a run that is in progress goes on.

        Raises:
            ValueError: No preset has that name.
        """
        self.replace(engine.preset(name))

    def toggle_run(self) -> None:
        """Run, pause or go on; a finished run is not repeated unasked."""
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
        self._pending = None
        self._slot.stop()
        self._announce()

    def start(self, *, new_seed: bool = False) -> None:
        """Begin a run of the experiment in the form; one in progress is kept.

        Args:
            new_seed: Whether with a seed that is drawn at random.
        """
        if self.config is not None:
            self._begin_anew(self.config, "start a new run", new_seed=new_seed)

    def reset(self, *, new_seed: bool = False) -> None:
        """Start over with the experiment in the form; one in progress is kept.

        The new run waits at step 0 unless one was running.
        """
        if self.config is not None:
            waits = self.phase is not Phase.RUNNING
            doing = "start over"
            self._begin_anew(self.config, doing, new_seed=new_seed, paused=waits)

    def _begin_anew(
        self,
        config: "ExperimentConfig",
        doing: str,
        *,
        new_seed: bool,
        paused: bool = False,
    ) -> None:
        def work() -> None:
            wanted = engine.with_other_seed(config) if new_seed else config
            if new_seed:
                self.replace(wanted, unasked=False)
            self._launch(wanted, paused=paused)

        self._leave(doing, work)

    def go_on_anyway(self) -> None:
        """Go on after the run has paused by itself."""
        self._slot.resume()
        self._announce()

    def start_without_kernels(self) -> None:
        """Begin the run that waits for the compiler by automatic differentiation."""
        self._slot.do_without_kernels()

    def halve(self, path: str) -> None:
        """Start the shown experiment over with half the value of a setting."""
        history = self.history
        assert history is not None, "there is no run to mend"
        made = self._tried(
            partial(engine.with_half, history.next_config, path),
            f"{path} cannot be halved",
        )
        if made is None:
            return

        def work() -> None:
            self.replace(made, unasked=False)
            self._launch(made)

        self._leave("start over", work)

    def retry(self) -> None:
        """Run again what has failed: from its file if that holds a state, else afresh."""
        history = self.history
        assert history is not None, "there is no run to try again"
        if can_go_on(history):
            self._go_on(history)
        else:
            again = partial(self._launch, history.next_config)
            self._leave("try it again", again)

    def open_file(self, path: Path, *, go_on: bool = False) -> None:
        """Show the run that a file holds, and put its experiment into the form.

        Args:
            path: The file.
            go_on: Whether the run goes on at once, if it has steps left to make.
        """
        then = partial(self._show_stored, go_on=go_on)
        self._open(path, then, f"open {path.name}")

    def go_back(self) -> None:
        """Show the run that was shown before this one."""
        path = self.run_before
        if path is None:
            self._tell_gone()
        else:
            then = partial(self._show_again, moved=self._visits.go_back_to)
            self._open(path, then, "go back to the run before")

    def go_forward(self) -> None:
        """Show the run that was come back from."""
        path = self.run_after
        if path is None:
            self._tell_gone()
        else:
            then = partial(self._show_again, moved=self._visits.go_on_to)
            self._open(path, then, "go to the run after")

    def _tell_gone(self) -> None:
        gone = UserError("It was not kept, or was moved or deleted since.")
        self.tell("That run has no file", gone)

    def reopen_last(self) -> None:
        """Show the newest run that is not shown."""
        path = self.last_run
        if path is not None:
            self.open_file(path)

    def keep_bookmarks(self, marks: "Bookmarks") -> None:
        """Take in what a person has marked in the run that is shown, and keep it."""
        self._slot.set_bookmarks(marks)
        self._marking.forget()
        self._poll_bookmarks()
        self._announce()

    def save_copy(self, to: Path) -> None:
        """Write the run that is shown to another file; it may go on meanwhile."""
        history = self.history
        if history is None or history.path is None or self.copying:
            return
        self.notice = None
        write = partial(engine.save_copy, history.path, to, history.bookmarks)
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
            self._fail("The run file cannot be used", error)
        if self._copy is not None and self._copy.done:
            self._end_copy(self._copy)
        self._poll_bookmarks()
        if self._pending is not None and not self.busy:
            work, self._pending = self._pending, None
            work()
        self._announce()

    def _poll_bookmarks(self) -> None:
        """Put bookmarks into the file of a run that has ended; others do it themselves."""
        error = self._marking.poll()
        if error is not None:
            self._fail("The bookmarks are not in the run's file", error)
        if self._marking.written is not None:
            self._slot.keep_in_mind(self._marking.written)
        if not self._slot.busy:
            self._marking.begin(self.history)

    def _end_copy(self, job: "BackgroundJob[RunHistory]") -> None:
        self._copy = None
        try:
            copy = job.result()
        except Exception as error:  # noqa: BLE001 - whatever ended the thread is told
            self._fail("The copy cannot be saved", error)
        else:
            self.notice = copied_notice(copy)

    def join(self, timeout: float) -> bool:
        """Wait for threads, `timeout` seconds each; return whether none is left."""
        copied = self._copy is None or self._copy.join(timeout)
        marked = self._marking.join(timeout)
        return self._slot.join(timeout) and copied and marked

    def _begin_or_go_on(self, *, num_steps: int = 0) -> None:
        history = self.history
        if self._marking.busy or self._slot.busy:
            # What can be done is only known once the file is free.
            again = partial(self._begin_or_go_on, num_steps=num_steps)
            self._when_free(again)
        elif self.resumable and history is not None:
            self._go_on(history, num_steps=num_steps)
        elif self.repeats and history is not None:
            self.say(finished_notice(history))
        elif self.config is not None:
            launch = partial(self._launch, self.config, num_steps=num_steps)
            self._leave("start a new run", launch)

    def _leave(self, doing: str, then: Callable[[], None]) -> None:
        """Do what takes the run out of view, unless a person would rather keep it there.

        Args:
            doing: What for, as in "To …, it is stopped".
            then: What to do; it stops the run and waits for it where it has to.
        """
        if self.stake is Stake.NOTHING:
            then()
        else:
            self._gate(doing, then)

    def _when_free(self, work: Callable[[], None]) -> None:
        """Do something once no thread is at work; a run in progress is stopped."""
        if self.busy:
            self._slot.stop()
            self._pending = work
        else:
            work()
        self._announce()

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
        if self._marking.busy:
            given = {"paused": paused, "num_steps": num_steps, "fork": fork}
            self._when_free(partial(self._launch, config, **given))
            return
        self.notice = None
        left = self.history
        self._follows_run = True
        path = new_run_path(config) if self._keep_runs else None
        if path is not None:
            self._visits.come_to(path)
        self._slot.launch(
            Launch(
                config=config, path=path, paused=paused, num_steps=num_steps, fork=fork
            )
        )
        self.run_shown.emit()
        self._tell_left(left)
        self._announce()

    def _tell_left(self, history: "RunHistory | None") -> None:
        if history is not None and history.step > 0 and history.path is not None:
            self.run_left.emit(history)

    def _go_on(self, history: "RunHistory", *, num_steps: int = 0) -> None:
        self._when_free(
            partial(
                self._read,
                partial(engine.past_of, history),
                partial(self._launch_past, num_steps=num_steps),
                name=f"resume {history.name}",
            )
        )

    def _launch_past(self, past: "RunHistory", *, num_steps: int) -> None:
        self._slot.launch(
            Launch(config=past.configs, path=past.path, past=past, num_steps=num_steps)
        )

    def _open(
        self, path: Path, then: "Callable[[RunHistory], None]", doing: str
    ) -> None:
        """Read a run file and show its run, once the one in view has made room."""
        read = partial(
            self._read,
            partial(engine.stored_history, path),
            then,
            name=f"open {path.name}",
        )
        if not self.reading:
            self._leave(doing, partial(self._when_free, read))

    def _show_stored(self, history: "RunHistory", *, go_on: bool = False) -> None:
        left = self.history
        if history.path is not None:
            self._visits.come_to(history.path)
        self._show(history)
        if left is not None and history.path != left.path:
            self._tell_left(left)
        if go_on and can_go_on(history):
            self._go_on(history)

    def _show_again(
        self, history: "RunHistory", *, moved: Callable[[Path], None]
    ) -> None:
        assert history.path is not None, "only runs with a file are gone back to"
        moved(history.path)
        self._show(history)

    def _show(self, history: "RunHistory") -> None:
        if history.bookmarks is None and history.path is not None:
            marks = self._earlier_bookmarks().of(history.path)
            history = replace(history, bookmarks=marks) if marks else history
        self._marking.forget()
        # Before it, what the form holds may be of the run that is left.
        self._tell_config_left(history.next_config)
        self._slot.show(history)
        self.replace(history.next_config, unasked=False)
        self.run_shown.emit()

    def _earlier_bookmarks(self) -> EarlierBookmarks:
        if self._earlier is None:
            self._earlier = EarlierBookmarks()
            if self._earlier.warning:
                self._faults.add(self._earlier.warning)
        return self._earlier

    def replace(self, config: "ExperimentConfig", *, unasked: bool = True) -> None:
        """Put an experiment into the form; tell of lost changes if nobody was asked."""
        if unasked:
            self._tell_config_left(config)
        self.config = config
        self.reference = engine.reference(config)
        self._follows_run = False
        self.problem = ""
        self.config_replaced.emit(config, self.reference)
        self._announce()

    def _tell_config_left(self, config: "ExperimentConfig") -> None:
        """Tell of an experiment that is gone with the form: no run was made of it."""
        history = self.history
        known = [None, config, self.reference]
        if history is not None:
            # As the run goes on with it, and as it was started, before any edit.
            known += [history.next_config, history.configs.at(0)]
        if self.config not in known:
            self.config_left.emit(self.config)

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

    def _fail(self, title: str, error: Exception) -> None:
        if not isinstance(error, UserError):
            self._faults.add_error(error)
        self.tell(title, error)

    def tell(self, title: str, error: Exception) -> None:
        """Say what could not be done."""
        self.say(Notice(title, str(error)))

    def say(self, notice: Notice) -> None:
        """Say what became of a command."""
        self.notice = notice
        self._announce()

    def _announce(self) -> None:
        """Emit `state_changed` if what views show of the session has changed."""
        state = announced(self)
        if state != self._announced:
            self._announced = state
            self.state_changed.emit()
