"""An ordinary module of torch as a model: its parameters become rows of one matrix.

The module is called by `torch.func.functional_call`, for all tasks at once by
`torch.vmap`. What vmap cannot batch (nn.LSTM, nn.GRU and their cells) is called one task
after another instead: slower, and as exact.
"""

import inspect
import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache, partial
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]
from torch.nn.modules.dropout import _DropoutNd  # pyright: ignore[reportPrivateUsage]

from metalab.core.errors import UserError, line_in, told
from metalab.core.model.base import Model, ParameterBlock

YES, NO = "yes", "no"
"""Of an argument that is a truth value: forms and files know words, not truth values."""

_KEPT = 8
"""Modules that a thread keeps; each experiment in view has one."""

_DRAWING = threading.Lock()
"""Held while torch's one global generator is lent to a module's `__init__`."""

_TASKS, _SHOTS = 2, 3
"""Of the trial by which it is found out how a module can be called."""


class ModuleError(UserError):
    """A module that cannot be used; the message is the end of a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A module with what is known about it.

    Attributes:
        module: Its parameters are placeholders: every call brings its own.
        batched: Whether vmap takes it.
    """

    module: nn.Module
    batched: bool


class _Kept(threading.local):
    """The modules of one thread: a call puts parameters into the module for a moment."""

    def __init__(self) -> None:
        self.made: dict[ModuleModel, _Made] = {}


_KEPT_HERE = _Kept()


