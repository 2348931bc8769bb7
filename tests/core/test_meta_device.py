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
from metalab.core.hypergradient.base import Target
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.inner.learned_descent import PARAMETERISATIONS, LearnedDescent
from metalab.core.inner.rates import GRANULARITIES
from metalab.core.learner import MetaLearner
from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.meta.body import BodyOnly
from metalab.core.meta.context import Context
from metalab.core.meta.head import HeadOnly
from metalab.core.meta.initialisation import Initialisation
from metalab.core.model.mlp import MLP
from metalab.core.objective import OuterObjective
from metalab.core.oracle import BilevelProblem
from metalab.core.streams import RandomStreams
from metalab.core.tasks import sample_batch
from metalab.tasks.sinusoid import Sinusoid
from tests.support.oracles import generator

pytestmark = pytest.mark.unchecked

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


DRAW = [torch.ops.aten.randn.generator, torch.ops.aten._to_copy.default]
"""Numbers drawn on the processor, the same for every device, and their copy to it."""


@dataclass
class Watch(TorchDispatchMode):
    """Records operations that make a tensor elsewhere or wait for a value.

    Those of `DRAW` are not faults but are listed, for a test to say how many it expects.
    """

    faults: list[str] = field(default_factory=list)
    drawn: list[object] = field(default_factory=list)
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
        if elsewhere and func in DRAW:
            self.drawn.append(func)
        elif elsewhere:
            self.faults.append(f"{func} has a tensor on {elsewhere[0]}")
        return result


def one_step(hypergradient, *, outer=None, meta=None, inner=None, drawn=(), **more):
    meta = meta or Initialisation()
    model = MLP(
        input_dim=1 + meta.extra_inputs,
        output_dim=1,
        hidden_sizes=more.pop("sizes", SMALL),
    )
    learner = MetaLearner(
        problem=BilevelProblem(model=model, meta=meta),
        inner=inner or GradientDescent(num_inner_steps=3, inner_lr=0.01),
        hypergradient=hypergradient,
        outer=outer or OUTER_OPTIMIZERS.components["adam"](),
        num_steps=10,
        schedule="cosine",
        objective=OuterObjective(loss=more.pop("loss", "final")),
        **more,
    )
    state = learner.initial_state(
        generator=generator(), dtype=torch.float32, device=META
    )
    batch = sample_batch(
        Sinusoid(), 25, num_shots=10, num_queries=10, generator=generator()
    ).to(META)
    streams = RandomStreams(0)
    with Watch() as watch:
        result = learner.step(state, batch, streams)
    assert watch.faults == []
    assert watch.drawn == list(drawn)
    assert watch.operations > 10
    assert result.metrics.is_meta
    assert result.solves is None or result.solves.is_meta
    return result


SMALL = (4, 3)
UNROLLED = HYPERGRADIENTS.components["unrolled"]
DRAWING = {
    HYPERGRADIENTS.components[name]: DRAW
    for name in (
        "evolution",
        "forward-gradient",
        "implicit-nystrom",
        "persistent-evolution",
    )
}
ANCHOR = ProximalAnchor(strength=0.7)


@pytest.mark.parametrize("hypergradient", HYPERGRADIENTS.components.values())
@pytest.mark.parametrize("outer", OUTER_OPTIMIZERS.components.values())
@pytest.mark.sampled(6)
def test_a_step_stays_on_its_device_and_never_waits(hypergradient, outer):
    one_step(
        hypergradient(),
        outer=outer(),
        meta=ANCHOR if hypergradient.target is Target.SOLUTION else None,
        drawn=DRAWING.get(hypergradient, ()),
    )


SOLVING = {"imaml-repository", "implicit-cg", "implicit-neumann", "implicit-nystrom"}


@pytest.mark.parametrize("hypergradient", HYPERGRADIENTS.components.values())
@pytest.mark.sampled(4)
def test_only_estimators_with_linear_systems_tell_of_them(hypergradient):
    solving = hypergradient.target is Target.SOLUTION
    drawn = DRAWING.get(hypergradient, ())
    meta = ANCHOR if solving else None
    result = one_step(hypergradient(), meta=meta, drawn=drawn)
    assert (result.solves is not None) is (hypergradient.name in SOLVING)
    assert hypergradient.solves_systems is (hypergradient.name in SOLVING)


def test_so_does_a_network_of_the_usual_size():
    one_step(UNROLLED(), sizes=(40, 40))


def test_so_do_momentum_clipping_and_minibatches():
    outer = OUTER_OPTIMIZERS.components["sgd"](momentum=0.9)
    inner = GradientDescent(num_inner_steps=3, momentum=0.9, inner_batch_size=4)
    one_step(UNROLLED(), outer=outer, inner=inner, clip_norm=1.0)


@pytest.mark.parametrize(
    "meta",
    [
        *(ANCHOR, ProximalAnchor(strength_is="learned")),
        *(HeadOnly(), BodyOnly(), Context()),
    ],
)
def test_so_do_mixed_products(meta):
    one_step(UNROLLED(), meta=meta)


@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("parameterisation", PARAMETERISATIONS)
def test_so_do_learned_rates(granularity, parameterisation):
    inner = LearnedDescent(
        num_inner_steps=3, granularity=granularity, parameterisation=parameterisation
    )
    one_step(UNROLLED(), inner=inner)


@pytest.mark.parametrize(
    "hypergradient",
    [kind for kind in HYPERGRADIENTS.components.values() if kind.weighs_steps],
)
@pytest.mark.sampled(4)
def test_so_does_the_multi_step_loss(hypergradient):
    one_step(hypergradient(), loss="multi-step", drawn=DRAWING.get(hypergradient, ()))


def test_so_does_the_first_order_beginning():
    one_step(UNROLLED(), first_order_steps=5)


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
