"""Meta-learn the network; adapt its body."""

from dataclasses import dataclass
from typing import ClassVar

from metalab.core.meta.layer_subset import LayerSubset


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyOnly(LayerSubset):
    """phi = the whole network; a task adapts all layers but the last (BOIL).

    A network of one layer has no body: all of it adapts.

    Source: Oh et al. 2021 (BOIL), section 3.
    """

    name: ClassVar[str] = "body"
    title: ClassVar[str] = "Initialisation, body adapts"
    synonyms: ClassVar[tuple[str, ...]] = ("BOIL", "feature extractor")

    def adapted_layers(self, num_layers: int) -> tuple[int, int]:
        """Return all layers but the last."""
        return (0, max(num_layers - 1, 1))
