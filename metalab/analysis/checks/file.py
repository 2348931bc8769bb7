"""Every check of everything that a plug-in file brings."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from metalab.analysis.checks.estimators import checks_of_estimator
from metalab.analysis.checks.inner_loops import checks_of_inner_loop
from metalab.analysis.checks.losses import checks_of_loss
from metalab.analysis.checks.metas import checks_of_meta
from metalab.analysis.checks.models import checks_of_model
from metalab.analysis.checks.others import checks_of_family, checks_of_optimizer
from metalab.analysis.checks.verdict import Check, Outcome, Verdict, carried_out
from metalab.catalog.recipes import plugins
from metalab.catalog.slots import SLOTS
from metalab.engine.torch_threads import use_threads
from metalab.experiment.plugins import plugin_problems, usable_presets

_CHECKS: Mapping[str, Callable[[Any], Mapping[str, Check]]] = {
    "tasks.family": checks_of_family,
    "model": checks_of_model,
    "loss": checks_of_loss,
    "meta": checks_of_meta,
    "inner": checks_of_inner_loop,
    "hypergradient": checks_of_estimator,
    "outer.optimizer": checks_of_optimizer,
}


def check_file(path: Path, problems: tuple[str, ...] = ()) -> Iterator[Verdict]:
    """Try everything that a plug-in file brings.

    Args:
        path: The file, as it was loaded.
        problems: What is wrong with figures, which this layer does not know.

    Yields:
        A verdict a check, as soon as it is known; first what could not be registered.
    """
    # Of a few points each: on a busy machine a second thread waits more than it computes.
    use_threads(1)
    of_file = f"plug-in {path}"
    for problem in (*plugin_problems(), *problems):
        if of_file in problem:
            yield Verdict(
                component=path.name,
                check="registered",
                outcome=Outcome.FAIL,
                reason=problem,
            )
    for place, registry in SLOTS.items():
        for name, file in registry.files.items():
            # A loss stands in two places, and owes the same in both.
            if file.path == path and place in _CHECKS:
                checks = _CHECKS[place](registry.components[name])
                title = f"{registry.slot} {name!r}"
                yield from carried_out(title, checks, str(path))
    usable = usable_presets()
    for recipe, owner in plugins().values:
        if owner == of_file and all(p.name in usable for p in recipe.presets):
            yield Verdict(
                component=f"recipe {recipe.name!r}",
                check="presets are experiments",
                outcome=Outcome.PASS,
                reason=f"{len(recipe.presets)} presets",
            )
