"""Outer steps a second of the engine, beside `torch.func` in its documented use."""

from collections.abc import Callable

import torch
from torch.func import functional_call, grad, vmap

from metalab.core.learner import MetaLearner, MetaState
from metalab.core.streams import RandomStreams
from metalab.core.tasks import TaskBatch, sample_batch
from metalab.engine.build import build_family, build_learner
from metalab.engine.config import preset_config
from metalab.engine.overrides import with_overrides
from tests.bench.rounds import Rate, interleaved, ratio, steps_per_second

NUM_BATCHES = 16
SECONDS = 0.5
STREAMS = RandomStreams(0)


def measure(num_rounds: int) -> list[dict[str, object]]:
    """Return one row for each way and K: exact MAML on sines, Adam included."""
    torch.set_num_threads(1)
    rows: list[dict[str, object]] = []
    for num_inner_steps in (1, 5):
        ways = {
            name: _ours(name, num_inner_steps) for name in ("maml-sine", "fomaml-sine")
        }
        ways["torch.func vmap + grad, torch Adam"] = _torch_func(num_inner_steps)
        rates = interleaved(
            {name: _round(step) for name, step in ways.items()}, num_rounds=num_rounds
        )
        rows += _rows(num_inner_steps, rates)
    return rows


def _round(step: Callable[[], object]) -> Callable[[], float]:
    return lambda: steps_per_second(step, seconds=SECONDS)


def _rows(num_inner_steps: int, rates: dict[str, Rate]) -> list[dict[str, object]]:
    base = rates["torch.func vmap + grad, torch Adam"]
    return [
        {
            "inner steps K": num_inner_steps,
            "way": name,
            "outer steps/s, median (min-max)": str(rate),
            "x torch.func": round(ratio(rate, base), 2),
        }
        for name, rate in rates.items()
    ]


def _batches(num_tasks: int) -> list[TaskBatch]:
    family = build_family(preset_config("maml-sine"))
    return [
        sample_batch(
            family,
            num_tasks,
            num_shots=10,
            num_queries=10,
            generator=STREAMS.generator("bench", index),
        )
        for index in range(NUM_BATCHES)
    ]


def _ours(preset: str, num_inner_steps: int) -> Callable[[], object]:
    config = with_overrides(
        preset_config(preset), [("inner.num_inner_steps", num_inner_steps)]
    )
    learner = build_learner(config)
    batches = _batches(config.outer.num_tasks)
    state = learner.initial_state(
        generator=STREAMS.generator("init"),
        dtype=torch.float32,
        device=torch.device("cpu"),
    )
    return _Stepper(learner, state, batches).step


class _Stepper:
    def __init__(
        self, learner: MetaLearner, state: MetaState, batches: list[TaskBatch]
    ) -> None:
        self._learner, self._state, self._batches = learner, state, batches

    def step(self) -> None:
        batch = self._batches[self._state.step % len(self._batches)]
        self._state = self._learner.step(self._state, batch, STREAMS).state


def _torch_func(num_inner_steps: int) -> Callable[[], object]:
    """MAML as torch.func's own tutorial writes it."""
    net = torch.nn.Sequential(
        torch.nn.Linear(1, 40),
        torch.nn.ReLU(),
        torch.nn.Linear(40, 40),
        torch.nn.ReLU(),
        torch.nn.Linear(40, 1),
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    batches = _batches(25)

    def loss(params, x, y):
        return ((functional_call(net, params, (x,)) - y) ** 2).mean()

    def after(params, xs, ys, xq, yq):
        for _ in range(num_inner_steps):
            gradient = grad(loss)(params, xs, ys)
            params = {name: p - 0.01 * gradient[name] for name, p in params.items()}
        return loss(params, xq, yq)

    count = 0

    def step() -> None:
        nonlocal count
        batch = batches[count % len(batches)]
        count += 1
        params = dict(net.named_parameters())
        losses = vmap(after, in_dims=(None, 0, 0, 0, 0))(
            params, batch.support.x, batch.support.y, batch.query.x, batch.query.y
        )
        optimizer.zero_grad()
        losses.mean().backward()
        optimizer.step()

    return step
