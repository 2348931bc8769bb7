"""The program of every preset, and of every part, adapts as metalab does: torch alone."""

import json
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch.nn import functional

from metalab.analysis.model_script import ScriptError, _loss, model_script
from metalab.catalog.recipes import presets
from metalab.catalog.slots import INNER_LOOPS, LOSSES, META_PARAMETERISATIONS, MODELS
from metalab.core.loss.squared_error import SquaredError
from metalab.core.tasks import Samples
from metalab.engine.build import DTYPES, build_learner
from metalab.engine.held_out import held_out_evaluation
from metalab.experiment.config import preset_config
from metalab.experiment.fields import parse_assignment, with_overrides
from metalab.runs.services.weights import _examples, _tensors
from tests.support.findings import check_each

MOST_LINES = 120

ALONE = """
import importlib.util, json, sys
from importlib.machinery import PathFinder
from pathlib import Path


class TorchAlone(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.split(".")[0] in ("metalab", "numpy", "safetensors", "scipy", "pandas"):
            return None
        return super().find_spec(name, path, target)


sys.meta_path = [TorchAlone if f is PathFinder else f for f in sys.meta_path]
import torch
torch.set_num_threads(1)


def losses(folder):
    spec = importlib.util.spec_from_file_location(folder.name, folder / "model.py")
    model = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(model)
    loss = getattr(model, "query_loss", model.inner_loss)
    learnt = getattr(model, "targets", model.points)
    found = []
    for example in json.loads((folder / "weights.json").read_text())["examples"]:
        support, query = example["support"], example["query"]
        predict = model.adapt(support["x"], support["y"], example["steps"])
        if hasattr(predict, "outputs"):
            outputs = predict.outputs(query["x"])
            assert (predict(query["x"]) == outputs[:, :1]).all()
        else:
            outputs = learnt(predict(query["x"]))
        found.append(float(loss(outputs, learnt(query["y"]))))
    return found


assert "numpy" not in sys.modules and importlib.util.find_spec("metalab") is None
print(json.dumps({f.name: losses(f) for f in Path(sys.argv[1]).iterdir()}))
"""

SMALL = [
    ("evaluation.num_tasks", 16),
    ("evaluation.num_queries", 6),
]

PARTS = {
    "momentum": ["inner.momentum=0.5", "inner.inner_weight_decay=0.1"],
    "limits": ["inner.inner_clamp=0.3", "inner.inner_clip_norm=0.5"],
    "batches": ["inner.inner_batch_size=3", "inner.num_inner_steps=5"],
    "adam": [
        *("inner.kind=adam", "inner.num_inner_steps=3", "inner.inner_weight_decay=0.1"),
        "inner.inner_clip_norm=0.5",
    ],
    "rmsprop": ["inner.kind=rmsprop", "inner.num_inner_steps=3"],
    "adagrad": ["inner.kind=adagrad", "inner.num_inner_steps=3"],
    "learned-update": ["inner.kind=learned-update", "inner.num_inner_steps=3"],
    "curvature": ["inner.kind=meta-curvature", "meta.kind=context"],
    "shared rate": ["inner.kind=learned-descent", "inner.granularity=shared"],
    "rates of layers": ["inner.kind=learned-descent", "inner.granularity=per-layer"],
    "rates of a head": ["inner.kind=learned-descent", "meta.kind=ridge-head"],
    "extra inputs": ["meta.kind=extra-inputs"],
    "penalty": ["meta.kind=penalty"],
    "tolerance": [
        *("meta.kind=anchor", "meta.strength_is=learned"),
        *("inner.kind=proximal-descent", "inner.tolerance=2.0"),
        "inner.inner_lr=0.01",
    ],
    "steps of a ridge head": ["meta.kind=ridge-head", "inner.num_inner_steps=3"],
    "steps of a Bayesian head": [
        *("meta.kind=bayesian-head", "meta.noise_is=learned"),
        "meta.prior_is=unit-covariance",
    ],
    "modulated sines": ["model.kind=sine-basis", "meta.kind=modulated"],
    "polynomial": ["model.kind=polynomial", "inner.inner_lr=0.0001"],
    "kernel": ["model.kind=hilbert-basis"],
    "sine": ["model.activation=sine", "meta.kind=modulated"],
    "no hidden layer": ["model.hidden_sizes=[]", "meta.kind=head"],
    "huber": ["loss.kind=huber", "loss.delta=0.3"],
    "gaussian": ["loss.kind=gaussian", "loss.noise_std=2.0"],
    "noise": ["loss.kind=gaussian", "loss.noise_is=learned", "loss.noise_std=2.0"],
    "noise of the queries": [
        *("query_loss.kind=gaussian", "query_loss.noise_is=learned"),
    ],
    "noise of the support": [
        *("loss.kind=gaussian", "loss.noise_is=learned", "query_loss.kind=huber"),
    ],
    "two losses": ["query_loss.kind=absolute-error"],
    "absolute": ["loss.kind=absolute-error"],
    "several inputs": ["tasks.family.kind=ridge-regression"],
}


