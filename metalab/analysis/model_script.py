"""A program that adapts as a run does, with torch alone: put together from its parts.

Each part declares its own source (see `core.script`); what an experiment does not use does
not appear.
"""

import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from torch import Tensor

from metalab.core.errors import UserError
from metalab.core.loss.base import Loss
from metalab.core.script import (
    InnerSource,
    NamedTensor,
    PredictorSource,
    UnitsSource,
    code,
)
from metalab.engine.build import build_family, build_learner
from metalab.experiment.config import ExperimentConfig

_LINE = 88


class ScriptError(UserError):
    """A part of an experiment that has no source of torch alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelScript:
    """A program and the tensors that it reads.

    Attributes:
        text: The program.
        tensors: By name.
        units: The way from a task's own units to the network's.
    """

    text: str
    tensors: Mapping[str, NamedTensor]
    units: UnitsSource


def model_script(
    config: ExperimentConfig, phi: Tensor, *, title: str, origin: str
) -> ModelScript:
    """Return the program of an experiment at its meta-parameters.

    Args:
        config: The experiment.
        phi: Its meta-parameters, [meta].
        title: One line on the run.
        origin: One line on who wrote the program, and when.

    Raises:
        ScriptError: A part declares no source; names it.
    """
    learner, family = build_learner(config), build_family(config)
    problem, inner = learner.problem, learner.inner
    model, meta = problem.model, problem.meta
    own, rates = phi[: problem.meta_dim], phi[problem.meta_dim :]
    # The network first: what is adapted is told in its names.
    _ = _declared("model", model, "module_source", lambda: model.module_names() or None)
    predictor = _declared(
        "meta", meta, "predictor_source", lambda: meta.predictor_source(model, own)
    )
    network = _declared(
        "model", model, "module_source", lambda: model.module_source(predictor.use)
    )
    steps = _declared(
        "inner",
        inner,
        "step_source",
        lambda: inner.step_source(
            dict(zip(predictor.adapted, problem.adapted, strict=True)), rates
        ),
    )
    units = _declared("tasks.family", family, "units_source", family.units_source)
    targets = family.output_dim if model.output_dim > family.output_dim else None
    sizes = model.output_dim, family.output_dim
    losses = [_loss("loss", problem.loss, *sizes)]
    if problem.outer_level_loss != problem.loss:
        losses.append(_loss("query_loss", problem.outer_level_loss, *sizes))
    values = {
        "about": _about(title, origin),
        "dtype": phi.dtype,
        "steps": config.num_inner_steps,
        "constants": f"\n{units.constants}" if units.constants else "",
        "network": network,
        "functions": "".join(
            f"\n\n{text}\n" for text in _functions(predictor, steps) if text
        ),
        "adapted": "" if steps.solves else f"\n{_names(predictor.adapted)}",
        "points": code(_POINTS if units.are_own else _UNITS, **_expressions(units)),
        "losses": _losses(losses),
        "adapt": _adapt(predictor, steps, units, targets),
        "main": code(
            _MAIN,
            query_loss="inner_loss" if len(losses) == 1 else "query_loss",
            **_measured(units, predicts_noise=targets is not None),
        ),
    }
    text = re.sub(r"\n +(?=\n)", "", code(_PROGRAM, **values))
    text = text.replace("import math\n", "") if "math." not in text else text
    tensors = {**predictor.tensors, **steps.tensors}
    return ModelScript(text=text + "\n", tensors=tensors, units=units)


def _declared(place: str, part: Any, name: str, ask: Callable[[], Any]) -> Any:
    """Return the source of a part.

    Raises:
        ScriptError: It declares none, or inherits one that is not about itself.
    """
    found = ask() if _answers_for_itself(type(part), name) else None
    if found is None:
        raise ScriptError(
            f"{place} is {part.name!r}, which declares no source that needs torch alone "
            f"({name}); no model.py can be written for it"
        )
    return found


def _answers_for_itself(kind: type[Any], name: str) -> bool:
    """Return whether a source is about the very class, not about one that it changes.

    Of ours, the tests hold that; a class of a third party may inherit source and compute
    something else.
    """
    for owner in kind.__mro__:
        if name in vars(owner) or owner.__module__.startswith("metalab."):
            return True
        changes = (FunctionType, property, classmethod, staticmethod)
        if any(
            isinstance(value, changes) and not key.startswith("__")
            for key, value in vars(owner).items()
        ):
            return False
    return False


def _loss(place: str, loss: Loss, num_outputs: int, num_targets: int) -> str:
    """Return the body of the function of a loss."""
    found = _declared(place, loss, "torch_expression", loss.torch_expression)
    taken = loss.num_outputs(num_targets)
    if taken == num_outputs:
        return f"return {found}"
    # The others are the noise that the loss of the other level takes.
    return f"prediction = prediction[:, :{taken}]\nreturn {found}"


def _about(title: str, origin: str) -> str:
    # A name may hold quotes, which would end the docstring.
    lines = [title, "", *_USE, "", origin]
    return "\n".join(
        textwrap.fill(line.replace('"', "'").replace("\\", "/"), _LINE)
        for line in lines
    )


_USE = (
    "`adapt(x, y)` takes a support set in its own units, lists or tensors, [point] or "
    "[point, column], and returns the adapted network as a function of x. Needs torch, and "
    "weights.safetensors beside this file. As a program, it adapts to the examples in "
    "weights.json and compares their losses with the run's.",
)


def _functions(predictor: PredictorSource, steps: InnerSource) -> tuple[str, ...]:
    """Return what stands between network and losses."""
    shaping = predictor.solve if steps.solves else predictor.regulariser
    return predictor.source, shaping, steps.functions


def _names(names: tuple[str, ...]) -> str:
    """Return names as a tuple that fits the line."""
    line = f"ADAPTED = {names!r}"
    if len(line) <= _LINE:
        return line.replace("'", '"')
    filled = textwrap.fill(", ".join(f'"{name}"' for name in names) + ",", _LINE - 4)
    return "ADAPTED = (\n" + textwrap.indent(filled, "    ") + "\n)"


def _expressions(units: UnitsSource) -> dict[str, str]:
    return {
        "inputs": re.sub(r"\bx\b", "points(x)", units.inputs),
        "targets": re.sub(r"\by\b", "points(y)", units.targets),
    }


def _losses(losses: list[str]) -> str:
    """Return the functions of one or both losses."""
    named = zip(("inner_loss", "query_loss"), losses, strict=False)
    return "\n\n\n".join(
        f"def {name}(prediction, target):\n    {_indented(body, 4)}"
        for name, body in named
    )


def _adapt(
    predictor: PredictorSource,
    steps: InnerSource,
    units: UnitsSource,
    targets: int | None,
) -> str:
    """Return the function `adapt`.

    Args:
        predictor: What is adapted.
        steps: How.
        units: The way to a task's own units.
        targets: How many of the network's outputs are the prediction, where there are
            more; None for all.
    """
    given, own = ("inputs(x)", "targets(y)")
    if units.are_own:
        given, own = "points(x)", "points(y)"
    see = (
        "with torch.no_grad():\n    predictor.see(x, y)"
        if predictor.sees_support
        else ""
    )
    before = "\n".join(part for part in (see, steps.before) if part)
    if steps.solves:
        loop = "if steps > 0:\n    solve(predictor, x, y)"
    else:
        loop = code(
            _LOOP,
            before=before,
            loss=_indented(_loss_of_step(predictor, steps), 4),
            step=_indented(steps.step, 4),
        )
    outputs = f"predictor({given})"
    predicted = outputs if targets is None else f"outputs(x)[:, :{targets}]"
    exact = predicted if units.are_own else f"{predicted}.double()"
    predict = code(
        _PREDICT if targets is None else _PREDICT_WITH_NOISE,
        outputs=outputs,
        returned=re.sub(r"\by\b", exact, units.own_targets),
    )
    return code(
        _ADAPT,
        given=f"x, y = {given}, {own}",
        predictor=predictor.predictor,
        loop=_indented(loop, 4),
        predict=_indented(predict, 4),
    )


def _loss_of_step(predictor: PredictorSource, steps: InnerSource) -> str:
    lines: list[str] = []
    x, y, size = "x", "y", steps.batch_size
    if size:
        lines.append(f"start = {size} * (number % -(-len(x) // {size}))")
        lines.append(f"part = slice(start, start + {size})")
        x, y = "x[part]", "y[part]"
    loss = f"inner_loss(predictor({x}), {y})"
    penalty = "regulariser(predictor, len(x))"
    if steps.pulls_at is not None:
        lines.append(f"pulls = number == {steps.pulls_at}")
        loss = f"{penalty} if pulls else {loss}"
    elif predictor.regulariser:
        loss = f"{loss} + {penalty}"
    return "\n".join([*lines, f"loss = {loss}"])


def _indented(text: str, width: int) -> str:
    return textwrap.indent(text, " " * width).lstrip()


def _measured(units: UnitsSource, *, predicts_noise: bool) -> dict[str, str]:
    if predicts_noise:
        target = "points" if units.are_own else "targets"
        return {
            "prediction": 'predict.outputs(query["x"])',
            "target": f'{target}(query["y"])',
        }
    if units.are_own:
        return {"prediction": 'predict(query["x"])', "target": 'points(query["y"])'}
    return {
        "prediction": 'targets(predict(query["x"]))',
        "target": 'targets(query["y"])',
    }


_PROGRAM = """
'''<about>
'''

