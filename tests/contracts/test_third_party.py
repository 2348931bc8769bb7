"""A family and a recipe of somebody else join by being installed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from metalab.catalog.slots import TASK_FAMILIES
from tests.support.plugin import Plane

ROOT = Path(__file__).parents[2]

PLUGIN = """
from metalab.catalog.recipes import Preset, Recipe
from tests.support.plugin import Plane

RECIPE = Recipe(
    name="plane-first",
    title="Plane first",
    source="Here",
    summary="First order with plain descent.",
    parts={
        "hypergradient": {"kind": "first-order"},
        "outer": {"optimizer": {"kind": "sgd"}},
    },
    presets=(
        Preset(
            name="plane-small",
            title="Planes",
            source="Here",
            settings={
                "tasks": {"family": {"kind": "plane", "slope_max": 2}},
                "outer": {"num_steps": 30},
            },
        ),
    ),
)
"""

ENTRY_POINTS = """
[metalab.tasks]
plane = somebodys_plugin:Plane

[metalab.algorithms]
plane = somebodys_plugin:RECIPE
"""

PARTS = """
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from metalab.core.hypergradient.truncated import Truncated
from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.loss.squared_error import SquaredError
from metalab.core.meta.initialisation import Initialisation
from metalab.core.outer import Adam
from metalab.figures.base import FigureSpec
from metalab.figures.kinds.losses import FIGURE as LOSSES

whole = dataclass(frozen=True, slots=True, kw_only=True)

@whole
class Half(SquaredError):
    name: ClassVar[str] = "half"

    def costs(self, prediction, target):
        return (prediction - target).square() / 2

@whole
class Last(Truncated):
    name: ClassVar[str] = "last"

@whole
class Descent(GradientDescent):
    name: ClassVar[str] = "other-descent"

@whole
class Start(Initialisation):
    name: ClassVar[str] = "other-start"

@whole
class Adamant(Adam):
    name: ClassVar[str] = "adamant"

class Wide(nn.Module):
    name = "wide"

    def __init__(self, input_dim: int, output_dim: int, width: int = 30):
        super().__init__()
        self.both = nn.Sequential(nn.Linear(input_dim, width), nn.Tanh(),
                                  nn.Linear(width, output_dim))

    def forward(self, x):
        return self.both(x)

FIGURE = FigureSpec(name="brought", title="Brought", heeds=LOSSES.heeds, draw=LOSSES.draw)

class NoSteps:
    pass
"""

PARTS_ENTRY_POINTS = """
[metalab.models]
wide = parts:Wide

[metalab.losses]
half = parts:Half

[metalab.meta]
start = parts:Start

[metalab.inner]
descent = parts:Descent
none = parts:NoSteps

[metalab.hypergradients]
last = parts:Last

[metalab.optimizers]
adamant = parts:Adamant

[metalab.figures]
brought = parts:FIGURE
half = parts:Half
"""

PARTS_SCRIPT = """
import json
from metalab.engine.events import StepsDone
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import with_overrides
from metalab.experiment.plugins import origins, plugin_problems
from metalab.figures.registry import figure_problems, figures

config = with_overrides(ExperimentConfig(), [
    ("model.kind", "wide"), ("model.width", 5), ("loss.kind", "half"),
    ("meta.kind", "other-start"), ("inner.kind", "other-descent"),
    ("hypergradient.kind", "last"), ("outer.optimizer.kind", "adamant"),
    ("outer.num_steps", 3), ("outer.num_tasks", 4), ("evaluation.num_tasks", 16),
])
steps = [e for e in Trainer(config).run() if isinstance(e, StepsDone)]
print(json.dumps({
    "steps": sum(len(e.metrics) for e in steps),
    "figure": "brought" in figures(),
    "problems": [*plugin_problems(), *figure_problems()],
    "files": origins(config),
}))
"""

SCRIPT = """
import json
from metalab.experiment.config import ExperimentConfig, preset_config, recipe_of
from metalab.engine.events import StepsDone
from metalab.experiment.fields import ConfigError, fields_of, validated, with_overrides
from metalab.engine.trainer import Trainer

config = preset_config("plane-small")
try:
    with_overrides(config, [("tasks.family.slope_max", -1)])
except ConfigError as error:
    refusal = str(error)
steps = [e for e in Trainer(config).run() if isinstance(e, StepsDone)]
print(json.dumps({
    "round_trip": validated(config.to_mapping()) == config,
    "recipe": recipe_of(config).name,
    "default": ExperimentConfig().tasks.family.kind,
    "kinds": next(f for f in fields_of(config) if f.path == "tasks.family.kind").choices,
    "refusal": refusal,
    "steps": sum(len(e.metrics) for e in steps),
}))
"""


BAD_PLUGIN = """
from dataclasses import dataclass, replace
from typing import ClassVar

import somebodys_plugin
from metalab.catalog.recipes import Preset, Recipe
from metalab.core.inner.gradient_descent import GradientDescent

@dataclass(frozen=True, slots=True, kw_only=True)
class Momentum(GradientDescent):
    name: ClassVar[str] = "heavy-ball"

