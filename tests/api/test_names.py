"""The public names are frozen: a notebook of today runs tomorrow."""

import inspect
import subprocess
import sys

import pytest

import metalab as ml

NAMES = [
    "Adapted",
    "Columns",
    "Compared",
    "Evaluated",
    "ExperimentConfig",
    "Run",
    "RunInterrupted",
    "compare",
    "hypergradient",
    "open",
    "presets",
    "recipes",
    "report",
    "resume",
    "sweep",
    "train",
]
MEMBERS = {
    "Adapted": ["num_inner_steps", "predict", "support_loss", "theta"],
    "Compared": ["comparison", "figure", "save", "table"],
    "Evaluated": [
        *("interval", "iqm", "mean", "median", "no_interval", "num_inner_steps"),
        *("num_tasks", "query_loss", "rmse", "summary", "support_loss", "table"),
    ],
    "Run": [
        *("adapt", "at", "config", "diverged", "evaluate", "evaluations", "figure"),
        *("export_metrics", "export_weights"),
        *("metrics", "name", "path", "phi", "report", "status", "step", "window"),
    ],
}
SIGNATURES = {
    "compare": [
        *("runs", "num_tasks", "num_inner_steps", "seed", "reference", "threshold"),
    ],
    "sweep": ["file", "folder", "jobs"],
    "train": ["what", "seed", "path", "progress", "settings", "keywords"],
    "report": ["runs", "path", "reference", "num_tasks"],
    "resume": ["path", "num_steps", "progress"],
    "open": ["path"],
    "hypergradient": [
        *("inner_loss", "outer_loss", "phi", "theta0", "method", "num_inner_steps"),
        *("inner_lr", "strength", "seed", "options"),
    ],
    "presets": [],
    "recipes": [],
}


def test_names():
    assert ml.__all__ == NAMES
    assert {*NAMES, "__version__"} <= set(dir(ml))
    for name in NAMES:
        assert inspect.getdoc(getattr(ml, name)), name


def test_arguments():
    for name, arguments in SIGNATURES.items():
        assert list(inspect.signature(getattr(ml, name)).parameters) == arguments, name


def test_members(run):
    values = {
        "Run": run,
        "Adapted": run.adapt([0.0], [1.0], steps=1),
        "Evaluated": run.evaluate(8, num_inner_steps=1),
    }
    for name, value in values.items():
        public = [member for member in dir(value) if not member.startswith("_")]
        assert public == sorted(MEMBERS[name]), name


def test_an_unknown_name_is_told():
    with pytest.raises(AttributeError, match="trains"):
        _ = ml.trains


def test_importing_loads_nothing():
    code = (
        "import sys; before = set(sys.modules); import metalab; dir(metalab); "
        "assert metalab.__version__; "
        "print(*{name.split('.')[0] for name in set(sys.modules) - before})"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    heavy = {"torch", "numpy", "PySide6", "matplotlib", "pydantic", "rich", "typer"}
    assert not heavy & set(found.stdout.split())
