"""Starts that the Adapt page adapts from: the run's, and those laid over it."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from metalab.analysis.adapt_request import Start
from metalab.analysis.starts import joint_start, random_start
from metalab.ui.session import engine_access as engine
from metalab.ui.workspaces.adapt.tools import Overlay

if TYPE_CHECKING:
    from collections.abc import Callable

    from metalab.engine.events import Checkpoint
    from metalab.experiment.config import ExperimentConfig
    from metalab.runs.record.history import RunHistory
    from metalab.ui.session.moment import Moment
    from metalab.ui.workspaces.adapt.asking import AdaptAsking

RUN, RANDOM, JOINT = "run", "random", "joint"
MOST_RUNS = 3
"""Other runs that are offered: with the two made starts, as many as there are colours."""


class AdaptStarts(QObject):
    """Knows what can be laid over and what is; has it made where that takes a while.

    Attributes:
        changed: Other starts can be had, or are wanted.
    """

    changed = Signal()

    def __init__(self, asking: "AdaptAsking", parent: QObject) -> None:
        super().__init__(parent)
        self._asking = asking
        self._moment: Moment | None = None
        self._runs: list[RunHistory] = []
        self._made: dict[str, Checkpoint] = {}
        self._refused: dict[str, str] = {}
        self._wanted: list[str] = []
        asking.start_made.connect(self._on_made)

    @property
    def runs(self) -> "list[RunHistory]":
        """Other runs that can be laid over."""
        return list(self._runs)

    def set_moment(self, moment: "Moment | None") -> bool:
        """Take in where the window stands; return whether it is another run."""
        before, self._moment = self._moment, moment
        if moment is None:
            return before is not None
        if moment.is_of_run_of(before):
            return False
        # The example that comes with metalab is in no file: it is nobody's other run, and
        # whether it was seen before the first run is a matter of milliseconds.
        if before is not None and before.phi is not None and before.history.path:
            self.add_run(before.history)
        self._runs = [r for r in self._runs if not moment.history.is_same_run(r)]
        self._asking.forget_starts()
        self._made.clear()
        self._refused.clear()
        for key in self._wanted:
            self._make(key)
        self.changed.emit()
        return True

    def add_run(self, history: "RunHistory") -> str:
        """Offer another run; return the key of its overlay."""
        others = [run for run in self._runs if not history.is_same_run(run)]
        self._runs = [*others, history][-MOST_RUNS:]
        self.changed.emit()
        return _key(history)

    def choose(self, key: str, *, on: bool) -> None:
        """Lay a start over, or no more."""
        if on and key not in self._wanted:
            self._wanted.append(key)
            self._make(key)
        elif not on and key in self._wanted:
            self._wanted.remove(key)
        self.changed.emit()

    def overlays(self) -> tuple[Overlay, ...]:
        """Return what can be laid over."""
        making = "In the making…"
        fixed = (
            Overlay(
                key=RANDOM,
                title="Random start",
                tip="Random initialisation of the same network",
                why_not=self._refused.get(RANDOM, ""),
            ),
            Overlay(
                key=JOINT,
                title="Jointly trained",
                tip=making
                if self._asking.making(JOINT)
                else "Trained on all tasks at once, without an inner loop",
                why_not=self._refused.get(JOINT, ""),
            ),
        )
        runs = tuple(
            Overlay(
                key=_key(run),
                title=run.name,
                tip="\n".join(
                    [
                        "Another run, at the same outer step as far as it came",
                        *self._notes([run]),
                    ]
                ),
            )
            for run in self._runs
        )
        return (*fixed, *runs)

    def notes(self) -> list[str]:
        """Return what else differs in each of the other runs that are laid over."""
        return self._notes([run for run in self._runs if _key(run) in self._wanted])

    def _notes(self, runs: "list[RunHistory]") -> list[str]:
        if self._moment is None:
            return []
        mine = self._moment.history.next_config
        notes = [
            (run.name, engine.difference_note(mine, run.next_config)) for run in runs
        ]
        return [f"{name} has {note}" for name, note in notes if note]

    def starts(self) -> tuple[Start, ...]:
        """Return what to adapt from now: the run's own first."""
        moment = self._moment
        if moment is None or moment.phi is None:
            return ()
        own = Start(key=RUN, config=moment.config, phi=moment.phi, step=moment.step)
        made = [
            Start(
                key=key, config=moment.config, phi=self._made[key].phi, step=moment.step
            )
            for key in (RANDOM, JOINT)
            if key in self._wanted and key in self._made
        ]
        others: list[Start] = []
        for run in self._runs:
            state = run.trail.nearest(moment.step)
            if _key(run) in self._wanted and state is not None:
                others.append(
                    Start(
                        key=_key(run),
                        config=run.config_at(state.step),
                        phi=state.phi,
                        step=state.step,
                    )
                )
        return (own, *made, *others)

    def _make(self, key: str) -> None:
        makers: dict[str, Callable[[ExperimentConfig], Checkpoint]] = {
            RANDOM: random_start,
            JOINT: partial(joint_start, give_up=self._asking.give_up),
        }
        if key in makers and key not in self._made and self._moment is not None:
            config = self._moment.config
            self._asking.make_start(key, partial(makers[key], config))

    def _on_made(self, key: str, outcome: "Checkpoint | Exception") -> None:
        if isinstance(outcome, Exception):
            self._refused[key] = str(outcome)
        else:
            self._made[key] = outcome
        self.changed.emit()


def _key(run: "RunHistory") -> str:
    return f"run {id(run.configs.identity)}"
