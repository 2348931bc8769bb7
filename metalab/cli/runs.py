"""`metalab runs`: the library of runs, listed, labelled and thrown away."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from metalab.cli.output import delivered, print_json, warn
from metalab.core.errors import UserError
from metalab.runs.library.filter import parse_filter
from metalab.runs.library.labels import LabelChange
from metalab.runs.library.naming import run_named
from metalab.runs.library.order import grouped, sorted_entries
from metalab.runs.system.home import runs_folder

if TYPE_CHECKING:
    from metalab.runs.library.library import Look
    from metalab.runs.library.marking import Marked

_LIST = "list"
SOME_FAILED = 1
"""Exit code where some of the runs could not be changed."""


class _RunsGroup(TyperGroup):
    """Commands of which the first one, the list, need not be named."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take what is no command as the arguments of the list."""
        if not args or (
            args[0] not in self.commands and args[0] not in ("-h", "--help")
        ):
            args = [_LIST, *args]
        return super().parse_args(ctx, args)


runs_app = typer.Typer(
    cls=_RunsGroup,
    name="runs",
    help="List the runs of a folder, label them, or move them to the trash.",
    epilog="Without a command, the arguments are those of `list`: "
    "metalab runs 'method:maml k>5 loss<0.4'.",
    no_args_is_help=False,
)

Folder = Annotated[
    Path | None,
    typer.Option(help="Library to use; by default the folder that runs are kept in."),
]
Runs = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN...",
        help="Run files, or the ends of their names as the list shows.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value on stdout.")]


@runs_app.command(_LIST)
def list_runs(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILTER]",
            help="Words that narrow the list: text of the name, method:maml, "
            "tag:thesis, state:diverged, seed:3, loss<0.4, k>5, created>=2026-11-01, or "
            "a setting such as inner.inner_lr=0.01; '-' before one turns it round "
            "(behind '--' for the first of them). Archived runs are left out unless it "
            "says archived:yes.",
        ),
    ] = None,
    folder: Folder = None,
    sort: Annotated[
        str, typer.Option(metavar="FIELD", help="Order; '-' before it turns it round.")
    ] = "-created",
    group: Annotated[
        bool,
        typer.Option("--group", help="One row for runs that differ by seeds alone."),
    ] = False,
    json_output: AsJson = False,
) -> int:
    """List the runs of a folder."""
    text = " ".join(words or ())
    # Read before anything is looked at: a slip of the pen costs no wait.
    parse_filter(text)
    look = _look(_library_folder(folder))
    settings = {path for entry in look.entries for path in entry.config}
    fits = parse_filter(text, settings)
    shown = [entry for entry in look.entries if fits(entry)]
    field = sort.removeprefix("-")
    shown = sorted_entries(shown, field, descending=sort.startswith("-"))
    from metalab.cli.runs_table import entry_facts, group_facts, print_runs  # noqa: PLC0415

    if not json_output:
        print_runs(shown, look.entries, folder=_library_folder(folder), by_group=group)
    elif group:
        print_json([group_facts(found) for found in grouped(shown)])
    else:
        print_json([entry_facts(entry) for entry in shown])
    return delivered()


@runs_app.command()
def tag(
    tags: Annotated[str, typer.Argument(metavar="TAG", help="Tags, commas between.")],
    runs: Runs,
    folder: Folder = None,
    json_output: AsJson = False,
) -> int:
    """Add tags to runs."""
    change = LabelChange(add_tags=tuple(tags.split(",")))
    return _mark(runs, change, folder, json_output=json_output)


@runs_app.command()
def untag(
    tags: Annotated[str, typer.Argument(metavar="TAG", help="Tags, commas between.")],
    runs: Runs,
    folder: Folder = None,
    json_output: AsJson = False,
) -> int:
    """Take tags away from runs."""
    change = LabelChange(remove_tags=tuple(tags.split(",")))
    return _mark(runs, change, folder, json_output=json_output)


@runs_app.command()
def note(
    text: Annotated[str, typer.Argument(metavar="TEXT", help='"" removes the note.')],
    runs: Runs,
    folder: Folder = None,
    json_output: AsJson = False,
) -> int:
    """Write a note on runs, in the place of the one before."""
    return _mark(runs, LabelChange(note=text), folder, json_output=json_output)


@runs_app.command()
def rename(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The new name.")],
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run.")],
    folder: Folder = None,
    json_output: AsJson = False,
) -> int:
    """Give a run another name; its file keeps its own."""
    return _mark([run], LabelChange(name=name), folder, json_output=json_output)


@runs_app.command()
def archive(
    runs: Runs,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take them back into the list.")
    ] = False,
    folder: Folder = None,
    json_output: AsJson = False,
) -> int:
    """Leave runs out of the list, or take them back; their files stay."""
    change = LabelChange(archived=not undo)
    return _mark(runs, change, folder, json_output=json_output)


@runs_app.command()
def trash(runs: Runs, folder: Folder = None, json_output: AsJson = False) -> int:
    """Move run files to the platform's trash."""
    from metalab.runs.library.library import check_free  # noqa: PLC0415 - torch
    from metalab.runs.library.trash import move_to_trash  # noqa: PLC0415 - torch

    paths = _paths(runs, _library_folder(folder))
    # All are looked at before the first one is moved.
    for path in paths:
        check_free(path)
    moved = [move_to_trash(path) for path in paths]
    if json_output:
        print_json(
            [{"file": str(m.path), "place": m.place and str(m.place)} for m in moved]
        )
    else:
        for one in moved:
            print(f"{one.path.name} is in the trash")
    return delivered()


def _library_folder(folder: Path | None) -> Path:
    """Return the library that is meant.

    Raises:
        UserError: There is no such folder.
    """
    if folder is None:
        return runs_folder()
    if not folder.is_dir():
        raise UserError(f"--folder is {folder}; allowed: a folder that is there")
    return folder.absolute()


def _look(folder: Path) -> "Look":
    from metalab.cli.status import told_status  # noqa: PLC0415
    from metalab.runs.library.library import Library  # noqa: PLC0415 - torch

    with told_status("reading runs") as tell:
        return Library(folder).look(
            tell=lambda done, total: tell(f"{done:,} of {total:,}")
        )


def _paths(runs: Sequence[str], folder: Path) -> list[Path]:
    """Return the files of the runs that are named, each once.

    Raises:
        UserError: One is not to be found, or several may be meant.
    """
    from metalab.runs.library.library import files_of  # noqa: PLC0415 - torch

    known = [folder / name for name in files_of(folder)]
    return list(dict.fromkeys(run_named(text, folder, known) for text in runs))


def _mark(
    runs: Sequence[str],
    change: LabelChange,
    folder: Path | None,
    *,
    json_output: bool,
) -> int:
    change = change.checked()
    from metalab.runs.library.marking import mark  # noqa: PLC0415 - torch

    done = mark(_paths(runs, _library_folder(folder)), change)
    for one in done:
        if one.problem:
            warn(one.problem)
    if json_output:
        print_json([_marked_facts(one) for one in done])
    else:
        for one in done:
            if not one.problem:
                waits = " once its run has ended" if one.waits else ""
                print(f"{one.path.name}: changed{waits}")
    code = SOME_FAILED if any(one.problem for one in done) else 0
    return code or delivered()


def _marked_facts(one: "Marked") -> dict[str, Any]:
    return {
        "file": str(one.path),
        "changed": not one.problem and not one.waits,
        "waits": one.waits,
        "problem": one.problem,
    }
