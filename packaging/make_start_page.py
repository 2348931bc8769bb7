"""Measure what the first page shows, and train what can be dragged at once.

Run after a change of cards.toml:  python packaging/make_start_page.py [KEY ...]
It takes a minute; with keys of cards, their pictures alone are measured.
"""

import sys
from collections.abc import Callable

import numpy as np
import torch

from metalab.analysis.estimator_selection import select
from metalab.analysis.estimators import ComparisonPlan, compare
from metalab.engine.build import DTYPES, resolve_device
from metalab.engine.events import EvaluationDone, HeldOutTasks, RunStarted
from metalab.engine.trainer import Trainer
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import with_overrides
from metalab.ui.learn.cards import THUMBNAILS, all_cards
from metalab.ui.learn.experiments import config_of
from metalab.ui.learn.trained_start import CARD, FILE

Arrays = dict[str, np.ndarray]

TASK = 4
"""Held-out task of the adaptation picture: a large amplitude and both flanks."""

COUNTRY = "Bahrain"
"""Held-out country of the picture of a table: far from the mean curve, and bent."""

STEPS_BEFORE_DRAGGING = 1_000

INNER_STEPS = (1, 2, 3, 5, 8, 12, 20, 32, 50)


def run(preset: str, **overrides: object) -> tuple[HeldOutTasks, list[EvaluationDone]]:
    """Return held-out tasks and probes of a run; dots in names are written `__`."""
    changes = [(path.replace("__", "."), value) for path, value in overrides.items()]
    trainer = Trainer(with_overrides(preset_config(preset), changes))
    probes: list[EvaluationDone] = []
    tasks: HeldOutTasks | None = None
    for event in trainer.run():
        if isinstance(event, RunStarted):
            tasks = event.held_out_tasks
        elif isinstance(event, EvaluationDone):
            probes.append(event)
    assert tasks is not None
    return tasks, probes


def maml() -> Arrays:
    """Return how a trained initialisation adapts to one task."""
    tasks, probes = run("maml-sine", outer__num_steps=20_000)
    return {
        "grid": tasks.grid,
        "truth": tasks.true_curves[TASK].squeeze(),
        "support_x": tasks.support.x[TASK, :, 0],
        "support_y": tasks.support.y[TASK, :, 0],
        "curves": probes[-1].curves.curves[TASK].squeeze(),
    }


def gapminder() -> Arrays:
    """Return how a trained initialisation adapts to one country."""
    tasks, probes = run("maml-gapminder")
    task = tasks.names.index(COUNTRY)
    return {
        "grid": tasks.grid,
        "support_x": tasks.support.x[task, :, 0],
        "support_y": tasks.support.y[task, :, 0],
        "query_x": tasks.query.x[task, :, 0],
        "query_y": tasks.query.y[task, :, 0],
        "curves": probes[-1].curves.curves[task],
    }


def held_out(preset: str, **overrides: object) -> tuple[np.ndarray, np.ndarray]:
    """Return outer steps, and the mean held-out query loss after the last inner step."""
    _, probes = run(preset, **overrides)
    found = [probe.evaluation for probe in probes]
    steps = np.array([one.step for one in found], dtype=float)
    return steps, np.array([one.query_loss[:, -1].mean() for one in found])


def losses(*runs: tuple[np.ndarray, np.ndarray]) -> Arrays:
    """Return the held-out losses of runs, on a logarithmic scale."""
    return {"x": runs[0][0], "y": np.log10([loss for _, loss in runs])}


def reptile() -> Arrays:
    """Return the losses of MAML and Reptile."""
    short = {"outer__num_steps": 5_000, "evaluation__every": 250}
    return losses(held_out("maml-sine", **short), held_out("reptile-sine", **short))


def first_order() -> Arrays:
    """Return the cosine of first-order and exact hypergradient, by inner steps."""
    config: ExperimentConfig = preset_config("maml-sine")
    phi = Trainer(config).checkpoint().phi
    selection = select(
        config,
        phi,
        names=["first-order"],
        strength=2.0,
        dtype=DTYPES[config.run.precision],
        device=resolve_device(config),
    )
    plan = ComparisonPlan(num_inner_steps=INNER_STEPS, num_tasks=25, num_batches=8, seed=0)
    (block,) = compare(selection, plan)
    cosines = [row.accuracy[block.block.reference].cosine.mean for row in block.rows]
    return {
        "x": np.log10(INNER_STEPS),
        "y": np.array([np.ones(len(cosines)), cosines]),
    }


def break_it() -> Arrays:
    """Return the losses of MAML over 50 inner steps, with two inner learning rates."""
    long = {
        "inner__num_inner_steps": 50,
        "evaluation__num_inner_steps": 50,
        "outer__num_steps": 1_000,
        "evaluation__every": 50,
    }
    return losses(
        held_out("maml-sine", **long),
        held_out("maml-sine", inner__inner_lr=0.03, **long),
    )


PICTURES: dict[str, Callable[[], Arrays]] = {
    "maml": maml,
    "reptile": reptile,
    "first-order": first_order,
    "break-it": break_it,
    "gapminder": gapminder,
}


def train_start() -> None:
    """Train the experiment of a card for a while, and keep where it stands."""
    config = config_of(all_cards()[CARD])
    changes = [("outer.num_steps", STEPS_BEFORE_DRAGGING)]
    trainer = Trainer(with_overrides(config, changes))
    for _ in trainer.run():
        pass
    state = trainer.checkpoint()
    slots = {f"slot_{place}": values for place, values in enumerate(state.slots)}
    np.savez_compressed(FILE, step=state.step, phi=state.phi, **slots)
    print(FILE.name, state.step, state.phi.shape, list(slots))


def main() -> None:
    """Measure every picture, and train the start; with arguments, only those pictures."""
    torch.set_num_threads(1)
    wanted = sys.argv[1:]
    if not wanted:
        train_start()
    THUMBNAILS.mkdir(exist_ok=True)
    for key in wanted or PICTURES:
        arrays = {name: np.float32(values) for name, values in PICTURES[key]().items()}
        np.savez_compressed(THUMBNAILS / f"{key}.npz", **arrays)
        print(key, {name: values.shape for name, values in arrays.items()})


if __name__ == "__main__":
    main()
