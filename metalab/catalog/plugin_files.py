"""Files of somebody's own code: named before the registries are made, then run once.

They are named by `--plugin FILE` on the command line, or by the window, which asks first;
never by a run, a share code, a lesson or an experiment. The names stand in an environment
variable, so that processes which metalab starts have the same components. Importing this
module does not import torch.
"""

import ast
import hashlib
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from metalab.core.errors import UserError, line_in, told
from metalab.core.paths import obstacle_to_read

VARIABLE = "METALAB_PLUGINS"
"""Environment variable: the files, as in PATH."""

MOST_BYTES = 10_000_000
_RUNNING: list[Path] = []
"""Files that are being run: one that imports what is made of plug-ins comes back here."""

_SHOWN_LETTERS = 16


class PluginError(UserError):
    """A file that cannot be used as a plug-in; the message names it, and its line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginFile:
    """A file of somebody's own code.

    Attributes:
        path: Where it is.
        digest: SHA-256 of its content, in hexadecimal.
    """

    path: Path
    digest: str

    def __str__(self) -> str:
        """Return name and content in words: "lstm.py (sha256 3fa94c2d91b07e55)"."""
        return f"{self.path.name} (sha256 {self.digest[:_SHOWN_LETTERS]})"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedFile:
    """Definitions of a plug-in file.

    Attributes:
        file: The file.
        values: What it defines that is public, by name.
        lines: Where its classes and values stand.
        problem: Why it could not be run; "" if it was.
    """

    file: PluginFile
    values: Mapping[str, Any]
    lines: Mapping[str, int]
    problem: str = ""

    def place(self, name: str) -> str:
        """Return where a value stands, for messages."""
        line = self.lines.get(name)
        return (
            f"{self.file.path}, line {line}" if line else f"{name} of {self.file.path}"
        )


def name_files(paths: Iterable[Path]) -> None:
    """Have files loaded when the registries are made, here and in child processes.

    Args:
        paths: The files; those that are named already change nothing.

    Raises:
        PluginError: One cannot be read, or is no Python; or it comes too late.
    """
    known = named_files()
    added = [found.path for found in map(look_at, paths) if found.path not in known]
    if not added:
        return
    if loaded_files.cache_info().currsize:
        raise PluginError(
            f"{added[0]} comes too late: plug-ins are loaded at the start"
        )
    everything = dict.fromkeys((*known, *added))
    os.environ[VARIABLE] = os.pathsep.join(map(str, everything))


def named_files() -> tuple[Path, ...]:
    """Return the files that are to be loaded."""
    written = os.environ.get(VARIABLE, "").split(os.pathsep)
    return tuple(Path(name) for name in written if name)


def look_at(path: Path) -> PluginFile:
    """Return a file without running it.

    Raises:
        PluginError: It cannot be read, or is no Python.
    """
    return _read(path)[0]


@cache
def loaded_files() -> tuple[LoadedFile, ...]:
    """Run every file that is named, once in this process."""
    return tuple(_loaded(path) for path in named_files())


def are_loaded() -> bool:
    """Return whether no file is left to be run."""
    return not named_files() or loaded_files.cache_info().currsize > 0


def file_problems() -> tuple[str, ...]:
    """Return which files could not be run and why, a sentence each."""
    return tuple(loaded.problem for loaded in loaded_files() if loaded.problem)


def fault_in(error: BaseException) -> str | None:
    """Return an error that arose in a plug-in, with file and line; None for any other.

    Args:
        error: As it was caught while a plug-in's part was at work.
    """
    for path in named_files() if are_loaded() else ():
        if line_in(error, str(path)) is not None:
            return _told(path, error)
    return None


def _read(path: Path) -> tuple[PluginFile, ast.Module]:
    where = Path(os.path.realpath(path))
    obstacle = obstacle_to_read(where)
    if obstacle is not None:
        raise PluginError(f"plug-in {path} cannot be read: {obstacle}")
    if where.suffix != ".py":
        raise PluginError(f"plug-in {path} ends in {where.suffix!r}; allowed: .py")
    if os.pathsep in str(where):
        raise PluginError(f"plug-in {path} has {os.pathsep!r} in its path")
    try:
        content = where.read_bytes()
    except OSError as error:
        raise PluginError(f"plug-in {path} cannot be read: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise PluginError(f"plug-in {path} has more than {MOST_BYTES:,} bytes")
    file = PluginFile(path=where, digest=hashlib.sha256(content).hexdigest())
    try:
        return file, ast.parse(content, filename=str(where))
    except (SyntaxError, ValueError, RecursionError) as error:
        raise PluginError(_told(where, error)) from error


def _loaded(path: Path) -> LoadedFile:
    if _RUNNING:
        raise ImportError(
            "it imports what is made of plug-ins; allowed: metalab.core, metalab.tasks, "
            "metalab.catalog.recipes, metalab.figures"
        )
    _RUNNING.append(path)
    try:
        return _run(path)
    finally:
        _RUNNING.clear()


def _run(path: Path) -> LoadedFile:
    file, values = PluginFile(path=path, digest=""), dict[str, Any]()
    try:
        file, tree = _read(path)
        lines, imported = _lines(tree), _imported(tree)
        module = ModuleType(f"metalab_plugin_{path.stem}_{file.digest[:8]}")
        module.__file__ = str(file.path)
        # Dataclasses and annotations look their module up by its name.
        sys.modules[module.__name__] = module
        # Not by importlib, which would read the file again: what runs is what was hashed.
        exec(compile(tree, str(file.path), "exec"), module.__dict__)
        for name, value in vars(module).items():
            own = not isinstance(value, type) or value.__module__ == module.__name__
            if own and name not in imported and not name.startswith("_"):
                values[name] = value
    except PluginError as error:
        return LoadedFile(file=file, values={}, lines={}, problem=str(error))
    # A file that ends the process when it is run ends nothing here.
    except (Exception, SystemExit) as error:  # noqa: BLE001 - anybody's code
        problem = _told(file.path, error)
        return LoadedFile(file=file, values={}, lines={}, problem=problem)
    return LoadedFile(file=file, values=values, lines=lines)


def _lines(tree: ast.Module) -> dict[str, int]:
    """Return where the classes and values of a file stand."""
    lines: dict[str, int] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            lines[node.name] = node.lineno
        elif isinstance(node, ast.Assign):
            names = [n.id for n in node.targets if isinstance(n, ast.Name)]
            lines |= dict.fromkeys(names, node.lineno)
    return lines


def _imported(tree: ast.Module) -> set[str]:
    """Return the names that a file has from elsewhere."""
    return {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def _told(path: Path, error: BaseException) -> str:
    line = line_in(error, str(path))
    where = f"{path}, line {line}" if line else str(path)
    return f"plug-in {where}: {told(error)}"
