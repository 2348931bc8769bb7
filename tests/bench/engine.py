"""Outer steps a second of the engine, beside its peers in their documented use."""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch

from metalab.core.streams import RandomStreams
from metalab.core.tasks import sample_batch
from metalab.engine.build import build_family, build_learner
from metalab.experiment.config import preset_config
from tests.bench.child import Child, started
from tests.bench.install_peers import PYTHON
from tests.bench.peers.child import WAYS
from tests.bench.rounds import Rate, interleaved, ratio

SECONDS = 0.5
NUM_BATCHES = 16
OURS = {
    "metalab, compiled kernels": {"provider": "fused", "metrics": "essential"},
    "metalab, compiled kernels, all metrics": {"provider": "fused"},
    "metalab, autodiff": {"provider": "autodiff", "metrics": "essential"},
    "metalab, autodiff, all metrics": {"provider": "autodiff"},
    "metalab, autodiff, torch.compile": {
        "provider": "autodiff",
        "metrics": "essential",
        "compile": "on",
    },
}
"""Fields of `run`: the peers measure the outer loss alone, as "essential" does."""
BASES = ("learn2learn", "torch.func vmap + grad", "JAX lax.scan", "JAX jit(vmap)")
PEAK = "sgemm peak, GFLOP/s"
THREADED = ("metalab, compiled kernels", "JAX jit(vmap)", "JAX lax.scan")
"""What is measured on two threads too: the others gain nothing from them."""


def flops(
    num_inner_steps: int, *, tasks: int = 25, points: int = 10, width: int = 40
) -> int:
    """Return the multiplications and additions of one outer step's matrix products.

    Of the standard algorithm on a network 1-H-H-1 with n points: a gradient costs
    2n (3 H^2 + 5 H), a Hessian-vector product that reuses it 2n (6 H^2 + 8 H); MAML
    takes K + 1 gradients and K products for each task.
    """
    gradient = 2 * points * (3 * width**2 + 5 * width)
    product = 2 * points * (6 * width**2 + 8 * width)
    return tasks * (gradient * (num_inner_steps + 1) + product * num_inner_steps)


def measure(num_rounds: int, *, seconds: float = SECONDS) -> list[dict[str, object]]:
    """Return one row for each way, K and number of threads: exact MAML on sines.

    Ours includes sampling the tasks; the peers are given sampled tasks.
    """
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "problem.npz"
        write_problem(path)
        for num_inner_steps in (1, 5):
            for threads in (1, 2):
                rows += table_of(path, num_inner_steps, threads, num_rounds, seconds)
    return rows


def write_problem(path: Path) -> None:
    """Write initial weights and sampled meta-batches."""
    config = preset_config("maml-sine")
    streams, learner = RandomStreams(0), build_learner(config)
    model = learner.problem.model
    flat = model.initial_parameters(
        generator=streams.generator("init"), dtype=torch.float32
    ).numpy()
    weights = {
        f"weight{i}": flat[block.start : block.start + block.size].reshape(block.shape)
        for i, block in enumerate(model.blocks)
    }
    tasks = config.outer.num_tasks
    batch = sample_batch(
        build_family(config),
        tasks * NUM_BATCHES,
        num_shots=10,
        num_queries=10,
        generator=streams.generator("bench"),
    )
    sets = {"xs": batch.support.x, "ys": batch.support.y}
    sets |= {"xq": batch.query.x, "yq": batch.query.y}
    arrays = {k: v.numpy().reshape(NUM_BATCHES, tasks, 10, 1) for k, v in sets.items()}
    np.savez(path, **weights, **arrays)


def _commands(path: Path, num_inner_steps: int, threads: int) -> dict[str, list[str]]:
    numbers = [str(path), str(num_inner_steps), str(threads)]
    ours = [sys.executable, "-m", "tests.bench.ours_child"]
    commands = {
        name: [*ours, json.dumps(fields), *numbers] for name, fields in OURS.items()
    }
    if PYTHON.exists():
        child = [str(PYTHON), str(Path(__file__).parent / "peers" / "child.py")]
        commands |= {name: [*child, name, *numbers] for name in WAYS}
    if threads > 1:
        commands = {name: commands[name] for name in THREADED if name in commands}
    return commands


def table_of(
    path: Path, num_inner_steps: int, threads: int, num_rounds: int, seconds: float
) -> list[dict[str, object]]:
    """Return one row for each way, measured in turns."""
    children: dict[str, Child] = {}
    with ExitStack() as stack:
        for name, command in _commands(path, num_inner_steps, threads).items():
            process = stack.enter_context(started(command))
            try:
                children[name] = Child(process)
            except RuntimeError as error:
                print(f"{name} is left out: {error}".splitlines()[0], flush=True)
        ways = {name: _round(child, seconds) for name, child in children.items()}
        ways[PEAK] = _peak(threads)
        rates = interleaved(ways, num_rounds=num_rounds)
    peak = rates.pop(PEAK)
    gradients = {
        name: np.array(child.said["gradient"]) for name, child in children.items()
    }
    exact = next(iter(gradients.values()))
    return [
        _row(name, num_inner_steps, threads, rates, peak)
        | {"meta-gradient against ours": _error(gradients[name], exact)}
        for name in rates
    ]


def _row(
    name: str, num_inner_steps: int, threads: int, rates: dict[str, Rate], peak: Rate
) -> dict[str, object]:
    rate, work = rates[name], flops(num_inner_steps) / 1e9
    return {
        "K": num_inner_steps,
        "threads": threads,
        "way": name,
        "outer steps/s, median (min-max)": str(rate),
        **{
            f"x {base}": round(ratio(rate, rates[base]), 2) if base in rates else ""
            for base in BASES
        },
        "of the sgemm limit": f"{rate.median * work / peak.median:.0%}",
    }


def _error(gradient: np.ndarray, exact: np.ndarray) -> str:
    return f"{np.linalg.norm(gradient - exact) / np.linalg.norm(exact):.0e}"


def _round(child: Child, seconds: float) -> Callable[[], float]:
    return lambda: child.rate(seconds)


def _peak(threads: int) -> Callable[[], float]:
    """Return a way to measure the rate of torch's matrix product, in GFLOP/s."""
    size = 768
    a, b, c = (torch.randn(size, size) for _ in range(3))

    def measured() -> float:
        torch.set_num_threads(threads)
        best = 0.0
        for _ in range(8):
            begin = time.perf_counter()
            torch.mm(a, b, out=c)
            best = max(best, 2 * size**3 / (time.perf_counter() - begin) / 1e9)
        torch.set_num_threads(1)
        return best

    return measured
