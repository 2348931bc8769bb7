"""`--plugin FILE` of every command: files of a person's own code."""

from collections.abc import Sequence
from pathlib import Path

from metalab.catalog.plugin_files import PluginError, name_files, named_files

OPTION = "--plugin"
HELP = (
    "A Python file whose tasks, models, losses, estimators, inner loops, recipes and "
    "figures join metalab's own. Repeatable. It is code, and runs with your rights."
)
_ASK_FOR_HELP = {"-h", "--help", "--version"}


def split_plugins(arguments: Sequence[str]) -> tuple[list[str], list[Path]]:
    """Take the plug-ins out of the arguments, wherever they stand.

    They have to be known before anything is imported that is made of components.

    Returns:
        The other arguments, and the files.

    Raises:
        PluginError: The last argument is `--plugin`, without a file.
    """
    rest: list[str] = []
    files: list[Path] = []
    remaining = iter(arguments)
    for argument in remaining:
        name, sign, value = argument.partition("=")
        if name != OPTION:
            rest.append(argument)
            if argument == "--":
                break
            continue
        given = value if sign else next(remaining, "")
        if not given:
            raise PluginError(f"{OPTION} is without a file; allowed: {OPTION} FILE")
        files.append(Path(given))
    return [*rest, *remaining], files


def add_plugins(
    files: Sequence[Path], arguments: Sequence[str], *, opens_window: bool
) -> None:
    """Name plug-ins, and run them where a command is to be carried out.

    The window runs them behind itself, and shows what is wrong with them in Problems.

    Args:
        files: The plug-ins.
        arguments: The other arguments.
        opens_window: Whether they are a file to be opened.

    Raises:
        PluginError: One cannot be used; names file, line and reason.
    """
    name_files(files)
    commands = arguments and not arguments[0].startswith("-")
    if not named_files() or not commands or opens_window:
        return
    if _ASK_FOR_HELP.isdisjoint(arguments):
        from metalab.experiment.plugins import check_files  # noqa: PLC0415 - torch
        from metalab.figures.registry import figure_problems  # noqa: PLC0415

        check_files(figure_problems())