TAKEN = replace(somebodys_plugin.RECIPE, name="maml", presets=())
UNRUNNABLE = Recipe(
    name="unrunnable", title="U", source="Here", summary="S.", parts={},
    presets=(
        Preset(name="u-sine", title="U", source="Here",
               settings={"inner": {"kind": "heavy-ball"}}),
    ),
)
"""

COMMANDS = """
from metalab.cli.main import run

small = ["--set", "outer.num_steps=2", "--set", "evaluation.num_tasks=16"]
run(["doctor", "--json"])
assert run(["presets", "--json"]) == 0
assert run(["train", "--preset", "plane-small", *small, "--json"]) == 0
"""

BAD_ENTRY_POINTS = """
[metalab.tasks]
nowhere = nowhere_at_all:Family
quits = broken_plugin_that_quits:Family
raises = broken_plugin_that_raises:Family
attribute = bad_plugin:Nothing
number = math:pi

[metalab.algorithms]
momentum = bad_plugin:Momentum
taken = bad_plugin:TAKEN
unrunnable = bad_plugin:UNRUNNABLE
"""


def install(folder: Path, package: str, entry_points: str, **modules: str) -> None:
    """Make a folder on the path look as if a package were installed in it."""
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)
    info = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(entry_points)


def ran_with(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        check=False,
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}",
            "METALAB_HOME": str(folder / "home"),
        },
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def installed(tmp_path):
    """Return a folder that looks like an installed distribution."""
    modules = {"somebodys_plugin": PLUGIN}
    install(tmp_path, "somebodys-plugin", ENTRY_POINTS, **modules)
    return tmp_path


def test_it_is_configured_recognised_refused_and_trained_like_our_own(installed):
    ran = ran_with(installed, "-c", SCRIPT)
    assert ran.returncode == 0, ran.stderr
    families = TASK_FAMILIES.components.values()
    assert json.loads(ran.stdout) == {
        "round_trip": True,
        "recipe": "plane-first",
        "default": "sinusoid",
        "kinds": sorted([[f.name, f.title] for f in (*families, Plane)]),
        "refusal": "tasks.family.slope_max is -1.0; allowed: 0 to 9",
        "steps": 30,
    }


def test_a_package_that_cannot_be_used_is_named_and_hides_nothing(installed):
    install(
        installed,
        "bad-plugin",
        BAD_ENTRY_POINTS,
        bad_plugin=BAD_PLUGIN,
        broken_plugin_that_quits="import sys\nsys.exit(3)\n",
        broken_plugin_that_raises="raise RuntimeError('no licence')\n",
    )
    ran = ran_with(installed, "-c", COMMANDS)
    assert ran.returncode == 0, ran.stderr
    doctor, presets, trained = map(json.loads, ran.stdout.splitlines())
    starts = [
        "entry point 'attribute' of bad-plugin 1.0 in 'metalab.tasks' is left out: it "
        "cannot be loaded (AttributeError: module 'bad_plugin' has no attribute",
        "entry point 'momentum' of bad-plugin 1.0 in 'metalab.algorithms' is left out: "
        "it is class Momentum; 'metalab.algorithms' takes a Recipe",
        "entry point 'nowhere' of bad-plugin 1.0 in 'metalab.tasks' is left out: it "
        "cannot be loaded (ModuleNotFoundError: No module named 'nowhere_at_all')",
        "entry point 'number' of bad-plugin 1.0 in 'metalab.tasks' is left out: it is "
        "an object of class float; 'metalab.tasks' takes a class that inherits",
        "entry point 'quits' of bad-plugin 1.0 in 'metalab.tasks' is left out: it "
        "cannot be loaded (SystemExit: 3)",
        "entry point 'raises' of bad-plugin 1.0 in 'metalab.tasks' is left out: it "
        "cannot be loaded (RuntimeError: no licence)",
        "entry point 'taken' of bad-plugin 1.0 in 'metalab.algorithms' is left out: its "
        "recipe is called 'maml', a name that is taken",
        "preset 'u-sine' of entry point 'unrunnable' of bad-plugin 1.0 in "
        "'metalab.algorithms' is left out: inner.kind is 'heavy-ball'; allowed: ",
    ]
    told = sorted(text for text in doctor["problems"] if "bad-plugin" in text)
    assert len(told) == len(starts)
    for problem, start in zip(told, starts, strict=True):
        assert problem.startswith(start)
    assert ran.stderr.count("is left out: ") == len(starts)
    names = {row["name"] for row in presets}
    assert {"maml-sine", "plane-small"} <= names
    assert "u-sine" not in names
    assert trained["status"] == "finished"


def test_every_part_has_a_group_of_its_own(tmp_path):
    install(tmp_path, "parts-plugin", PARTS_ENTRY_POINTS, parts=PARTS)
    ran = ran_with(tmp_path, "-c", PARTS_SCRIPT)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    starts = (
        "entry point 'none' of parts-plugin 1.0 in 'metalab.inner' is left out: it is "
        "class NoSteps; 'metalab.inner' takes a class that inherits",
        "entry point 'half' of parts-plugin 1.0 in 'metalab.figures' is left out: it is "
        "class Half; 'metalab.figures' takes a FigureSpec",
    )
    assert len(found["problems"]) == len(starts)
    for problem, start in zip(found.pop("problems"), starts, strict=True):
        assert problem.startswith(start)
    assert found == {"steps": 3, "figure": True, "files": {}}
