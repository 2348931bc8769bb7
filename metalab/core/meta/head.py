"""Meta-learn the network; adapt its head."""

from dataclasses import dataclass
from typing import ClassVar

from metalab.core.meta.layer_subset import LayerSubset


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadOnly(LayerSubset):
    """phi = the whole network; a task adapts its last layer only (ANIL).

    Source: Raghu et al. 2020 (ANIL), section 4.
    """

    name: ClassVar[str] = "head"
    title: ClassVar[str] = "Initialisation, head adapts"
    synonyms: ClassVar[tuple[str, ...]] = ("ANIL", "last layer")

    def adapted_layers(self, num_layers: int) -> tuple[int, int]:
        """Return the last layer."""
        return (num_layers - 1, num_layers)
