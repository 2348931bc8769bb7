"""The problem that every peer solves: exact MAML on sines, from given numbers.

Runs in the peers' environment, where there is no metalab.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np

INNER_LR, OUTER_LR = 0.01, 1e-3


@dataclass(frozen=True)
class Problem:
    """Initial weights ([inputs, outputs], then biases), and meta-batches.

    Attributes:
        weights: W1, b1, W2, b2, W3, b3.
        batches: Support x, y and query x, y of each, [batch, task, shot, 1].
        num_inner_steps: K.
    """

    weights: list[np.ndarray]
    batches: tuple[np.ndarray, ...]
    num_inner_steps: int

    @classmethod
    def read(cls, path: Path, num_inner_steps: int) -> "Problem":
        held = np.load(path)
        weights = [held[f"weight{i}"] for i in range(6)]
        batches = tuple(held[name] for name in ("xs", "ys", "xq", "yq"))
        return cls(weights, batches, num_inner_steps)

    def cycled(self, make) -> Iterator[tuple]:
        """Yield meta-batches for ever, each array passed through `make` once."""
        made = [
            tuple(make(part[i]) for part in self.batches)
            for i in range(len(self.batches[0]))
        ]
        return cycle(made)


def torch_network(problem: Problem):
    """Return the network as a torch module that holds the initial weights."""
    import torch

    hidden = len(problem.weights[1])
    net = torch.nn.Sequential(
        torch.nn.Linear(1, hidden),
        torch.nn.ReLU(),
        torch.nn.Linear(hidden, hidden),
        torch.nn.ReLU(),
        torch.nn.Linear(hidden, 1),
    )
    with torch.no_grad():
        for index, layer in enumerate(net[::2]):
            layer.weight.copy_(torch.tensor(problem.weights[2 * index]).T)
            layer.bias.copy_(torch.tensor(problem.weights[2 * index + 1]))
    return net


def flat_gradient(net) -> list[float]:
    """Return a module's gradients in the order and layout of `Problem.weights`."""
    parts = [p.grad.T if p.grad.dim() == 2 else p.grad for p in net.parameters()]
    return [number for part in parts for number in part.flatten().tolist()]