class ModuleModel(Model):
    """Abstract: a class of modules as a component; `core.module_options` makes them.

    Attributes:
        module: The class; `__init__` takes `input_dim`, `output_dim` and the options.
        flags: Names of the options that are truth values of the module.
    """

    __slots__ = ()

    module: ClassVar[type[nn.Module]]
    flags: ClassVar[frozenset[str]] = frozenset()

    def obstacle(self) -> str | None:
        """Return why the module cannot be made or called for these dimensions."""
        return _obstacle(self)

    @property
    def blocks(self) -> tuple[ParameterBlock, ...]:
        """The module's parameters by name; those of one submodule are one layer."""
        return _blocks(self)

    def initial_parameters(
        self, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, " dim"]:
        """Draw what the module's own `__init__` draws, from a seed of the generator."""
        seed = torch.randint(
            2**62, (), generator=generator, device=generator.device
        ).item()
        module = _new_module(self, int(seed))
        parts = [_flat(array) for _, array in module.named_parameters()]
        return torch.cat(parts).to(generator.device, dtype)

    def apply(
        self,
        theta: Float[Tensor, "task dim"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return predictions, [task, shot, output], one network for each task."""
        made = _made(self)
        return _called(made.module, _arrays(self, theta), x, batched=made.batched)

    def arguments(self) -> Mapping[str, Any]:
        """Return the arguments of the module."""
        given = {entry.name: getattr(self, entry.name) for entry in fields(self)}  # pyright: ignore[reportArgumentType]
        return {
            name: value == YES if name in self.flags else value
            for name, value in given.items()
        }


def _new_module(model: ModuleModel, seed: int) -> nn.Module:
    """Make a module whose random numbers follow from a seed alone, on the CPU.

    Raises:
        ModuleError: Its own code fails, or it has nothing to adapt.
    """
    try:
        with _DRAWING, torch.random.fork_rng(devices=[]), torch.device("cpu"):
            torch.default_generator.manual_seed(seed)
            module = model.module(**model.arguments())
    except Exception as error:
        raise ModuleError(f"it cannot be made: {_where(model, error)}") from error
    if next(module.parameters(), None) is None:
        raise ModuleError("it has no parameters")
    return module


def _made(model: ModuleModel) -> _Made:
    """Return this thread's module for a model.

    Raises:
        ModuleError: It cannot be used.
    """
    kept = _KEPT_HERE.made
    if model not in kept:
        if len(kept) >= _KEPT:
            del kept[next(iter(kept))]
        kept[model] = _tried(model)
    return kept[model]


def _tried(model: ModuleModel) -> _Made:
    # Attention has second derivatives in one of its forms alone; nothing else here has
    # any, and a switch for the time of a call would be one for all threads.
    torch.backends.cuda.enable_flash_sdp(enabled=False)
    torch.backends.cuda.enable_mem_efficient_sdp(enabled=False)
    module = _new_module(model, 0)
    _refuse_by_kind(module)
    module.to(torch.float64)
    try:
        _try(model, module, batched=True)
    except ModuleError:
        raise
    except Exception:  # noqa: BLE001 - whatever vmap cannot do
        try:
            _try(model, module, batched=False)
        except ModuleError:
            raise
        except Exception as error:
            raise ModuleError(f"it cannot be called: {_where(model, error)}") from error
        return _Made(module=module, batched=False)
    return _Made(module=module, batched=True)


def _refuse_by_kind(module: nn.Module) -> None:
    """Refuse what is no function of parameters and inputs by what it is made of.

    Raises:
        ModuleError: Says which submodule, and why.
    """
    for name, part in module.named_modules():
        what = f"{name or 'it'} ({type(part).__name__})"
        if isinstance(part, _BatchNorm):
            raise ModuleError(
                f"{what} has batch statistics: a prediction would depend on the other "
                "points and on those before; nn.LayerNorm and nn.GroupNorm do not"
            )
        rate = part.p if isinstance(part, _DropoutNd) else getattr(part, "dropout", 0)
        if isinstance(rate, int | float) and rate > 0:
            raise ModuleError(
                f"{what} has dropout {rate:g}: forward would draw at random, and the "
                "derivatives of two calls would be of two functions; allowed: 0"
            )
        if isinstance(part, _DropoutNd):
            # Of rate 0 it changes nothing, but it would still ask for random numbers.
            part.eval()


def _try(model: ModuleModel, module: nn.Module, *, batched: bool) -> None:
    """Call a module and differentiate it twice.

    Raises:
        ModuleError: What it returns cannot be used.
        Exception: What its code, or vmap, raises.
    """
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(
        (_TASKS, _SHOTS, model.input_dim), generator=generator, dtype=torch.float64
    )
    own = torch.cat([_flat(p.detach()) for p in module.parameters()])
    theta = own.expand(_TASKS, -1).clone().requires_grad_()
    before = [values.clone() for values in module.buffers()]
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        found = _called(module, _arrays(model, theta, module), x, batched=batched)
        again = _called(module, _arrays(model, theta, module), x, batched=batched)
        wanted = (_TASKS, _SHOTS, model.output_dim)
        if found.shape != wanted:
            raise ModuleError(
                f"forward returns {list(found.shape[1:])} for inputs of "
                f"{list(x.shape[1:])}; allowed: {list(wanted[1:])}"
            )
        if not torch.equal(found, again):
            raise ModuleError(
                "forward draws at random: two calls with the same inputs differ"
            )
        (grad,) = torch.autograd.grad(found.square().sum(), theta, create_graph=True)
        if grad.requires_grad:
            torch.autograd.grad(grad.square().sum(), theta, allow_unused=True)
    for old, (name, new) in zip(before, module.named_buffers(), strict=True):
        if not torch.equal(old, new):
            raise ModuleError(
                f"forward changes the buffer {name!r}: a prediction would depend on "
                "those before"
            )


def _called(
    module: nn.Module, arrays: Mapping[str, Tensor], x: Tensor, *, batched: bool
) -> Tensor:
    """Call the module for each task, with that task's parameters."""
    like = next(iter(arrays.values()))
    buffers = {
        name: values.to(like) if values.is_floating_point() else values.to(like.device)
        for name, values in module.named_buffers()
    }
    call = partial(_call_one, module, buffers)
    if batched:
        return vmap(call)(dict(arrays), x)
    rows = [{name: v[task] for name, v in arrays.items()} for task in range(len(x))]
    return torch.stack([call(row, x[task]) for task, row in enumerate(rows)])


def _call_one(
    module: nn.Module, buffers: dict[str, Tensor], row: dict[str, Tensor], x: Tensor
) -> Tensor:
    return functional_call(module, (row, buffers), (x,))


def _arrays(
    model: ModuleModel, theta: Tensor, module: nn.Module | None = None
) -> dict[str, Tensor]:
    """Return each parameter of each task as the module has it, [task, ...]."""
    blocks = _blocks(model) if module is None else _layout(module)
    parts = theta.split([block.size for block in blocks], dim=1)
    return {
        block.name: _outputs_first(part.view(len(theta), *block.shape))
        for block, part in zip(blocks, parts, strict=True)
    }


def _outputs_first(array: Tensor) -> Tensor:
    return array if array.ndim < 3 else array.movedim(-1, 1)


def _flat(array: Tensor) -> Tensor:
    """Return a parameter as it lies in the flat vector.

    torch's layers put outputs first, blocks put them last.
    """
    array = array.detach()
    return (array if array.ndim < 2 else array.movedim(0, -1)).reshape(-1)


@lru_cache(maxsize=64)
def _blocks(model: ModuleModel) -> tuple[ParameterBlock, ...]:
    return _layout(_made(model).module)


def _layout(module: nn.Module) -> tuple[ParameterBlock, ...]:
    layers: dict[str, int] = {}
    blocks: list[ParameterBlock] = []
    start = 0
    for name, array in module.named_parameters():
        layer = layers.setdefault(name.rpartition(".")[0], len(layers))
        shape = (*array.shape[1:], array.shape[0]) if array.ndim > 1 else array.shape
        block = ParameterBlock(
            name=name, layer=layer, shape=tuple(shape) or (1,), start=start
        )
        blocks.append(block)
        start += math.prod(block.shape)
    return tuple(blocks)


@lru_cache(maxsize=64)
def _obstacle(model: ModuleModel) -> str | None:
    try:
        _made(model)
    except ModuleError as error:
        return str(error)
    return None


def _where(model: ModuleModel, error: Exception) -> str:
    file = inspect.getsourcefile(model.module) or ""
    line = line_in(error, file)
    return told(error) if line is None else f"{file}, line {line}: {told(error)}"
