"""One file in its room is all that a component needs: one of each is thrown in, and used.

The files stand in `tests/contracts/thrown_away`. A child process puts them into their
packages before it imports anything else; no other line of the product or of the tests
knows them.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THROWN = Path(__file__).parent / "thrown_away"

CONTRACTS = (
    "tests/contracts/test_options.py",
    "tests/contracts/test_names.py",
    "tests/contracts/test_estimators.py",
    "tests/contracts/test_losses.py",
    "tests/contracts/test_meta_parameterisations.py",
    "tests/contracts/test_task_families.py",
    "tests/contracts/test_presets.py",
    "tests/contracts/test_hostile_subclasses.py",
    "tests/tasks/test_every_family.py",
    "tests/figures/structure/test_blueprint.py",
)

TRAINED = """
import json
from metalab.engine.events import StepsDone
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig, preset_config, recipe_of
from metalab.experiment.fields import fields_of, with_overrides
from metalab.figures.estimator_looks import look_of

config = with_overrides(
    preset_config("thrown-small"),
    [("outer.num_steps", 6), ("outer.num_tasks", 4), ("evaluation.num_tasks", 16)],
)
metrics = [e.metrics for e in Trainer(config).run() if isinstance(e, StepsDone)]
choices = {f.path: dict(f.choices) for f in fields_of(config) if f.path.endswith("kind")}
print(json.dumps({
    "recipe": recipe_of(config).name,
    "kinds": [config.tasks.family.kind, config.model.kind, config.loss.kind,
              config.meta.kind, config.inner.kind, config.hypergradient.kind],
    "offered": [
        "thrown-plane" in choices["tasks.family.kind"],
        "thrown-model" in choices["model.kind"],
        "thrown-loss" in choices["loss.kind"],
        "thrown-start" in choices["meta.kind"],
        "thrown-descent" in choices["inner.kind"],
        "thrown-estimator" in choices["hypergradient.kind"],
    ],
    "finite": all(abs(x) < 1e9 for m in metrics for x in m[:, 0].tolist()),
    "steps": sum(len(m) for m in metrics),
    "mark": look_of("thrown-estimator").mark,
}))
"""

COMPARED = """
import json
import numpy as np
from metalab.analysis.comparison import ComparisonRequest
from metalab.analysis.comparison_steps import comparison_steps
from metalab.engine.build import build_learner
from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides

config = with_overrides(
    preset_config("maml-sine"), [("model.hidden_sizes", [4]), ("outer.num_tasks", 2)]
)
learner = build_learner(config)
rng = np.random.default_rng(0)
request = ComparisonRequest(
    config=config, phi=0.1 * rng.standard_normal(learner.problem.meta_dim), step=0,
    num_inner_steps=1, inner_lr=None, damping=None, num_tasks=2, seed=0,
)
for known in comparison_steps(request, lambda text: None):
    rows = {row.name: row for row in known.rows}
    if "thrown-estimator" in rows:
        break
row = rows["thrown-estimator"]
print(json.dumps({"title": row.title, "cosine": row.cosine}))
"""

REFUSED = """
import json
from metalab.engine.providers import chosen_provider
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import ConfigError, with_overrides

def said(*changes):
    try:
        with_overrides(ExperimentConfig(), changes)
    except ConfigError as error:
        return str(error)

ridge = ("meta.kind", "ridge-head"), ("hypergradient.kind", "unrolled")
alpaca = ("meta.kind", "bayesian-head"), ("inner.kind", "closed-form")
loss = ("loss.kind", "thrown-loss")
kernels = chosen_provider(with_overrides(ExperimentConfig(), [loss]))
print(json.dumps([
    said(("model.kind", "thrown-model"), *ridge),
    said(("model.kind", "thrown-model"), ("meta.kind", "modulated")),
    said(loss, *ridge, ("inner.kind", "closed-form")),
    said(loss, *alpaca),
    ": ".join(kernels),
]))
"""

AT_EACH_LEVEL = """
import json
import numpy as np
from metalab.engine.events import EvaluationDone, StepsDone
from metalab.engine.providers import chosen_provider
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import ConfigError, with_overrides

