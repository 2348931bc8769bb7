"""The filter of a library: `method:maml k>5 tag:thesis loss<0.4`.

Every word narrows the list. `key:value` compares a text, `key<number` and the like a
number, any other word is looked for in the name; `-` before any of them turns it round.
A key is one of `KEYS`, or a setting by its dotted path. Imports no torch.
"""

import difflib
import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from metalab.core.errors import UserError
from metalab.runs.library.entry import SEED, STATES, Plain, RunEntry

Value = Plain | tuple[str, ...]

_SHORT_SETTINGS = {
    "k": "inner.num_inner_steps",
    "inner_lr": "inner.inner_lr",
    "outer_lr": "outer.optimizer.outer_lr",
    "optimizer": "outer.optimizer.kind",
    "shots": "tasks.num_shots",
    "tasks": "outer.num_tasks",
    "family": "tasks.family.kind",
    "model": "model.kind",
    "inner": "inner.kind",
    "hypergradient": "hypergradient.kind",
    "meta": "meta.kind",
}
"""Settings that have a short name in filters."""


def _loss(entry: RunEntry) -> Value:
    return None if entry.last is None else entry.last.loss


def _best(entry: RunEntry) -> Value:
    return None if entry.best is None else entry.best.loss


def _created(entry: RunEntry) -> Value:
    """Return the local day on which a run began, such as "2026-11-30"."""
    moment = created_at(entry)
    return None if moment is None else moment.date().isoformat()


def created_at(entry: RunEntry) -> datetime | None:
    """Return when a run began, in local time; None where its file does not tell."""
    try:
        moment = datetime.fromisoformat(entry.created)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone()


_FACTS: Mapping[str, Callable[[RunEntry], Value]] = {
    "name": lambda entry: entry.name,
    "file": lambda entry: entry.path.name,
    "state": lambda entry: entry.state,
    "method": lambda entry: entry.method,
    "preset": lambda entry: entry.preset,
    "seed": lambda entry: entry.seed,
    "step": lambda entry: entry.step,
    "steps": lambda entry: entry.num_steps,
    "loss": _loss,
    "best": _best,
    "speed": lambda entry: entry.steps_per_second,
    "duration": lambda entry: entry.seconds,
    "created": _created,
    "tag": lambda entry: entry.labels.tags,
    "note": lambda entry: entry.labels.note,
    "colour": lambda entry: entry.labels.colour,
    "archived": lambda entry: "yes" if entry.labels.archived else "no",
}

KEYS = (*_FACTS, *_SHORT_SETTINGS)
"""Keys of a filter, beside the dotted paths of settings."""

_EXACT = ("state", "method", "tag", "colour", "archived", "seed")
"""Keys whose text must be the whole value; of others it may be any part."""

_TERM = re.compile(
    r"(?P<key>[A-Za-z_][\w.]*)(?P<sign><=|>=|!=|=|<|>|:)(?P<value>.*)", re.DOTALL
)
_PIECE = re.compile(r'(?:[^\s"]|"[^"]*(?:"|$))+')

_SIGNS: Mapping[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}

Test = Callable[[RunEntry], bool]


class FilterError(UserError):
    """A filter that says nothing; the message names the word and what is allowed.

    Attributes:
        token: The word.
    """

    def __init__(self, token: str, message: str) -> None:
        super().__init__(f"filter {token!r}: {message}")
        self.token = token


@dataclass(frozen=True, slots=True)
class RunFilter:
    """A filter that has been read.

    Attributes:
        text: As it was written.
        tests: What a run has to pass, every one.
        names_archived: Whether it says which archived runs it wants.
    """

    text: str = ""
    tests: tuple[Test, ...] = ()
    names_archived: bool = False

    def __call__(self, entry: RunEntry) -> bool:
        """Return whether a run passes.

        Archived runs do not, unless the filter speaks of them.
        """
        if entry.labels.archived and not self.names_archived:
            return False
        return all(test(entry) for test in self.tests)


