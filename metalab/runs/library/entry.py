"""One run as the library lists it. Imports no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from metalab.runs.library.labels import Labels
from metalab.runs.record.status import RunStatus

MOST_POINTS = 32
"""Points of a sparkline."""

Plain = str | int | float | bool | None
"""A setting as a list shows it; of several numbers, their text."""

SEED = "run.seed"


@dataclass(frozen=True, slots=True)
class Score:
    """A held-out evaluation in one number.

    Attributes:
        step: Outer steps made.
        loss: Mean query loss over the held-out tasks, after K inner steps.
    """

    step: int
    loss: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEntry:
    """A run file in a row.

    Attributes:
        path: The file.
        name: The run's name; the file's where it cannot be read.
        status: How it ended; None for a file that cannot be read.
        cut_short: Whether nobody wrote that it has ended.
        in_use: Whether somebody is writing it just now.
        seed: Its seed.
        step: Outer steps that are safe in the file.
        num_steps: Outer steps that were planned.
        method: Name of the recipe that it follows, or of its preset; "" for neither.
        preset: Name of the preset that it comes from; "" for none.
        config: The settings in force at its last step, by dotted path.
        group: The same for replicates: runs that differ by nothing but their seeds.
        losses: Held-out query losses over training, or training losses where there are
            not two evaluations; at most `MOST_POINTS`, in order of steps.
        held_out: Whether `losses` are of held-out tasks.
        best: The lowest evaluation, the earliest of equals.
        last: The newest evaluation.
        seconds: Training time without pauses, s.
        created: When the run began, ISO 8601, UTC; "" where that is not known.
        written: When the file was last written, seconds since 1970.
        size: Bytes of the file.
        labels: A person's words.
        waiting: Whether a change of name or labels waits for the run to end.
        problem: Why the file cannot be read, in a sentence; "" if it can.
    """

    path: Path
    name: str
    status: RunStatus | None = None
    cut_short: bool = False
    in_use: bool = False
    seed: int | None = None
    step: int = 0
    num_steps: int = 0
    method: str = ""
    preset: str = ""
    config: Mapping[str, Plain] = field(default_factory=dict[str, Plain])
    group: str = ""
    losses: tuple[float, ...] = ()
    held_out: bool = True
    best: Score | None = None
    last: Score | None = None
    seconds: float | None = None
    created: str = ""
    written: float = 0.0
    size: int = 0
    labels: Labels = field(default_factory=Labels)
    waiting: bool = False
    problem: str = ""

    @property
    def state(self) -> str:
        """The status in a word: also "running", "cut short" and "unreadable"."""
        if self.status is None:
            return "unreadable"
        if self.in_use:
            return "running"
        return "cut short" if self.cut_short else self.status.value

    @property
    def steps_per_second(self) -> float | None:
        """Outer steps a second of training; None where no time is known."""
        if not self.seconds or not self.step:
            return None
        return self.step / self.seconds


STATES = (
    "running",
    "finished",
    "stopped",
    "diverged",
    "failed",
    "cut short",
    "unreadable",
)
"""Values of `RunEntry.state`, in the order in which a list sorts them."""


def differing_fields(entries: Sequence[RunEntry]) -> tuple[str, ...]:
    """Return the settings in which runs differ, those with the most values first.

    The seed is none of them: replicates are told apart by its own column.

    Args:
        entries: The runs; unreadable ones have no settings.
    """
    values: dict[str, set[Plain]] = {}
    counts: dict[str, int] = {}
    # Of replicates, one is looked at: a library holds many more runs than experiments.
    readable = {entry.group: entry.config for entry in entries if entry.config}
    for config in readable.values():
        for path, value in config.items():
            values.setdefault(path, set()).add(value)
            counts[path] = counts.get(path, 0) + 1
    differing = [
        path
        for path, found in values.items()
        # One that only some have is a difference as well.
        if (len(found) > 1 or counts[path] < len(readable)) and path not in _NAMES
    ]
    shared = {path: counts[path] == len(readable) for path in differing}

    def place(path: str) -> tuple[bool, bool, int, str]:
        aside = path.startswith(_ASIDE)
        return aside, not shared[path], -len(values[path]), path

    return tuple(sorted(differing, key=place))


_ASIDE = ("evaluation.", "run.", "diagnostics.")
"""Settings that say less of a method than others do: they come last."""

_NAMES = ("name", "preset", "version", SEED)
