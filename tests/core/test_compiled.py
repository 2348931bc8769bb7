"""Compiled outer steps compute what they would otherwise.

In processes of their own: the shape checks of the tests are not for a compiler.
"""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from metalab.core import compiled as compiled_module
from metalab.core.compiled import CompiledOuterGradient, compiled
from metalab.core.hypergradient.first_order import FirstOrder
from metalab.engine.build import build_learner
from metalab.engine.trainer import Trainer
from tests.support.experiments import run, small

pytestmark = pytest.mark.unchecked

SCRIPT = """
import json, sys
from metalab.engine.events import StepsDone
from metalab.engine.trainer import Trainer
from tests.support.experiments import small

def metrics(choice):
    sizes = {"outer__num_steps": 6, "outer__num_tasks": 3, "run__provider": "autodiff"}
    trainer = Trainer(small(sys.argv[1], run__compile=choice, **sizes))
    obstacle = trainer.compile() if trainer.compiles else None
    events = [event for event in trainer.run() if isinstance(event, StepsDone)]
    return [row for event in events for row in event.metrics.tolist()], obstacle

plain, _ = metrics("off")
found, obstacle = metrics("on")
print(json.dumps({"plain": plain, "found": found, "obstacle": obstacle}))
"""

needs_compiler = pytest.mark.skipif(
    shutil.which("g++") is None and shutil.which("clang++") is None,
    reason="torch.compile needs a C++ compiler",
)


def both(preset):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, preset],
        capture_output=True,
        text=True,
        timeout=150,
        check=True,
    )
    return json.loads(done.stdout)


def check(preset):
    said = both(preset)
    assert said["obstacle"] is None
    # What a method does not have is NaN in both.
    assert said["found"] == [
        pytest.approx(row, rel=2e-4, nan_ok=True) for row in said["plain"]
    ]


@needs_compiler
@pytest.mark.slow
def test_a_compiled_run_has_the_metrics_of_a_plain_one():
    check("cavia-sine")


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize(
    "preset",
    [
        *("maml-sine", "anil-sine", "meta-sgd-sine", "reptile-sine", "ridge-sine"),
        "imaml-repository-sine",
    ],
)
def test_so_have_others(preset):
    check(preset)


def heart_of(preset="maml-sine", **changes):
    return build_learner(small(preset, **changes)).outer_gradient(0)


def test_equal_hearts_share_a_graph():
    assert compiled(heart_of()) is compiled(heart_of(outer__schedule="cosine"))
    assert compiled(heart_of()) is not compiled(heart_of(inner__inner_lr=0.02))


def test_an_estimator_that_draws_is_not_compiled():
    trainer = Trainer(
        small(
            run__compile="on",
            run__provider="autodiff",
            hypergradient={"kind": "evolution"},
        )
    )
    assert trainer.compiles
    assert "draws" in trainer.compile()


class Drawing(FirstOrder):
    """Draws, and does not say so."""

    def estimate(self, oracle, inner, path, request):
        found = super().estimate(oracle, inner, path, request)
        noise = torch.randn((), generator=request.generator(), dtype=torch.float32)
        return replace(found, per_task=found.per_task + 1e-9 * noise)


class Fading(FirstOrder):
    """Depends on the outer step."""

    def estimate(self, oracle, inner, path, request):
        found = super().estimate(oracle, inner, path, request)
        return replace(found, per_task=found.per_task / (2 + request.step))


@pytest.mark.parametrize(
    ("estimator", "obstacle"), [(Drawing, "draws at random"), (Fading, "differs")]
)
def test_what_one_graph_cannot_serve_is_not_compiled(estimator, obstacle, monkeypatch):
    """Every step would have had the draws, or the step, that the graph was made with."""
    monkeypatch.setattr(torch, "compile", lambda graph, **_: graph)
    trainer = Trainer(small(run__compile="on", run__provider="autodiff"))
    learner = replace(trainer.learner, hypergradient=estimator())
    outer_gradient = CompiledOuterGradient(learner.outer_gradient(0))
    state = trainer.state
    for step in (0, 1):
        batch = trainer.task_stream.batch(step)
        found = outer_gradient(state.phi, batch, trainer.streams, step)
        plain = learner.outer_gradient(0)(
            learner.oracle(state.phi, batch), trainer.streams, step
        )
        assert torch.equal(found.hypergradient, plain.hypergradient)
    assert obstacle in outer_gradient.obstacle


@pytest.fixture
def broken(monkeypatch):
    """Return what makes every graph something else."""
    compiled_module.compiled.cache_clear()

    def play(graph):
        monkeypatch.setattr(compiled_module, "_compiled", graph)

    yield play
    compiled_module.compiled.cache_clear()


def same_as_plain(config):
    plain = run(small(run__provider="autodiff"))
    assert run(config).rows().tobytes() == plain.rows().tobytes()


def test_without_a_compiler_the_run_is_as_without(broken):
    def absent(outer_gradient):
        raise RuntimeError("No C++ compiler found\nand much more")

    broken(absent)
    config = small(run__compile="on", run__provider="autodiff")
    assert Trainer(config).compile() == "RuntimeError: No C++ compiler found"
    same_as_plain(config)


def test_a_graph_that_computes_something_else_is_not_used(broken):
    def wrong(outer_gradient):
        def graph(phi, *points):
            value = phi.sum()
            return (2 * phi, *[value] * (5 if outer_gradient.measures_all else 3)), 1, 1

        return graph

    broken(wrong)
    config = small(run__compile="on", run__provider="autodiff")
    assert "differs" in Trainer(config).compile()
    same_as_plain(config)


def test_kernels_are_not_compiled_again():
    assert not Trainer(small(run__compile="on", run__provider="fused")).compiles


def test_schedules_end_before_anything_is_compiled(monkeypatch):
    asked = []

    class Watched(CompiledOuterGradient):
        def __call__(self, phi, batch, streams, step):
            asked.append(step)
            return self._plain(phi, batch, streams, step)

    monkeypatch.setattr("metalab.core.learner.compiled", Watched)
    sizes = {"outer__first_order_steps": 5, "outer__num_steps": 8}
    run(small(run__compile="on", run__provider="autodiff", **sizes))
    assert asked == [5, 6, 7]