def parse_filter(text: str, settings: Collection[str] = ()) -> RunFilter:
    """Return the filter that a text says.

    Args:
        text: Words with spaces between; a value with spaces stands in double quotes.
        settings: Dotted paths that some run has: another one is a slip of the pen. None
            of them are asked for where this is empty.

    Raises:
        FilterError: A word says nothing.
    """
    tests: list[Test] = []
    archived = False
    for piece in _PIECE.findall(text):
        if piece.count('"') % 2:
            raise FilterError(
                piece, 'a quotation mark is not closed; allowed: key:"two words"'
            )
        negated = piece.startswith("-") and len(piece) > 1
        body = piece[1:] if negated else piece
        term = _TERM.fullmatch(body)
        if term is None:
            test = _name_test(body.replace('"', ""))
        else:
            key, sign, value = term.group("key", "sign", "value")
            archived |= key == "archived"
            test = _term_test(
                piece, key.casefold(), sign, value.replace('"', ""), settings
            )
        tests.append(_turned_round(test) if negated else test)
    return RunFilter(text, tuple(tests), archived)


def _turned_round(test: Test) -> Test:
    return lambda entry: not test(entry)


def _name_test(word: str) -> Test:
    wanted = word.casefold()
    return lambda entry: wanted in entry.name.casefold()


def _term_test(
    piece: str, key: str, sign: str, value: str, settings: Collection[str]
) -> Test:
    read = _reader(piece, key, settings)
    if not value and not (sign == ":" and key in ("note", "colour", "tag")):
        raise FilterError(piece, f"there is nothing behind {sign!r}")
    if sign == ":":
        return _text_test(piece, key, value, read)
    if key == "created":
        return _day_test(piece, sign, value, read)
    if sign in ("=", "!=") and _number(value) is None:
        test = _whole_text_test(value, read)
        return test if sign == "=" else _turned_round(test)
    return _number_test(piece, sign, value, read)


def _reader(
    piece: str, key: str, settings: Collection[str]
) -> Callable[[RunEntry], Value]:
    """Return what reads a key's value from a run.

    Raises:
        FilterError: There is no such key.
    """
    if key in _FACTS:
        return _FACTS[key]
    path = _SHORT_SETTINGS.get(key, key)
    if path == SEED:
        return _FACTS["seed"]
    short = path != key
    if short or path in settings or ("." in path and not settings):
        return lambda entry: entry.config.get(path)
    near = difflib.get_close_matches(key, [*KEYS, *settings], n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    allowed = ", ".join(KEYS)
    raise FilterError(
        piece,
        f"no run has {key!r}{hint} Allowed: {allowed}, or a setting such as "
        "inner.inner_lr",
    )


def _text_test(
    piece: str, key: str, value: str, read: Callable[[RunEntry], Value]
) -> Test:
    wanted = value.casefold()
    if key == "state":
        _check_choice(piece, wanted, STATES)
    if key == "archived":
        _check_choice(piece, wanted, ("yes", "no"))
    if not wanted:
        return lambda entry: not read(entry)
    if key in _EXACT or "." in key or key in _SHORT_SETTINGS:
        return _whole_text_test(value, read)

    def test(entry: RunEntry) -> bool:
        return wanted in _text(read(entry)).casefold()

    return test


def _check_choice(piece: str, value: str, allowed: Collection[str]) -> None:
    if value not in allowed:
        words = ", ".join(f'"{word}"' if " " in word else word for word in allowed)
        raise FilterError(piece, f"{value!r} is none; allowed: {words}")


def _whole_text_test(value: str, read: Callable[[RunEntry], Value]) -> Test:
    wanted, number = value.casefold(), _number(value)

    def test(entry: RunEntry) -> bool:
        found = read(entry)
        if isinstance(found, tuple):
            return wanted in found
        if number is not None and isinstance(found, int | float):
            return found == number
        return _text(found).casefold() == wanted

    return test


def _text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _day_test(
    piece: str, sign: str, value: str, read: Callable[[RunEntry], Value]
) -> Test:
    """Return a comparison of days: their texts are in the order of time."""
    try:
        datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise FilterError(
            piece, f"{value!r} is no day; allowed: one such as 2026-11-30"
        ) from error

    def test(entry: RunEntry) -> bool:
        found = read(entry)
        if not isinstance(found, str):
            return False
        order = (found > value) - (found < value)
        return _SIGNS[sign](order, 0)

    return test


def _number_test(
    piece: str, sign: str, value: str, read: Callable[[RunEntry], Value]
) -> Test:
    limit = _number(value)
    if limit is None:
        raise FilterError(
            piece, f"{value!r} is no number; allowed: one such as 0.4 or 1e-3"
        )
    compare = _SIGNS[sign]

    def test(entry: RunEntry) -> bool:
        found = read(entry)
        if isinstance(found, bool) or not isinstance(found, int | float):
            return False
        return not math.isnan(found) and compare(found, limit)

    return test


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return None if math.isnan(found) else found
