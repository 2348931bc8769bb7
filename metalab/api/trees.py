"""Tensors in dictionaries, lists and tuples, as one flat vector and back."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor


class TensorTree:
    """A structure of tensors: its shape, its dtype, and where each tensor lies.

    Attributes:
        flat: The tensors one after another, [number]; detached copies.
    """

    def __init__(self, tree: Any, name: str) -> None:
        """Look at a tensor, or at tensors in dictionaries, lists and tuples.

        Args:
            tree: The structure; not modified.
            name: What to call it in messages.

        Raises:
            TypeError: It holds something else, tensors of several dtypes or devices, or
                whole numbers.
        """
        self._tree = tree
        self._leaves = list(_leaves(tree, name))
        kinds = {(leaf.dtype, leaf.device) for leaf in self._leaves}
        if len(kinds) != 1:
            found = ", ".join(sorted(f"{dtype} on {device}" for dtype, device in kinds))
            told = found or "nothing"
            raise TypeError(f"{name} holds {told}; allowed: tensors of one dtype")
        dtype = self._leaves[0].dtype
        if not dtype.is_floating_point:
            raise TypeError(f"{name} is of {dtype}; allowed: float32 or float64")
        self.flat: Tensor = self.flattened(tree).detach()

    def flattened(self, tree: Any) -> Tensor:
        """Return another structure of the same shape as a vector, gradients included.

        Raises:
            TypeError: It has another shape.
        """
        leaves = list(_leaves(tree, "theta0"))
        shapes = [leaf.shape for leaf in leaves]
        if shapes != [leaf.shape for leaf in self._leaves]:
            raise TypeError("theta0 changes its shape with phi")
        return torch.cat([leaf.reshape(-1) for leaf in leaves])

    def unflattened(self, flat: Tensor) -> Any:
        """Return a vector in the structure; views of it, so that gradients pass."""
        sizes = [leaf.numel() for leaf in self._leaves]
        parts = zip(flat.split(sizes), self._leaves, strict=True)
        return _rebuilt(
            self._tree, iter([part.view(leaf.shape) for part, leaf in parts])
        )


def _leaves(tree: Any, name: str) -> Iterator[Tensor]:
    if isinstance(tree, Tensor):
        yield tree
    elif isinstance(tree, Mapping):
        for value in tree.values():
            yield from _leaves(value, name)
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from _leaves(value, name)
    else:
        raise TypeError(
            f"{name} holds a {type(tree).__name__}; allowed: torch tensors, in "
            "dictionaries, lists and tuples"
        )


def _rebuilt(tree: Any, parts: Iterator[Tensor]) -> Any:
    if isinstance(tree, Tensor):
        return next(parts)
    if isinstance(tree, Mapping):
        return {key: _rebuilt(value, parts) for key, value in tree.items()}
    values = [_rebuilt(value, parts) for value in tree]
    if hasattr(tree, "_fields"):
        return type(tree)(*values)
    return type(tree)(values)
