"""Columns of the table of runs: headings, texts and order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from metalab.runs.library.entry import Plain, RunEntry
from metalab.runs.library.filter import created_at
from metalab.runs.library.order import RunGroup
from metalab.ui.plot.ticks import number_text

MOST_FIELDS = 6
"""Settings that have a column, of those in which the runs differ."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400

RowText = Callable[["Row"], str]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: a run, or replicates together.

    Attributes:
        entry: The run; of replicates, the first of them.
        group: The replicates; None for a run.
        within: Whether the run is one of replicates whose row stands above.
    """

    entry: RunEntry
    group: RunGroup | None = None
    within: bool = False

    @property
    def entries(self) -> tuple[RunEntry, ...]:
        """The runs that the row stands for."""
        return (self.entry,) if self.group is None else self.group.entries

    @property
    def key(self) -> str:
        """What tells the row from others, also after another look."""
        return str(self.entry.path) if self.group is None else f"group {self.group.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column.

    Attributes:
        key: Unique; what runs are sorted by, unless `sort` says otherwise.
        title: Heading.
        tip: One sentence.
        text: What a row says.
        width: In letters.
        number: Whether it stands at the right.
        sort: Field of `runs.library.order`; "" for a column that orders nothing.
    """

    key: str
    title: str
    tip: str
    text: RowText
    width: int
    number: bool = False
    sort: str = ""


def _name(row: Row) -> str:
    return row.entry.name


def _state(row: Row) -> str:
    if row.group is None:
        return row.entry.state
    states = {entry.state for entry in row.entries}
    return states.pop() if len(states) == 1 else "mixed"


def _seed(row: Row) -> str:
    if row.group is not None and len(row.entries) > 1:
        return f"{len(row.entries)} seeds"
    return plain_text(row.entry.seed)


def _best(row: Row) -> str:
    if row.group is not None:
        return _loss(row.group.best)
    return _loss(row.entry.best and row.entry.best.loss)


def _last(row: Row) -> str:
    if row.group is None:
        return _loss(row.entry.last and row.entry.last.loss)
    text = _loss(row.group.last)
    if row.group.deviation is None:
        return text
    return f"{text} ± {number_text(row.group.deviation)}"


def _loss(value: float | None) -> str:
    return "" if value is None else number_text(value)


def _step(row: Row) -> str:
    entry = row.entry
    if entry.problem:
        return ""
    whole = entry.step == entry.num_steps
    return f"{entry.step:,}" if whole else f"{entry.step:,} / {entry.num_steps:,}"


def _speed(row: Row) -> str:
    speed = row.entry.steps_per_second
    return "" if speed is None else number_text(speed)


def _duration(row: Row) -> str:
    return duration_text(row.entry.seconds)


def duration_text(seconds: float | None) -> str:
    """Return a duration in its two largest units; "" where it is not known."""
    if seconds is None:
        return ""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def _created(row: Row) -> str:
    created = created_at(row.entry)
    return "" if created is None else f"{created:%Y-%m-%d %H:%M}"


def _tags(row: Row) -> str:
    return " ".join(dict.fromkeys(t for e in row.entries for t in e.labels.tags))


def _note(row: Row) -> str:
    if row.entry.problem:
        return row.entry.problem
    return " ".join(row.entry.labels.note.split())


def plain_text(value: Plain) -> str:
    """Return a setting as text; "" for one that a run does not have."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


NAME, STATE, LOSS, PICTURE = "name", "state", "sparkline", "adaptation"

_FIRST = (
    Column(
        key=NAME,
        title="Run",
        tip="Name of the run; double-click opens it, F2 renames it. Ticked runs are compared",
        text=_name,
        width=30,
        sort="name",
    ),
    Column(
        key=STATE,
        title="State",
        tip="Whether the run goes on, and how it ended",
        text=_state,
        width=14,
        sort="state",
    ),
    Column(
        key="seed",
        title="Seed",
        tip="Replicates differ by nothing else",
        text=_seed,
        width=9,
        number=True,
        sort="seed",
    ),
    Column(
        key=LOSS,
        title="Loss",
        tip="Held-out query loss over training, on a logarithmic scale of its own",
        text=lambda _: "",
        width=11,
    ),
    Column(
        key="best",
        title="Best",
        tip="Lowest held-out query loss after K inner steps",
        text=_best,
        width=8,
        number=True,
        sort="best",
    ),
    Column(
        key="loss",
        title="Last",
        tip="Newest held-out query loss after K inner steps; of replicates mean ± SD",
        text=_last,
        width=16,
        number=True,
        sort="loss",
    ),
    Column(
        key=PICTURE,
        title="Adapts",
        tip="A held-out task: before (faint) and after K inner steps, truth dashed",
        text=lambda _: "",
        width=9,
    ),
    Column(
        key="method",
        title="Method",
        tip="Recipe of the run",
        text=lambda row: row.entry.method,
        width=13,
        sort="method",
    ),
)

_LAST = (
    Column(
        key="tags",
        title="Tags",
        tip="A person's words; `tag:word` finds them",
        text=_tags,
        width=14,
        sort="tags",
    ),
    Column(
        key="step",
        title="Steps",
        tip="Outer steps in the file, and planned ones where there are more",
        text=_step,
        width=11,
        number=True,
        sort="step",
    ),
    Column(
        key="speed",
        title="Steps/s",
        tip="Outer steps a second of training",
        text=_speed,
        width=8,
        number=True,
        sort="speed",
    ),
    Column(
        key="duration",
        title="Duration",
        tip="Training time without pauses",
        text=_duration,
        width=12,
        number=True,
        sort="duration",
    ),
    Column(
        key="created",
        title="Created",
        tip="When the run began",
        text=_created,
        width=17,
        sort="created",
    ),
    Column(
        key="note",
        title="Note",
        tip="A person's note, or why the file cannot be read",
        text=_note,
        width=30,
        sort="note",
    ),
)


def columns_of(fields: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns of a table, with the settings in which its runs differ.

    Args:
        fields: Dotted paths.
    """
    return (*_FIRST, *(_field_column(path) for path in fields), *_LAST)


def _field_column(path: str) -> Column:
    *parents, key = path.split(".")
    title = key
    if key == "kind" and parents:
        title = parents[-1]
    elif key.startswith("num_"):
        title = " ".join(word for word in key.split("_") if word != "num")

    def text(row: Row) -> str:
        return plain_text(row.entry.config.get(path))

    return Column(
        key=path,
        title=title.replace("_", " "),
        tip=f"Setting {path}, in which these runs differ",
        text=text,
        width=max(9, min(len(title) + 2, 15)),
        number=key != "kind",
        sort=path,
    )
