"""The initialisation under another name."""

from dataclasses import dataclass
from typing import ClassVar

from metalab.core.meta.initialisation import Initialisation


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrownStart(Initialisation):
    """phi = theta_0."""

    name: ClassVar[str] = "thrown-start"
    title: ClassVar[str] = "Thrown start"