import json
import math
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

HERE = Path(__file__).parent
DTYPE = <dtype>
STEPS = <steps>  # inner steps K of training<adapted><constants>


def read_tensors(path):
    '''Return the tensors of a safetensors file: a header in JSON, then numbers.'''
    content = path.read_bytes()
    end = 8 + int.from_bytes(content[:8], "little")
    numbers = torch.frombuffer(bytearray(content[end:]), dtype=DTYPE)
    tensors = {}
    for name, entry in json.loads(content[8:end]).items():
        if name != "__metadata__":
            start, stop = (at // DTYPE.itemsize for at in entry["data_offsets"])
            tensors[name] = numbers[start:stop].reshape(entry["shape"])
    return tensors


WEIGHTS = read_tensors(HERE / "weights.safetensors")


<network>
<functions>

<losses>


<points>


<adapt>


<main>
"""

_POINTS = """
def points(values):
    '''Return the numbers of a task as [point, column].'''
    values = torch.as_tensor(values, dtype=torch.float64).to(DTYPE)
    return values[:, None] if values.ndim == 1 else values
"""

_UNITS = """
def points(values):
    '''Return numbers in their own units as [point, column].'''
    values = torch.as_tensor(values, dtype=torch.float64)
    return values[:, None] if values.ndim == 1 else values


def inputs(x):
    return (<inputs>).to(DTYPE)


def targets(y):
    return (<targets>).to(DTYPE)
"""

_ADAPT = """
def adapt(x, y, steps=STEPS):
    '''Return the network adapted to the points of one task: a function of x.'''
    <given>
    predictor = <predictor>().to(DTYPE).requires_grad_(False)
    predictor.load_state_dict({name: WEIGHTS[name] for name in predictor.state_dict()})
    <loop>

    <predict>

    return predict
"""

_PREDICT = """
@torch.no_grad()
def predict(x):
    return <returned>
"""

_PREDICT_WITH_NOISE = """
@torch.no_grad()
def outputs(x):
    return <outputs>  # the prediction, and what its noise is made of

def predict(x):
    return <returned>

predict.outputs = outputs
"""

_LOOP = """
adapted = [predictor.get_parameter(name).requires_grad_() for name in ADAPTED]
<before>
for number in range(steps):
    <loss>
    grads = torch.autograd.grad(loss, adapted, materialize_grads=True)
    <step>
"""

_MAIN = """
if __name__ == "__main__":
    about = json.loads((HERE / "weights.json").read_text("utf-8"))
    for example in about["examples"]:
        support, query, steps = example["support"], example["query"], example["steps"]
        predict = adapt(support["x"], support["y"], steps)
        loss = float(<query_loss>(<prediction>, <target>))
        told = f"query loss {loss:.9g}, in the run {example['query_loss']:.9g}"
        print(f"{example['task']}, inner step {steps}: {told}")
"""
