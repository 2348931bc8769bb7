"""Sign descent, made smooth so that it has derivatives."""

from dataclasses import dataclass
from typing import ClassVar

from metalab.core.inner.update_loop import UpdateLoop
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftSign(UpdateLoop):
    """theta - inner_lr * g / (|g| + softness): every number moves about as far."""

    name: ClassVar[str] = "soft-sign"
    title: ClassVar[str] = "Soft sign descent"

    softness: float = option(
        0.1, label="Softness", help="Gradient at half speed.", low=0.001, high=10.0
    )

    def update(self, theta, grad, step):
        return theta - self.inner_lr * grad / (grad.abs() + self.softness)
