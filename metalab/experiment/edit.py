"""A change of an experiment while it runs. Imports no torch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A field that has another value from some outer step on.

    Attributes:
        step: Outer steps made when it was changed: step `step` + 1 is the first with it.
        path: Dotted path of the field.
        value: Its new value.
    """

    step: int
    path: str
    value: float | str
