"""The memory meter: a known pattern has a known peak, and what is freed is seen."""

import pytest
import torch

from metalab.analysis.evaluate import evaluate_fresh
from metalab.analysis.memory import MemoryMeter, peak_bytes
from metalab.catalog.slots import HYPERGRADIENTS
from metalab.core.streams import RandomStreams
from metalab.core.tasks import sample_batch
from metalab.engine.build import build_family, build_learner
from metalab.engine.trainer import Trainer
from tests.support.experiments import small
from tests.support.oracles import FINAL_LOSS

CPU = torch.device("cpu")
MEBIBYTE = 2**20


def test_tensors_count_until_they_are_freed():
    with MemoryMeter() as meter:
        one = torch.zeros(1000)
        assert meter.live == 4000
        two = one + 1
        assert meter.live == meter.peak == 8000
        del one
        assert meter.live == 4000
        three = two.double()
        assert meter.live == meter.peak == 12_000
        del two, three
        assert (meter.live, meter.peak) == (0, 12_000)


def test_views_and_changes_in_place_take_nothing():
    with MemoryMeter() as meter:
        whole = torch.zeros(10, 10)
        part = whole[2:].T
        whole += 1
        assert meter.peak == 400
        del whole
        assert meter.live == 400, "the view holds the storage"
        del part
        assert meter.live == 0


def test_what_was_there_before_does_not_count():
    before = torch.zeros(1000)
    with MemoryMeter() as meter:
        view = before[1:]
        before += 1
        del view, before
    assert (meter.live, meter.peak) == (0, 0)


def test_what_a_graph_keeps_counts_until_the_graph_is_gone():
    x = torch.zeros(1000, requires_grad=True)
    with MemoryMeter() as meter:
        y = x.exp().exp().sum()
        assert meter.live == 8004, "both exponentials, for the backward sweep"
        (grad,) = torch.autograd.grad(y, x)
        assert meter.peak >= 12_000
        del y
        assert meter.live == 4000
        del grad


def test_the_peak_is_the_same_each_time():
    def compute():
        return torch.ones(50, 50) @ torch.ones(50, 50)

    assert peak_bytes(compute, CPU) == peak_bytes(compute, CPU) == 30_000


def peaks(name: str, steps: tuple[int, ...]) -> list[int]:
    """Return the peak of inner path and estimate for each K, in bytes."""
    config = small("imaml-sine")
    learner = build_learner(config)
    phi = learner.initial_state(
        generator=RandomStreams(0).generator("phi"), dtype=torch.float32, device=CPU
    ).phi
    batch = sample_batch(
        build_family(config),
        8,
        num_shots=10,
        num_queries=10,
        generator=RandomStreams(0).generator("tasks"),
    )
    estimator = HYPERGRADIENTS.components[name]()

    def compute(num_steps):
        oracle = learner.oracle(phi, batch)
        inner = learner.inner
        path = inner.run(oracle, num_steps=num_steps, keep=estimator.keep)
        return estimator.estimate(oracle, inner, path, FINAL_LOSS)

    return [peak_bytes(lambda k=k: compute(k), CPU) for k in steps]


def test_reverse_memory_is_linear_in_the_inner_steps():
    steps = (1, 20, 50, 100)
    x = torch.tensor(steps, dtype=torch.float64)
    y = torch.tensor(peaks("unrolled", steps), dtype=torch.float64)
    squared = torch.corrcoef(torch.stack([x, y]))[0, 1] ** 2
    assert squared > 0.99
    assert y[-1] > 20 * y[0]


@pytest.mark.parametrize("name", ["implicit-cg", "implicit-neumann", "t1-t2"])
def test_implicit_memory_does_not_grow_with_the_inner_steps(name):
    one, hundred = peaks(name, (1, 100))
    assert hundred / one <= 1.1


def test_checkpointed_memory_grows_like_the_root_at_most():
    low, high = peaks("checkpointed", (4, 100))
    assert high / low < (100 / 4) ** 0.5


def test_evaluating_a_thousand_tasks_leaves_no_graph():
    config = small()
    checkpoint = Trainer(config).checkpoint()

    def evaluate():
        return evaluate_fresh(
            config,
            checkpoint,
            num_tasks=1000,
            num_shots=10,
            num_queries=100,
            num_inner_steps=10,
            seed=0,
        )

    with MemoryMeter() as meter:
        result = evaluate()
    assert result.query_loss.shape == (1000, 11)
    assert meter.peak > MEBIBYTE
    assert meter.live < MEBIBYTE
