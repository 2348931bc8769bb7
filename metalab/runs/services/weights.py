"""A run's meta-parameters as files that need no metalab: tensors, facts and a program."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import torch

import metalab
from metalab.analysis.model_script import ModelScript, model_script
from metalab.core.errors import UserError
from metalab.core.paths import (
    filled_folder,
    is_there,
    obstacle_to_fill,
    obstacle_to_replace,
    obstacle_to_write,
)
from metalab.core.tasks import Samples
from metalab.engine.build import DTYPES, build_learner
from metalab.engine.events import Array, Checkpoint, Evaluation
from metalab.engine.held_out import HeldOutEvaluation, held_out_evaluation
from metalab.experiment.config import ExperimentConfig
from metalab.runs.record.reader import StoredRun
from metalab.runs.services.snapshots import state_at

WEIGHTS_FILES = ("weights.safetensors", "weights.json", "model.py")

_MOST_EXAMPLES = 4


class WeightsError(UserError):
    """A folder that the files cannot be written to."""


def export_weights(
    run: StoredRun,
    folder: Path,
    which: int | str | None = None,
    *,
    force: bool = False,
) -> int:
    """Write the meta-parameters of a run to a folder, with a program that adapts them.

    All of `WEIGHTS_FILES` appear under their names, or none.

    Args:
        run: The run.
        folder: Where to; it is made, its own folder has to be there.
        which: The moment of the run, as `snapshots.state_at` takes it.
        force: Whether to replace files that are there.

    Returns:
        The outer step of the meta-parameters.

    Raises:
        WeightsError: The folder cannot be written to, or holds such files already.
        ScriptError: A part of the experiment has no source of torch alone.
        RunFileError: The run holds no such state.
    """
    check_folder(folder, force=force)
    state = state_at(run, which)
    config = run.history.config_at(state.step)
    phi = torch.tensor(state.phi, dtype=DTYPES[config.run.precision])
    script = model_script(
        config,
        phi,
        title=f"{run.history.name} after outer step {state.step:,}",
        origin=f"Written by metalab {metalab.__version__}; experiment {config.digest()}, "
        f"seed {config.run.seed}.",
    )
    facts = _facts(run, config, state, phi, script)
    _write(
        folder,
        {
            "weights.safetensors": _tensors(script),
            "weights.json": (json.dumps(facts, indent=2) + "\n").encode(),
            "model.py": script.text.encode(),
        },
    )
    return state.step


def check_folder(folder: Path, *, force: bool) -> None:
    """Refuse a folder that the files cannot be written to.

    Raises:
        WeightsError: Says why.
    """
    files = [folder / name for name in WEIGHTS_FILES]
    obstacle = obstacle_to_fill(folder)
    if obstacle is None and is_there(folder):
        found = (obstacle_to_write(file) for file in files)
        obstacle = next((text for text in found if text), None)
    if obstacle is not None:
        raise WeightsError(f"cannot write to {folder}: {obstacle}")
    obstacle = obstacle_to_replace(files, force=force)
    if obstacle is not None:
        raise WeightsError(obstacle)


def _write(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write files beside their folder, then move them there.

    Raises:
        WeightsError: They cannot be written; what was there stays.
    """
    try:
        with filled_folder(folder) as part:
            for name, content in contents.items():
                (part / name).write_bytes(content)
    except OSError as error:
        raise WeightsError(f"cannot write to {folder}: {error.strerror}") from error


def _tensors(script: ModelScript) -> bytes:
    arrays = {
        name: np.ascontiguousarray(tensor.values.numpy())
        for name, tensor in script.tensors.items()
    }
    return safetensors.numpy.save(arrays)


def _facts(
    run: StoredRun,
    config: ExperimentConfig,
    state: Checkpoint,
    phi: torch.Tensor,
    script: ModelScript,
) -> dict[str, Any]:
    """Return what the tensors are, and what the run measured with them."""
    held_out = held_out_evaluation(
        config, build_learner(config), device=torch.device("cpu")
    )
    evaluation, _ = held_out.evaluate(phi, state.step)
    units = config.loss_words
    return {
        "metalab": metalab.__version__,
        "name": run.history.name,
        "preset": config.preset,
        "digest": config.digest(),
        "outer_step": state.step,
        "config": config.to_mapping(),
        "tensors": {
            name: {
                "shape": list(tensor.values.shape),
                "meaning": tensor.meaning,
                "learned": tensor.learned,
            }
            for name, tensor in script.tensors.items()
        },
        "units": {
            "inputs": script.units.inputs,
            "targets": script.units.targets,
            "own_targets": script.units.own_targets,
            "constants": script.units.constants,
        },
        "evaluation": {
            "num_tasks": held_out.batch.num_tasks,
            "inner_step": list(range(config.num_shown_steps + 1)),
            "query_loss": _numbers(evaluation.query_loss.mean(axis=0)),
            "query_loss_unit": units.query_unit,
            "support_loss": _numbers(evaluation.support_loss.mean(axis=0)),
            "support_loss_unit": units.support_unit,
        },
        "examples": _examples(held_out, evaluation),
    }


def _examples(
    held_out: HeldOutEvaluation, evaluation: Evaluation
) -> list[dict[str, Any]]:
    """Return the first held-out tasks; none of data that must not travel."""
    if not held_out.family.may_travel:
        return []
    tasks, last = held_out.describe(), held_out.num_inner_steps
    return [
        {
            "task": tasks.title(task),
            "support": _points(held_out, held_out.batch.support, task),
            "query": _points(held_out, held_out.batch.query, task),
            "steps": last,
            "query_loss": float(evaluation.query_loss[task, last]),
        }
        for task in range(min(_MOST_EXAMPLES, held_out.batch.num_tasks))
    ]


def _points(held_out: HeldOutEvaluation, samples: Samples, task: int) -> dict[str, Any]:
    """Return the points of a task in their own units, those that count."""
    # In float64 there and back gives the very numbers that the network was given.
    x = held_out.family.own_inputs(samples.x[task].double())
    y = held_out.family.own_targets(samples.y[task].double())
    if samples.mask is not None:
        counts = samples.mask[task] > 0
        x, y = x[counts], y[counts]
    return {"x": x.tolist(), "y": y.tolist()}


def _numbers(values: Array) -> list[float | None]:
    """Return numbers as JSON knows them: None for what is not finite."""
    return [float(value) if np.isfinite(value) else None for value in values]