SMALL = [
    ("outer.num_steps", 60), ("outer.num_tasks", 8), ("evaluation.num_tasks", 16),
    ("evaluation.every", 60), ("model.hidden_sizes", [8]), ("model.activation", "tanh"),
]

def trained(*changes):
    config = with_overrides(ExperimentConfig(), [*SMALL, *changes])
    losses = [
        float(e.evaluation.query_loss[:, 1].mean())
        for e in Trainer(config).run() if isinstance(e, EvaluationDone)
    ]
    return losses[-1] < losses[0]

query = ("query_loss.kind", "thrown-loss")
config = with_overrides(ExperimentConfig(), [query])
words = config.loss_words
classes = ("tasks.family.kind", "thrown-classes")
print(json.dumps({
    "outer": trained(query),
    "units": [words.support_unit, words.query_unit],
    "why": chosen_provider(config)[1],
    "classes": trained(classes, ("loss.kind", "cross-entropy")),
    "brier": trained(classes),
}))
"""

OBSERVED = """
import json, sys
from pathlib import Path
import numpy as np
from metalab.analysis.adaptation import HeldOutAdapter
from metalab.analysis.edited_support import EditedSupport
from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.figures.render import render
from metalab.runs.record.live import LiveRun
from metalab.runs.record.reader import open_run
from metalab.runs.running.control import RunControl
from metalab.runs.running.run import run_experiment
from metalab.runs.services.snapshots import with_curves

config = with_overrides(preset_config("maml-sine"), [
    ("tasks.family.kind", "thrown-table"), ("tasks.num_shots", 3),
    ("tasks.num_queries", 5), ("outer.num_steps", 6), ("outer.num_tasks", 4),
    ("evaluation.num_tasks", 16), ("evaluation.num_queries", 9),
])
home = Path(sys.argv[1])
path = home / "observed.metalab"
live = LiveRun(config, path=path)
run_experiment(live, RunControl())
run = open_run(path)
history = with_curves(run)
tasks, written = history.held_out_tasks, live.snapshot().held_out_tasks
points = EditedSupport.own(tasks, 2)
own = HeldOutAdapter(config, provider="autodiff").adapt(
    run.checkpoint.phi, points, step=6
)
for name in ("adaptation", "gallery"):
    render(name, history, home / f"{name}.pdf")
print(json.dumps({
    "same": tasks.same_as(written),
    "points": [list(tasks.support.x.shape), list(tasks.query.y.shape)],
    "truth": tasks.true_curves is None,
    "name": tasks.words(2, str) == f"patient {int(tasks.parameters[2, 0])}",
    "loss": np.allclose(own.query_loss, history.curves.query_loss[2], rtol=1e-4),
    "figures": sorted(p.name for p in home.glob("*.pdf")),
}))
"""

WINDOW = """
import json
from PySide6.QtWidgets import QApplication
from metalab.ui.actions.table import ACTIONS
from metalab.ui.shell.controller import Controller, WindowOptions
from metalab.runs.system.preload import Preload
from metalab.figures.registry import figures

app = QApplication([])
lab = Controller(app, WindowOptions(), preload=Preload(("torch",), kernels=False))
lab.start()
while not lab.session.loaded:
    app.processEvents()
