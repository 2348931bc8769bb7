"""Gradient descent under another name."""

from dataclasses import dataclass
from typing import ClassVar

from metalab.core.inner.gradient_descent import GradientDescent


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrownDescent(GradientDescent):
    """Descend along the gradient."""

    name: ClassVar[str] = "thrown-descent"
    title: ClassVar[str] = "Thrown descent"
