"""metalab: a visual laboratory for bilevel optimisation in meta-learning.

    import metalab as ml

    run = ml.train("maml-sine", seed=1, outer_num_steps=500)
    run.figure("losses")
    run.adapt(x, y, steps=10).predict(x_new)

Importing this loads nothing else: what is asked for comes with its first use, torch too.
"""

# As type checkers know it, without `typing`, whose import takes as long as Python's start.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from metalab.api.adapted import Adapted
    from metalab.api.columns import Columns
    from metalab.api.comparing import Compared, compare, sweep
    from metalab.api.evaluated import Evaluated
    from metalab.api.hypergradients import hypergradient
    from metalab.api.reporting import report
    from metalab.api.run import Run
    from metalab.api.run import open_file as open  # noqa: A004 - as gzip's and PIL's
    from metalab.api.sources import presets, recipes
    from metalab.api.training import RunInterrupted, resume, train
    from metalab.experiment.config import ExperimentConfig

__version__ = "0.7.0"

_PLACES = {
    "Adapted": ("metalab.api.adapted", "Adapted"),
    "Columns": ("metalab.api.columns", "Columns"),
    "Compared": ("metalab.api.comparing", "Compared"),
    "Evaluated": ("metalab.api.evaluated", "Evaluated"),
    "ExperimentConfig": ("metalab.experiment.config", "ExperimentConfig"),
    "Run": ("metalab.api.run", "Run"),
    "RunInterrupted": ("metalab.api.training", "RunInterrupted"),
    "compare": ("metalab.api.comparing", "compare"),
    "hypergradient": ("metalab.api.hypergradients", "hypergradient"),
    "open": ("metalab.api.run", "open_file"),
    "presets": ("metalab.api.sources", "presets"),
    "recipes": ("metalab.api.sources", "recipes"),
    "report": ("metalab.api.reporting", "report"),
    "resume": ("metalab.api.training", "resume"),
    "sweep": ("metalab.api.comparing", "sweep"),
    "train": ("metalab.api.training", "train"),
}
"""Module of each public name, and what it is called there."""

__all__ = [
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


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for (PEP 562)."""
    from importlib import import_module  # noqa: PLC0415 - with the first name

    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PLACES[name]
    found = getattr(import_module(module), attribute)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Return every name, those that are not loaded yet included."""
    return sorted({*globals(), *_PLACES})