lab.session.open_preset("thrown-small")
shown = {
    path: lab.window.experiment.form.row(path).editor.value
    for path in ("tasks.family.kind", "model.kind", "loss.kind", "inner.kind", "meta.kind", "hypergradient.kind")
}
lab.window.workspaces.show_page("thrown-page")
page = type(lab.window.workspaces.current).__name__
lab.close()
lab.window.close()
print(json.dumps({
    "form": shown,
    "page": page,
    "action": [spec.text for spec in ACTIONS if spec.key == "page_thrown-page"],
    "figure": figures()["thrown-figure"].title,
}))
"""


@pytest.fixture
def surroundings(tmp_path):
    # Python imports `sitecustomize` by itself, also in the processes of a test.
    start = (THROWN / "put_in_place.py").read_text()
    (tmp_path / "sitecustomize.py").write_text(start)
    return {
        **os.environ,
        "THROWN_AWAY": str(THROWN),
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
        "METALAB_HOME": str(tmp_path / "home"),
    }


def ran(surroundings, *arguments: str, timeout: float = 150) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        check=False,
        cwd=ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_all_of_them_are_trained_together_and_offered_by_the_form(surroundings):
    assert json.loads(ran(surroundings, "-c", TRAINED)) == {
        "recipe": "thrown",
        "kinds": [
            *("thrown-plane", "thrown-model", "thrown-loss"),
            *("thrown-start", "thrown-descent", "thrown-estimator"),
        ],
        "offered": [True] * 6,
        "finite": True,
        "steps": 6,
        "mark": "diamond",
    }


def test_the_estimator_is_compared_with_the_exact_one(surroundings):
    found = json.loads(ran(surroundings, "-c", COMPARED))
    assert found == {"title": "Thrown in", "cosine": pytest.approx(1, abs=1e-6)}


def test_what_does_not_go_with_them_is_refused_in_words(surroundings):
    assert json.loads(ran(surroundings, "-c", REFUSED)) == [
        "model.kind is 'thrown-model', which lacks a linear last layer, and meta.kind "
        "'ridge-head' needs it; nearest valid choice: model.kind = 'mlp'",
        "model.kind is 'thrown-model', which lacks hidden units to modulate, and meta.kind "
        "'modulated' needs it; nearest valid choice: model.kind = 'mlp'",
        "inner.kind is 'closed-form': it needs a quadratic inner loss, so that its minimum "
        "has a closed form; loss.kind 'thrown-loss' is another; nearest valid choice: "
        "inner.kind = 'gradient-descent'",
        "loss.kind is 'thrown-loss', and meta.kind 'bayesian-head' is the posterior of the "
        "squared error; nearest valid choice: loss.kind = 'squared-error'",
        "autodiff: there is no compiled kernel for loss 'thrown-loss'",
    ]


def test_a_loss_is_that_of_either_level_and_one_of_classes_has_classes(surroundings):
    assert json.loads(ran(surroundings, "-c", AT_EACH_LEVEL)) == {
        "outer": True,
        "units": ["y²", "y"],
        "why": "there is no compiled kernel for query_loss 'thrown-loss'",
        "classes": True,
        "brier": True,
    }


def test_tasks_that_are_only_samples_are_learned_kept_and_drawn(surroundings, tmp_path):
    """Two inputs, names, and no true curve: nothing but a view may assume otherwise."""
    assert json.loads(ran(surroundings, "-c", OBSERVED, str(tmp_path))) == {
        "same": True,
        "points": [[16, 3, 2], [16, 9, 1]],
        "truth": True,
        "name": True,
        "loss": True,
        "figures": ["adaptation.pdf", "gallery.pdf"],
    }


@pytest.mark.gui
def test_the_window_has_their_settings_page_and_figure(surroundings):
    found = json.loads(ran(surroundings, "-c", WINDOW))
    assert found["form"] == {
        "tasks.family.kind": "thrown-plane",
        "model.kind": "thrown-model",
        "loss.kind": "thrown-loss",
        "inner.kind": "thrown-descent",
        "meta.kind": "thrown-start",
        "hypergradient.kind": "thrown-estimator",
    }
    assert found["page"] == "ThrownPage"
    assert found["action"] == ["Thro&wn"]
    assert found["figure"] == "Thrown in"


def test_the_contract_suites_check_them_without_an_edit(surroundings):
    out = ran(
        surroundings,
        *(
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-k",
            "thrown or each or every",
        ),
        *("-m", "not slow and not sampled", *CONTRACTS),
        timeout=170,
    )
    assert " passed" in out
