"""`metalab reproduce`: a published experiment again, ours beside the paper's."""

from pathlib import Path
from typing import Annotated

import typer

from metalab.cli.output import console, delivered, json_text, print_json, warn

FILE_WIDTH = 120
"""Characters in a line of the tables where no terminal says how many fit."""


def reproduce(
    name: Annotated[
        str | None, typer.Argument(help="Study; without one, they are listed.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of its run files and results; by default in the data folder."
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=1_000, help="Runs of a method.")] = 3,
    share: Annotated[
        float,
        typer.Option(help="Shorten every run to this share: no longer the protocol."),
    ] = 1.0,
    jobs: Annotated[
        int, typer.Option(min=1, max=1_000, help="Processes that run at once.")
    ] = 1,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print one JSON value on stdout.")
    ] = False,
) -> int:
    """Run a published table or figure with its protocol; the same command goes on."""
    from metalab.cli.study_runs import run_study  # noqa: PLC0415 - torch
    from metalab.cli.study_table import print_report, print_studies  # noqa: PLC0415
    from metalab.studies.files import prepare_folder, write_files  # noqa: PLC0415
    from metalab.studies.measure import measure  # noqa: PLC0415
    from metalab.studies.plan import StudyPlan, default_folder  # noqa: PLC0415
    from metalab.studies.registry import studies, study_named  # noqa: PLC0415
    from metalab.studies.report import make_report, to_json  # noqa: PLC0415

    if name is None:
        print_studies(list(studies().values()), json_output=json_output)
        return delivered()
    study = study_named(name)
    folder = out if out is not None else default_folder(study)
    plan = StudyPlan(study=study, folder=folder, num_seeds=seeds, share=share)
    prepare_folder(plan.folder)
    result = run_study(plan, num_processes=jobs)
    if result.stopped:
        warn("stopped and saved; the same command goes on from there")
        return 1
    results = measure(plan, result.complete)
    report = make_report(plan, results, result.problems)
    content = to_json(report)
    files = write_files(report, results, json_text(content, indent=2))
    if json_output:
        print_json(content)
    else:
        output = console()
        if not output.is_terminal:
            output.width = FILE_WIDTH
        print_report(report, files, output)
    return 1 if result.problems else 0
