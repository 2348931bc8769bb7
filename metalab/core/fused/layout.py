"""Layout of a network in the kernels' workspace.

Parameters are kept in a padded order: the rows of every matrix are a multiple of
`gemm.LANES` long, a layer's biases are the last row of its weights (activations carry a
column of ones beside them), and the output layer is stored with one row an output. What
is padding starts at zero and stays there, since every derivative with respect to it is
zero.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

LANES = 8
ACTIVATIONS = ("relu", "tanh", "sine")

Integers = np.ndarray[tuple[int, ...], np.dtype[np.int64]]

# Places in the description that the kernels read.
DEPTH, INPUTS, OUTPUTS, ACTIVATION = 0, 1, 2, 3
PARAMETERS, WEIGHTS, OUT_PLACE, OUT_ROW = 4, 5, 6, 7
ROW_UNITS, TANGENT_UNITS = 8, 9
ERRORS, TANGENT_ERRORS = 10, 11
PRODUCT, PROBABILITIES = 12, 13
"""Address of the matrix product, which only a process that runs the kernels knows; where
the probabilities of classes lie among the tangents."""

LAYERS = 16
"""Where the first layer's entries begin."""
PER_LAYER = 11
WIDTH, ROW, WEIGHT, TRANSPOSED = 0, 1, 2, 3
OUTPUT, SLOPE, BEND, DELTA = 4, 5, 6, 7
TANGENT, TANGENT_DELTA, TANGENT_BEND = 8, 9, 10
"""Entries of layer l: width without the ones, length of a row with them, place of the
weights and of their transpose; then, in numbers a sample, where its activations lie, the
slope of its activation function there, delta times the second derivative, delta (the
derivative of the loss with respect to the input of the activation function), and, among
the tangents, the change of activations, of deltas, and of deltas through the slope."""


def padded(size: int) -> int:
    """Return the next multiple of `LANES`."""
    return -(-size // LANES) * LANES


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The layout of one multilayer perceptron.

    Attributes:
        layer_sizes: Units of every layer, inputs and outputs included.
        activation: One of `ACTIVATIONS`.
    """

    layer_sizes: tuple[int, ...]
    activation: str
    description: Integers = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compute the places."""
        object.__setattr__(self, "description", self._describe())

    @property
    def depth(self) -> int:
        """Number of hidden layers."""
        return len(self.layer_sizes) - 2

    @property
    def num_parameters(self) -> int:
        """Length of the padded parameter vector."""
        return int(self.description[PARAMETERS])

    def _widths(self) -> list[int]:
        inputs, *hidden = self.layer_sizes[:-1]
        return [inputs, *[padded(size) for size in hidden]]

    def _rows(self) -> list[int]:
        widths = self._widths()
        # The output layer reads whole vectors of what it is given.
        first = padded(widths[0] + 1) if self.depth == 0 else widths[0] + 1
        return [first, *[width + LANES for width in widths[1:]]]

    def _describe(self) -> Integers:
        depth, outputs = self.depth, self.layer_sizes[-1]
        widths, rows = self._widths(), self._rows()
        table = np.zeros(LAYERS + PER_LAYER * (depth + 1), dtype=np.int64)
        layers = table[LAYERS:].reshape(depth + 1, PER_LAYER)
        layers[:, WIDTH], layers[:, ROW] = widths, rows
        place = 0
        for layer in range(depth):
            layers[layer, WEIGHT] = place
            place += (widths[layer] + 1) * widths[layer + 1]
        table[OUT_PLACE], table[OUT_ROW] = place, rows[-1]
        place += outputs * rows[-1]
        table[PARAMETERS] = place
        for layer in range(1, depth):
            layers[layer, TRANSPOSED] = place
            place += widths[layer] * widths[layer + 1]
        table[WEIGHTS] = place
        table[ROW_UNITS] = self._place_activations(layers)
        table[TANGENT_UNITS] = self._place_tangents(layers)
        # Errors follow the activations, and their tangents the tangents.
        table[ERRORS] = table[ROW_UNITS]
        table[TANGENT_ERRORS] = table[TANGENT_UNITS]
        table[PROBABILITIES] = table[TANGENT_ERRORS] + outputs
        table[ROW_UNITS] += outputs
        table[TANGENT_UNITS] += 2 * outputs
        table[[DEPTH, INPUTS, OUTPUTS]] = depth, self.layer_sizes[0], outputs
        table[ACTIVATION] = ACTIVATIONS.index(self.activation)
        return table

    def _place_activations(self, layers: Integers) -> int:
        place = 0
        for layer, (width, row) in enumerate(
            zip(self._widths(), self._rows(), strict=True)
        ):
            layers[layer, OUTPUT] = place
            place += row
            if layer > 0:
                layers[layer, DELTA] = place
                place += width
            if layer > 0 and self.activation != "relu":
                layers[layer, SLOPE], layers[layer, BEND] = place, place + width
                place += 2 * width
        return place

    def _place_tangents(self, layers: Integers) -> int:
        place = 0
        for layer in range(1, self.depth + 1):
            layers[layer, TANGENT] = place
            place += self._rows()[layer]
            layers[layer, TANGENT_DELTA] = place
            place += self._widths()[layer]
            if self.activation != "relu":
                layers[layer, TANGENT_BEND] = place
                place += self._widths()[layer]
        return place

    @cached_property
    def order(self) -> Integers:
        """Where each number of the flat vector of `core.model` lies, [parameter]."""
        parts: list[Integers] = []
        widths, sizes = self._widths(), self.layer_sizes
        for layer in range(self.depth):
            base = self.description[LAYERS + PER_LAYER * layer + WEIGHT]
            columns = np.arange(sizes[layer + 1])
            rows = np.append(np.arange(sizes[layer]), widths[layer])
            parts.append((base + rows[:, None] * widths[layer + 1] + columns).ravel())
        base, row = self.description[OUT_PLACE], self.description[OUT_ROW]
        inputs = np.append(np.arange(sizes[-2]), widths[-1])
        parts.append((base + inputs[:, None] + row * np.arange(sizes[-1])).ravel())
        return np.concatenate(parts)

    def layer_range(self, layer: int) -> tuple[int, int]:
        """Return where the padded parameters of a layer begin and end."""
        if layer == self.depth:
            return int(self.description[OUT_PLACE]), self.num_parameters
        base = LAYERS + PER_LAYER * layer
        start = int(self.description[base + WEIGHT])
        widths = self._widths()
        return start, start + (widths[layer] + 1) * widths[layer + 1]
