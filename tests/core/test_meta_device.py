"""One outer step touches no other device and never waits for one.

On torch's meta device every tensor is a shape without numbers, so a step that reads a
value fails; a dispatch mode sees each operation and where its results live.
"""

from dataclasses import dataclass, field

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from metalab.catalog.slots import HYPERGRADIENTS, OUTER_OPTIMIZERS
from metalab.core.inner import GradientDescent
from metalab.core.learner import MetaLearner
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model import MLP
from metalab.core.oracle import BilevelProblem
from metalab.core.tasks import sample_batch
from metalab.tasks.sinusoid import Sinusoid
from tests.oracles import ProximalAnchor, generator

META = torch.device("meta")

READS_A_VALUE = {
    torch.ops.aten._local_scalar_dense.default,
    torch.ops.aten.item.default,
    torch.ops.aten.equal.default,
    torch.ops.aten.is_nonzero.default,
    torch.ops.aten.nonzero.default,
    torch.ops.aten.masked_select.default,
    torch.ops.aten.unique_dim.default,
}


@dataclass
class Watch(TorchDispatchMode):
    """Records operations that make a tensor elsewhere or wait for a value."""

    faults: list[str] = field(default_factory=list)
    operations: int = 0

    def __post_init__(self):
        super().__init__()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.operations += 1
        if func in READS_A_VALUE:
            self.faults.append(f"{func} reads a value")
        result = func(*args, **(kwargs or {}))
        elsewhere = [
            leaf.device
            for leaf in tree_leaves((args, kwargs, result))
            if isinstance(leaf, torch.Tensor) and leaf.device != META
        ]
        if elsewhere:
            self.faults.append(f"{func} has a tensor on {elsewhere[0]}")
        return result


def one_step(hypergradient, outer, *, meta=None, clip_norm=0.0, inner_batch_size=0):
    learner = MetaLearner(
        problem=BilevelProblem(
            model=MLP(input_dim=1, output_dim=1), meta=meta or Initialisation()
        ),
        inner=GradientDescent(
            num_inner_steps=3, inner_lr=0.01, inner_batch_size=inner_batch_size
        ),
        hypergradient=hypergradient,
        outer=outer,
        num_steps=10,
        schedule="cosine",
        clip_norm=clip_norm,
    )
    state = learner.initial_state(
        generator=generator(), dtype=torch.float32, device=META
    )
    batch = sample_batch(
        Sinusoid(), 25, num_shots=10, num_queries=10, generator=generator()
    ).to(META)
    with Watch() as watch:
        result = learner.step(state, batch)
    assert watch.faults == []
    assert watch.operations > 10
    assert result.metrics.is_meta
    return result


@pytest.mark.parametrize("hypergradient", HYPERGRADIENTS.components.values())
@pytest.mark.parametrize("outer", OUTER_OPTIMIZERS.components.values())
def test_a_step_stays_on_its_device_and_never_waits(hypergradient, outer):
    one_step(hypergradient(), outer())


def test_so_do_momentum_clipping_and_minibatches():
    momentum = OUTER_OPTIMIZERS.components["sgd"](momentum=0.9)
    unrolled = HYPERGRADIENTS.components["unrolled"]()
    one_step(unrolled, momentum, clip_norm=1.0, inner_batch_size=4)


def test_so_do_mixed_products():
    unrolled = HYPERGRADIENTS.components["unrolled"]()
    adam = OUTER_OPTIMIZERS.components["adam"]()
    one_step(unrolled, adam, meta=ProximalAnchor())


@pytest.mark.parametrize(
    "offence",
    [
        lambda x: x.new_zeros(2, device="cpu"),
        lambda x: x + torch.ones((), device="cpu"),
        lambda x: x.cpu(),
    ],
)
def test_the_watch_sees_a_tensor_elsewhere(offence):
    x = torch.ones(2, device=META)
    with Watch() as watch:
        try:
            offence(x)
        except (RuntimeError, NotImplementedError):
            # The meta device itself refuses some of these.
            watch.faults.append("refused")
    assert watch.faults


def test_the_watch_sees_a_wait():
    x = torch.ones(2)
    with Watch() as watch:
        float(x.sum())
    assert any("reads a value" in fault for fault in watch.faults)