def config_of(base, assignments, precision):
    changes = [parse_assignment(text) for text in assignments]
    return with_overrides(
        preset_config(base), [*SMALL, *changes, ("run.precision", precision)]
    )


def written(config, folder):
    """Write the files of an experiment, whose phi is drawn; return its losses."""
    dtype, learner = DTYPES[config.run.precision], build_learner(config)
    generator = torch.Generator().manual_seed(1)
    start = learner.initial_state(
        generator=generator, dtype=torch.float64, device=torch.device("cpu")
    ).phi
    noise = torch.randn(start.shape, generator=generator, dtype=start.dtype)
    phi = (start + 0.02 * noise).to(dtype)
    script = model_script(config, phi, title='A "run"', origin="Written by a test.")
    held_out = held_out_evaluation(config, learner, device=torch.device("cpu"))
    evaluation, _ = held_out.evaluate(phi, 0)
    folder.mkdir()
    (folder / "model.py").write_text(script.text)
    (folder / "weights.safetensors").write_bytes(_tensors(script))
    examples = _examples(held_out, evaluation)
    (folder / "weights.json").write_text(json.dumps({"examples": examples}))
    learned = sum(t.values.numel() for t in script.tensors.values() if t.learned)
    assert learned == len(phi)
    lines = script.text.splitlines()
    assert len(lines) <= MOST_LINES
    assert not [line for line in lines if len(line) > 88]
    return np.array([example["query_loss"] for example in examples])


def alone(folder):
    found = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", ALONE, str(folder)],
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def test_every_preset(tmp_path):
    """Within 1e-6 in the run's precision, or within the rounding of the run itself."""
    wanted = {}
    for name in presets():
        for precision in DTYPES:
            config = config_of(name, [], precision)
            case = f"{name}-{precision}"
            wanted[case] = written(config, tmp_path / case)
    found = alone(tmp_path)

    def check(name):
        exact = wanted[f"{name}-float64"]
        assert found[f"{name}-float64"] == pytest.approx(exact, rel=1e-9, abs=1e-20)
        single = wanted[f"{name}-float32"]
        rounding = np.abs(single - exact) / np.abs(exact)
        near = np.maximum(1e-6, 3 * rounding.max()) * np.abs(single)
        assert (np.abs(found[f"{name}-float32"] - single) <= near).all()

    check_each(list(presets()), check)


def test_every_part(tmp_path):
    wanted = {}
    for name, assignments in PARTS.items():
        config = config_of("maml-sine", assignments, "float64")
        wanted[name] = written(config, tmp_path / name)
    found = alone(tmp_path)

    def check(name):
        assert found[name] == pytest.approx(wanted[name], rel=1e-9, abs=1e-20)

    check_each(list(PARTS), check)


@pytest.mark.parametrize("outputs", [1, 3])
def test_every_loss(outputs):
    generator = torch.Generator().manual_seed(0)
    prediction = torch.randn(1, 5, outputs, generator=generator, dtype=torch.float64)
    target = torch.rand(1, 5, outputs, generator=generator, dtype=torch.float64)
    target = target if outputs == 1 else target / target.sum(dim=2, keepdim=True)

    def check(kind):
        loss = LOSSES.default(kind).build()
        names = {"prediction": prediction[0], "target": target[0], "F": functional}
        found = eval(loss.torch_expression(), names)
        wanted = loss(prediction, Samples(x=target, y=target))
        assert float(found) == pytest.approx(float(wanted), rel=1e-12)

    ours = (k for k, c in LOSSES.components.items() if c.__module__[:8] == "metalab.")
    check_each(list(ours), check)


def test_a_part_without_source_is_named():
    @dataclass(frozen=True, slots=True, kw_only=True)
    class ShiftedError(SquaredError):
        name = "shifted"

        def costs(self, prediction, target):
            return super().costs(prediction + 1, target)

    inherited = ShiftedError()
    with pytest.raises(
        ScriptError, match="loss is 'shifted', which declares no source"
    ):
        _loss("loss", inherited, 1, 1)


def test_no_part_of_ours_is_left_out():
    told = {text for assignments in PARTS.values() for text in assignments}
    used = {name: preset_config(name) for name in presets()}
    for place, registry in (
        *(("model", MODELS), ("meta", META_PARAMETERISATIONS)),
        *(("inner", INNER_LOOPS), ("loss", LOSSES)),
    ):
        for kind, component in registry.components.items():
            # No family of ours has classes: `test_every_loss` has the cross-entropy.
            ours = component.__module__.startswith("metalab.")
            if not ours or kind == "cross-entropy":
                continue
            in_presets = any(getattr(c, place).kind == kind for c in used.values())
            assert in_presets or f"{place}.kind={kind}" in told, (place, kind)
