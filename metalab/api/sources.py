"""From what a script names, and the settings it changes, to one experiment."""

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from metalab.catalog.recipes import preset_named
from metalab.catalog.recipes import presets as preset_table
from metalab.catalog.recipes import recipes as recipe_table
from metalab.catalog.slots import SLOTS
from metalab.core.errors import UserError
from metalab.core.paths import is_there
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.experiment_file import experiment_of, read_experiment
from metalab.experiment.fields import (
    ConfigError,
    FieldProblem,
    fields_of,
    typed_problems,
    with_overrides,
)
from metalab.experiment.share_code import PREFIX, experiment_of_code

Source = str | os.PathLike[str] | Mapping[str, Any] | ExperimentConfig
"""Ways to name an experiment; see `experiment_from`."""

_OF_NO_FORM = ("name",)
"""Settings that have no field in a form."""

_SEED = "run.seed"
_MOST_NEAR = 3


def presets() -> tuple[str, ...]:
    """Return the names of all presets, published experiments that `train` takes.

    Those of plug-ins (METALAB_PLUGINS, or installed packages) are among them.
    """
    return tuple(preset_table())


def recipes() -> tuple[str, ...]:
    """Return the names of all recipes, methods such as "maml"; `train` takes them too."""
    return tuple(recipe_table())


def experiment_from(
    what: Source,
    *,
    seed: int | None = None,
    settings: Mapping[str, Any] | None = None,
    keywords: Mapping[str, Any] | None = None,
) -> ExperimentConfig:
    """Return the experiment that something names, with changes.

    Args:
        what: Name of a preset or of a recipe; a share code; the path of an experiment in
            TOML; a mapping of settings, nested as in TOML or by dotted paths, whose key
            "preset" names what they change; or the experiment itself.
        seed: Replaces `run.seed`.
        settings: Changes by dotted path, such as {"outer.num_steps": 500}.
        keywords: Changes by `path_of` of their names.

    Raises:
        ConfigError: Something is not allowed; names the field, the value, and what is.
        TypeError: A keyword means no setting or several, or a setting is given twice.
    """
    start = _start(what)
    changes = dict(settings or {})
    if seed is not None:
        _add(changes, _SEED, seed, "seed")
    for keyword, value in (keywords or {}).items():
        _add(changes, path_of(keyword, start), value, keyword)
    return _changed(start, changes)


def _add(changes: dict[str, Any], path: str, value: Any, keyword: str) -> None:
    if path in changes:
        raise TypeError(f"{keyword}: {path} is given twice")
    changes[path] = value


def _changed(start: ExperimentConfig, changes: Mapping[str, Any]) -> ExperimentConfig:
    # A component chosen anew resets its options: those that are given come after it.
    ordered = sorted(changes.items(), key=lambda item: not _chooses(item[0]))
    config = with_overrides(start, [(path, _plain(value)) for path, value in ordered])
    doubts = typed_problems(config, start)
    if doubts:
        raise ConfigError(doubts)
    return config


def _chooses(path: str) -> bool:
    return path in SLOTS or path.removesuffix(".kind") in SLOTS


def _plain(value: Any) -> Any:
    """Return numpy's numbers and arrays as plain ones, and paths as texts."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    plain = getattr(value, "tolist", None)
    return value if plain is None else plain()


def _start(what: Source) -> ExperimentConfig:
    if isinstance(what, ExperimentConfig):
        return what
    if isinstance(what, Mapping):
        return _of_mapping(what)
    if isinstance(what, str) and what.startswith(PREFIX):
        return experiment_of_code(what)
    if isinstance(what, str) and (what in preset_table() or what in recipe_table()):
        return experiment_of({"preset": _preset(what)})
    path = Path(what)
    if path.suffix.lower() == ".toml" or is_there(path):
        return read_experiment(path)
    near = difflib.get_close_matches(str(what), [*preset_table(), *recipe_table()])
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise ConfigError(
        [
            FieldProblem(
                "",
                f"{str(what)!r} is no preset, recipe, share code or file{hint}; "
                "metalab.presets() names the presets",
            )
        ]
    )


def _preset(name: str) -> str:
    try:
        return preset_named(name)
    except UserError as error:
        raise ConfigError([FieldProblem("", str(error))]) from error


def _of_mapping(content: Mapping[str, Any]) -> ExperimentConfig:
    nested = {key: value for key, value in content.items() if "." not in key}
    dotted = {key: value for key, value in content.items() if "." in key}
    named = nested.get("preset")
    if named in recipe_table():
        nested["preset"] = _preset(str(named))
    return _changed(experiment_of(nested), dotted)


def path_of(keyword: str, config: ExperimentConfig) -> str:
    """Return the dotted path of a setting that a keyword means.

    A keyword is the path with "_" for its dots, such as `outer_num_steps` and
    `tasks_family_noise`; or, where only one setting of the experiment is called so, its
    last word alone, such as `inner_lr`; or a place of a component, such as
    `hypergradient`, for its kind.

    Args:
        keyword: Name of an argument.
        config: The experiment that is changed.

    Raises:
        TypeError: It means no setting, or several.
    """
    own = [info.path for info in fields_of(config)]
    known = list(dict.fromkeys([*own, *SLOTS, *_OF_NO_FORM, *_of_all_kinds()]))
    written = [path for path in known if path.replace(".", "_") == keyword]
    if len(written) == 1:
        return written[0]
    for paths in (written, _ending(own, keyword), _ending(known, keyword)):
        if len(paths) == 1:
            return paths[0]
        if paths:
            raise TypeError(
                f"{keyword!r} is ambiguous: {' or '.join(map(_keyword, paths))}"
            )
    names = {_keyword(path): path for path in known}
    near = difflib.get_close_matches(keyword, names, n=_MOST_NEAR)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise TypeError(f"{keyword!r} is no setting{hint}")


def _keyword(path: str) -> str:
    return path.replace(".", "_")


def _ending(paths: list[str], word: str) -> list[str]:
    return [path for path in paths if path.rpartition(".")[2] == word]


def _of_all_kinds() -> Iterator[str]:
    """Yield the options of every component, since a keyword may choose another one."""
    for slot, registry in SLOTS.items():
        for model in registry.models.values():
            for option in model.model_fields:
                yield f"{slot}.{option}"
