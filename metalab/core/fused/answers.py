"""The kernels' answers about whole networks, one for each task of a batch."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from metalab.core.fused.kernels import batch as kernels
from metalab.core.fused.kernels.gemm import address_of_product
from metalab.core.fused.layout import (
    LAYERS,
    PRODUCT,
    ROW,
    ROW_UNITS,
    TANGENT_UNITS,
    WEIGHTS,
    Integers,
    Layout,
)
from metalab.core.fused.support import Cost, dtype_of
from metalab.core.model.mlp import MLP
from metalab.core.tasks import Samples

Array = np.ndarray


@dataclass(frozen=True, slots=True)
class _Shape:
    """The network, and the places of a workspace row for some samples, masked or not."""

    net: Integers
    places: Integers
    order: Integers
    num_numbers: int


@cache
def _shape(model: MLP, m: int, dtype: torch.dtype, *, masked: bool) -> _Shape:
    layout = Layout(layer_sizes=model.layer_sizes, activation=model.activation)
    net = layout.description.copy()
    net[PRODUCT] = address_of_product(dtype_of(dtype))
    weights = int(net[WEIGHTS])
    sizes = (
        weights,
        weights,
        layout.num_parameters,
        m * int(net[LAYERS + ROW]),
        m * model.output_dim,
        m * int(net[ROW_UNITS]),
        m * int(net[TANGENT_UNITS]),
        m if masked else 0,
    )
    rounded = [-(-size // 16) * 16 for size in sizes]
    places = np.cumsum([0, *rounded[:-1]], dtype=np.int64)
    if not masked:
        places[kernels.MASK_PLACE] = kernels.NO_MASK
    return _Shape(net, places, layout.order, sum(rounded))


@dataclass(frozen=True, slots=True)
class InputPoints:
    """A set of samples of each task, as the kernels read it.

    Attributes:
        x: Inputs, [task, shot * input].
        y: Targets, [task, shot * output].
        mask: 1 for points, 0 for what fills up, [task, shot]; empty where every point
            counts.
        num_shots: Points of each task, those that fill up included.
    """

    x: Array
    y: Array
    mask: Array
    num_shots: int

    @classmethod
    def of(cls, samples: Samples) -> "InputPoints":
        """Lay out samples that lie on the CPU."""
        tasks, shots = samples.x.shape[:2]
        x, y = (
            tensor.reshape(tasks, -1).contiguous().numpy()
            for tensor in (samples.x, samples.y)
        )
        if samples.mask is None:
            return cls(x, y, np.empty((0, 0), x.dtype), shots)
        return cls(x, y, samples.mask.to(samples.x.dtype).contiguous().numpy(), shots)

    @property
    def masked(self) -> bool:
        """Whether some points may fill up."""
        return self.mask.size > 0


@dataclass(frozen=True, slots=True)
class NetworkAnswers:
    """Answers about one network's loss; every argument is [task, network].

    Attributes:
        model: The network.
        dtype: Precision.
    """

    model: MLP
    dtype: torch.dtype

    def rows(self, count: int, num_shots: int, *, masked: bool) -> Array:
        """Return workspace for so many tasks."""
        shape = _shape(self.model, num_shots, self.dtype, masked=masked)
        return np.zeros((count, shape.num_numbers), dtype_of(self.dtype))

    def losses(self, points: InputPoints, network: Tensor, cost: Cost) -> Tensor:
        """Return the mean loss of each task, [task].

        Args:
            points: The samples.
            network: Parameters.
            cost: Of the loss, as `cost_of` describes it.
        """
        num_shots, masked = points.num_shots, points.masked
        shape = _shape(self.model, num_shots, self.dtype, masked=masked)
        loss = network.new_empty(len(network))
        kernels.losses(
            self.rows(1, num_shots, masked=masked), shape.net, shape.places, shape.order,
            network.contiguous().numpy(), points.x, points.y, points.mask, 0, num_shots,
            cost, loss.numpy(),
        )  # fmt: skip
        return loss

    def gradients(
        self,
        points: InputPoints,
        network: Tensor,
        part: slice,
        rows: Array | None,
        *,
        cost: Cost,
    ) -> tuple[Tensor, Tensor]:
        """Return loss [task] and gradient [task, network] on a part of the points.

        Args:
            points: The samples.
            network: Parameters.
            part: Which samples of each task count.
            rows: Workspace, one row a task, in which to keep what `product` needs; None
                keeps nothing.
            cost: Of the loss, as `cost_of` describes it.
        """
        start, stop, _ = part.indices(points.num_shots)
        shape = _shape(self.model, stop - start, self.dtype, masked=points.masked)
        network = network.contiguous()
        loss, grad = network.new_empty(len(network)), torch.empty_like(network)
        if rows is None:
            rows = self.rows(1, stop - start, masked=points.masked)
        kernels.gradients(
            rows, shape.net, shape.places, shape.order, network.numpy(), points.x,
            points.y, points.mask, start, stop - start, cost, loss.numpy(), grad.numpy(),
        )  # fmt: skip
        return loss, grad

    def product(
        self, rows: Array, v: Tensor, num_shots: int, cost: Cost, *, masked: bool
    ) -> Tensor:
        """Return the Hessian-vector product of each task, [task, network].

        Args:
            rows: What `gradients` kept.
            v: Directions.
            num_shots: Samples of each task there, those that fill up included.
            cost: Of the loss there.
            masked: Whether they had a mask.
        """
        shape = _shape(self.model, num_shots, self.dtype, masked=masked)
        v = v.contiguous()
        out = torch.empty_like(v)
        kernels.products(
            rows,
            shape.net,
            shape.places,
            shape.order,
            v.numpy(),
            num_shots,
            cost,
            out.numpy(),
        )
        return out
