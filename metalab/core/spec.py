"""Options of a component, as it declares them.

A component (an estimator, an inner loop, a task family, ...) is one frozen dataclass in
one file. Each option carries an `OptionSpec`, from which the catalog derives validation,
form, command line, sweep axes and documentation, so nothing is declared twice.
"""

import math
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, field
from typing import Any

SPEC_KEY = "metalab.spec"
_LONGEST_SHOWN = 60
MOST_ENTRIES = 64
"""Of a list of numbers, such as the widths of layers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionSpec:
    """What a person needs to know to set one option.

    Attributes:
        label: Name shown in the form. Only an argument of a module of torch may leave it
            and `help` out: they are then made of its name (`core.module_options`).
        help: One plain sentence.
        unit: Unit of the value; "1" when dimensionless.
        low: Smallest admissible value, or None.
        high: Largest admissible value, or None.
        exclusive: Whether `low` itself is refused.
        choices: Admissible words, for options that choose one.
        max_length: Most characters of a text; 0 for options that are no text.
        reading: Of a text, says in words how it is understood, and refuses with a
            ValueError what can be read in two ways; None where a text is a text.
        log: Whether equal ratios, not differences, are equal steps.
        advanced: Whether the form folds the option away.
        at_zero: Word for 0 where that switches something off or leaves it to another
            setting, such as "off"; it is shown for 0 and read as 0. "" where 0 is a
            number like any other.
        synonyms: What else people call it; a search finds it by these too.
    """

    label: str = ""
    help: str = ""
    unit: str = "1"
    low: float | None = None
    high: float | None = None
    exclusive: bool = False
    choices: tuple[str, ...] = ()
    max_length: int = 0
    reading: Callable[[str], str] | None = None
    log: bool = False
    advanced: bool = False
    at_zero: str = ""
    synonyms: tuple[str, ...] = ()

    def means_zero(self, text: str) -> bool:
        """Return whether a text is a word for 0: `at_zero`, or "off" where there is one."""
        return bool(self.at_zero) and text.strip().lower() in {
            "off",
            self.at_zero.lower(),
        }

    def word_for(self, value: object) -> str:
        """Return the word for a value that is shown by one; "" for any other value."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return self.at_zero if is_number and value == 0 else ""

    def allowed(self) -> str:
        """Return the admissible values in words, for messages and tooltips."""
        if self.choices:
            return ", ".join(self.choices)
        if self.max_length:
            return f"a text of at most {self.max_length:,} characters"
        unit = "" if self.unit == "1" else f" {self.unit}"
        low = "" if self.low is None else _number(self.low)
        high = "" if self.high is None else _number(self.high)
        if low and high:
            text = (
                f"above {low}, up to {high}" if self.exclusive else f"{low} to {high}"
            )
        elif low:
            text = f"above {low}" if self.exclusive else f"at least {low}"
        else:
            text = f"at most {high}" if high else "any value"
        zero = f" (0: {self.at_zero})" if self.at_zero else ""
        return text + unit + zero

    def check(self, value: object) -> None:
        """Refuse a value outside the bounds or choices; a tuple, by its entries.

        Raises:
            ValueError: Says the value and what is allowed; the caller adds the name.
        """
        if isinstance(value, tuple) and len(value) > MOST_ENTRIES:
            raise ValueError(
                f"has {len(value):,} entries; allowed: at most {MOST_ENTRIES}"
            )
        for entry in value if isinstance(value, tuple) else (value,):
            if not self._admits(entry):
                raise ValueError(f"is {_shown(entry)}; allowed: {self.allowed()}")

    def _admits(self, entry: object) -> bool:
        if self.choices:
            return entry in self.choices
        if self.max_length:
            return isinstance(entry, str) and len(entry) <= self.max_length
        if isinstance(entry, int | float) and not isinstance(entry, bool):
            if isinstance(entry, float) and not math.isfinite(entry):
                return False
            below = self.low is not None and (
                entry <= self.low if self.exclusive else entry < self.low
            )
            return not below and (self.high is None or entry <= self.high)
        return True


Option = OptionSpec
"""As it is written of an argument of a module: `Annotated[int, Option(low=1, high=64)]`."""


def _shown(value: object) -> str:
    """Return a value for a message; a long text by its beginning."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    text = f"{value:,}" if whole else repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def option(default: Any, **spec: Any) -> Any:
    """Declare an option of a component: a dataclass field with an `OptionSpec`.

    Args:
        default: The option's default value.
        **spec: The attributes of `OptionSpec`.
    """
    return field(default=default, metadata={SPEC_KEY: OptionSpec(**spec)})


def option_spec(entry: Field[Any]) -> OptionSpec | None:
    """Return the `OptionSpec` of a dataclass field; None for a bound argument."""
    return entry.metadata.get(SPEC_KEY)


def option_default(entry: Field[Any]) -> Any:
    """Return the default of an option."""
    assert entry.default is not MISSING, f"option {entry.name} has no default"
    return entry.default
