"""The command line: what there is, and how errors are told."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

import metalab
from metalab.catalog.plugin_files import fault_in
from metalab.cli.adapt import adapt
from metalab.cli.animate import animate
from metalab.cli.check import check
from metalab.cli.compare import compare
from metalab.cli.compare_baselines import compare_baselines
from metalab.cli.copy import copy
from metalab.cli.curves import curves
from metalab.cli.doctor import doctor
from metalab.cli.estimators import estimators
from metalab.cli.evaluate import evaluate
from metalab.cli.export import export
from metalab.cli.kernels import kernels
from metalab.cli.metrics import metrics
from metalab.cli.output import warn
from metalab.cli.plugin_option import HELP, add_plugins, split_plugins
from metalab.cli.presets import presets
from metalab.cli.reproduce import reproduce
from metalab.cli.resume import resume
from metalab.cli.run_report import report
from metalab.cli.runs import runs_app
from metalab.cli.show import show
from metalab.cli.sweep import sweep
from metalab.cli.sweep_new import COMMAND as SWEEP_NEW
from metalab.cli.sweep_new import in_one_word, sweep_new
from metalab.cli.train import train
from metalab.cli.weights import weights
from metalab.cli.window import ShowWindow, file_to_open, open_window
from metalab.cli.worker import worker
from metalab.core.errors import UserError

USAGE_ERROR = 2


def _exit_with(code: int, **_options: object) -> None:
    """Make what a command returns the exit code of the process."""
    raise typer.Exit(code)


app = typer.Typer(
    result_callback=_exit_with,
    name="metalab",
    help="A visual laboratory for bilevel optimisation in meta-learning.",
    epilog="Without a command, the window opens; with a file alone (a run, a lesson, an "
    "experiment), with what it holds.",
    add_completion=True,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(train)
app.command()(resume)
app.command()(copy)
app.command("eval")(evaluate)
app.command()(estimators)
app.command()(sweep)
app.command(SWEEP_NEW)(sweep_new)
app.command()(worker)
app.command()(compare)
app.command("compare-baselines")(compare_baselines)
app.command()(report)
app.command()(export)
app.command()(curves)
app.command()(metrics)
app.command()(weights)
app.command()(adapt)
app.command()(animate)
app.command()(check)
app.command()(presets)
app.command()(show)
app.command()(reproduce)
app.command()(doctor)
app.command()(kernels)
app.add_typer(runs_app)
for known in app.registered_commands:
    known.epilog = f"--plugin FILE, before or after the command: {HELP}"


def _version(value: bool) -> None:
    if value:
        typer.echo(f"metalab {metalab.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    preset: Annotated[
        str | None, typer.Option(help="Preset that the window starts with.")
    ] = None,
    plugin: Annotated[  # noqa: ARG001 - taken out of the arguments by `run`
        list[Path] | None, typer.Option(metavar="FILE", help=HELP)
    ] = None,
    version: Annotated[  # noqa: ARG001 - handled by its callback
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """A visual laboratory for bilevel optimisation in meta-learning."""
    _check_current_folder()
    if context.invoked_subcommand is None:
        raise typer.Exit(open_window(context.obj, preset=preset))


def _check_current_folder() -> None:
    """Refuse to begin in a folder that has been removed: torch ends the process there.

    Raises:
        UserError: There is no current folder.
    """
    try:
        Path.cwd()
    except OSError as error:
        raise UserError(
            f"the folder that this was started in cannot be used: {error.strerror}"
        ) from error


def no_window(preset: str | None, file: Path | None = None) -> int:
    """Stand in for the window where the caller brings none."""
    raise AssertionError(f"no window was passed in for {file or preset}")


def run(arguments: Sequence[str], *, show: ShowWindow = no_window) -> int:
    """Run a command and return its exit code.

    What a person can mend (a bad value, an unreadable file, a fault in a plug-in) is one
    message on stderr and exit code 2; anything else is a defect and keeps its traceback.
    """
    try:
        rest, plugins = split_plugins(arguments)
        rest = in_one_word(rest)
        file = file_to_open(rest)
        add_plugins(plugins, rest, opens_window=file is not None)
        if file is not None:
            _check_current_folder()
            return open_window(show, file=file)
        app(rest, prog_name="metalab", obj=show)
    except SystemExit as request:
        return request.code if isinstance(request.code, int) else 0
    except UserError as error:
        warn(str(error))
        return USAGE_ERROR
    except Exception as error:
        told = fault_in(error)
        if told is None:
            raise
        warn(told)
        return USAGE_ERROR
    return 0
