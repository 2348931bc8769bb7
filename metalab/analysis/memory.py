"""Largest number of bytes of tensors that a computation holds at once."""

import gc
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class MemoryMeter(TorchDispatchMode):
    """Adds up the storages that torch makes within `with`, until each is freed.

    What a graph keeps for its backward sweep counts like what a name holds. What was
    alive before does not count, nor do an operation's own short-lived work spaces. The
    numbers are sizes asked for, not what an allocator rounds them to, so they are the
    same on every machine.

    Attributes:
        live: Bytes alive now.
        peak: Most bytes that were alive at once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.live = 0
        self.peak = 0
        self._sizes: dict[int, int] = {}
        self._watched: dict[int, weakref.ref[torch.UntypedStorage]] = {}

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Do what torch asks for, and count the storages that are new afterwards."""
        del types
        named = kwargs or {}
        result = func(*args, **named)
        unknown = [s for s in _storages(result) if id(s) not in self._sizes]
        if unknown:
            # A view, or a change in place, has the storage of an argument.
            given = {id(storage) for storage in _storages((args, named))}
            for storage in unknown:
                if id(storage) not in given:
                    self._watch(storage)
        return result

    def _watch(self, storage: torch.UntypedStorage) -> None:
        key = id(storage)
        self._sizes[key] = storage.nbytes()
        self._watched[key] = weakref.ref(storage, lambda _dead: self._forget(key))
        self.live += self._sizes[key]
        self.peak = max(self.peak, self.live)

    def _forget(self, key: int) -> None:
        self.live -= self._sizes.pop(key)
        del self._watched[key]


def _storages(values: Any) -> list[torch.UntypedStorage]:
    return [
        value.untyped_storage()
        for value in tree_leaves(values)
        if isinstance(value, Tensor)
    ]


def peak_bytes(compute: Callable[[], object], device: torch.device) -> int:
    """Return the most memory that a computation holds above what was alive before.

    Args:
        compute: What to measure; its result counts as long as it is computed.
        device: Where it computes. On CUDA its allocator is asked, which rounds up;
            elsewhere the tensors are counted.
    """
    if device.type == "cuda":
        # Garbage that goes in the meantime would hide as much of what comes.
        gc.collect()
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        compute()
        return torch.cuda.max_memory_allocated(device) - before
    with MemoryMeter() as meter:
        compute()
    return meter.peak
