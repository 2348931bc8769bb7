"""The choice of no other loss for the query set."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class AsInner:
    """The loss of the inner loop, on the query set too: no loss of its own."""

    name: ClassVar[str] = "as-inner"
    title: ClassVar[str] = "As the inner loop"
    synonyms: ClassVar[tuple[str, ...]] = ("same loss",)
