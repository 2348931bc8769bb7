"""The least-squares oracle of the sine tasks: it knows their form."""

from metalab.catalog.recipes import Preset, Recipe

RECIPE = Recipe(
    name="oracle",
    title="Least-squares oracle",
    family="Baselines",
    synonyms=("upper bound", "known answer"),
    source="linear least squares in the basis {sin x, cos x}",
    summary="Knows that every task is a sine of frequency 1 and fits its two numbers to "
    "the support set: the best that any method could do.",
    parts={
        "model": {"kind": "sine-basis"},
        "meta": {"kind": "ridge-head", "strength_is": "fixed"},
        "inner": {"kind": "closed-form"},
        "hypergradient": {"kind": "unrolled"},
        "outer": {"optimizer": {"kind": "none"}},
    },
    presets=(
        Preset(
            name="oracle-sine",
            title="Least-squares oracle on sines, 10 shots",
            source="two unknowns, so two noise-free points determine a task; the ridge "
            "strength 1e-6 only keeps the system regular",
            settings={
                "tasks": {
                    "family": {"kind": "sinusoid"},
                    "num_shots": 10,
                    "num_queries": 10,
                },
                "model": {"kind": "sine-basis"},
                "meta": {
                    "kind": "ridge-head",
                    "strength": 1e-6,
                    "strength_is": "fixed",
                },
                "inner": {"kind": "closed-form", "num_inner_steps": 1},
                "outer": {
                    "num_tasks": 25,
                    "num_steps": 100,
                    "optimizer": {"kind": "none"},
                },
                "evaluation": {"num_inner_steps": 1},
            },
        ),
    ),
)
