"""A family and a recipe of somebody else join by being installed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from metalab.catalog.slots import TASK_FAMILIES
from tests.catalog.plugin import Plane

ROOT = Path(__file__).parents[2]

PLUGIN = """
from metalab.catalog.recipes import Preset, Recipe
from tests.catalog.plugin import Plane

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

SCRIPT = """
import json
from metalab.engine.config import ExperimentConfig, preset_config, recipe_of
from metalab.engine.events import StepsDone
from metalab.engine.overrides import ConfigError, fields_of, validated, with_overrides
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


@pytest.fixture
def installed(tmp_path):
    """Return a folder that looks like an installed distribution."""
    (tmp_path / "somebodys_plugin.py").write_text(PLUGIN)
    info = tmp_path / "somebodys_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: somebodys-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    return tmp_path


def test_it_is_configured_recognised_refused_and_trained_like_our_own(installed):
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{installed}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        timeout=120,
    )
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
