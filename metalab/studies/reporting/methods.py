"""The methods paragraph: the protocol of an experiment in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from metalab import __version__
from metalab.catalog.recipes import Recipe
from metalab.catalog.slots import SLOTS
from metalab.experiment.changes import (
    defaults_of,
    is_default,
    setting_text,
    unit_of,
)
from metalab.experiment.config import ExperimentConfig, recipe_of
from metalab.experiment.fields import FieldInfo, fields_of
from metalab.figures.drawing import number_of
from metalab.figures.structure.blueprint import blueprint_of
from metalab.figures.structure.sentences import route_sentence

SOFTWARE = f"""@software{{metalab,
  title = {{metalab: a visual laboratory for bilevel optimisation in meta-learning}},
  version = {{{__version__}}},
}}"""


def methods_paragraph(config: ExperimentConfig) -> str:
    """Return how the experiment was made, as a paper's section on methods says it."""
    infos, recipe = fields_of(config), recipe_of(config)
    tasks, outer = config.tasks, config.outer
    family = _component(infos, "tasks.family")
    first = "The combination of parts is no published method."
    if recipe is not None:
        first = f"{recipe.title} ({recipe.source}). {recipe.summary}"
    loss = _component(infos, "loss")
    query_loss = _component(infos, "query_loss")
    query = "" if _is_default(config) else f"; on the query set: {query_loss}"
    size = f"{number_of(outer.num_steps, 'outer step')}"
    return " ".join(
        [
            first,
            f"Tasks: {family}; {number_of(tasks.num_shots, 'support point')} and "
            f"{number_of(tasks.num_queries, 'query point')} a task.",
            f"Model: {_component(infos, 'model')}.",
            f"Meta-parameters: {_component(infos, 'meta')}.",
            f"Inner loop: {_component(infos, 'inner')}. Loss: {loss}{query}.",
            f"Hypergradient: {_component(infos, 'hypergradient')}.",
            route_sentence(blueprint_of(config).structure()),
            f"Outer loop: {_component(infos, 'outer.optimizer')}; meta-batch of "
            f"{number_of(outer.num_tasks, 'task')}, {size}{_rest(infos, defaults_of(config))}.",
            f"Held-out evaluation: {number_of(config.evaluation.num_tasks, 'task')} never "
            f"trained on, {number_of(config.eval_shots, 'support point')} each, fixed by "
            f"the seed; training seed {config.run.seed}, {config.run.precision}.",
        ]
    )


def _is_default(config: ExperimentConfig) -> bool:
    return config.loss_of_queries is config.loss


def _component(infos: Sequence[FieldInfo], slot: str) -> str:
    """Return a component's title with its options: "Adam (outer lr 0.001, ...)"."""
    kind = next(info for info in infos if info.path == f"{slot}.kind")
    title = dict(kind.choices)[kind.value]
    options = [
        _option(info)
        for info in infos
        if info.path.startswith(f"{slot}.")
        and info.path != kind.path
        # What is switched off is no part of the protocol.
        and not info.spec.word_for(info.value)
    ]
    return f"{title} ({', '.join(options)})" if options else title


def _option(info: FieldInfo) -> str:
    label, word = info.spec.label, info.spec.word_for(info.value)
    if not label[1:2].isupper():
        label = label[:1].lower() + label[1:]
    unit = "" if word or unit_of(info) == "" else f" {unit_of(info)}"
    return f"{label} {setting_text(info, info.value)}{unit}"


_TOLD = {"outer.num_tasks", "outer.num_steps"}


def _rest(infos: Sequence[FieldInfo], defaults: Mapping[str, Any]) -> str:
    """Return the outer loop's other settings, where they are not the defaults."""
    others = [
        _option(info)
        for info in infos
        if info.group == "outer"
        and info.path not in _TOLD
        and not is_default(info, defaults)
        and not any(info.path.startswith(f"{slot}.") for slot in SLOTS)
    ]
    return "".join(f", {text}" for text in others)


def bibliography(recipes: Sequence[Recipe | None]) -> str:
    """Return the BibTeX of some methods, each entry once, and of this program."""
    entries = [entry for recipe in recipes if recipe for entry in recipe.bibtex]
    return "\n\n".join(dict.fromkeys([*entries, SOFTWARE]))
