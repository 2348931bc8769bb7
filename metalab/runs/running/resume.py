"""Resumption: whether, and from what, a run can go on."""

from dataclasses import replace
from pathlib import Path

from metalab.runs.record.file_format import RunFileError
from metalab.runs.record.history import RunHistory
from metalab.runs.record.reader import check_whole, open_run
from metalab.runs.record.writer import check_unlocked


def prepare_resume(path: Path, *, num_steps: int | None = None) -> RunHistory:
    """Read a run file and return the history to go on from.

    Args:
        path: The run file; nothing is written to it.
        num_steps: Planned outer steps from now on; None keeps the plan.

    Raises:
        RunFileError: The file cannot be used, another process is writing it, nothing is
            left to do, or the longer run would not have had the same first part.
    """
    history = open_run(path).history
    check_whole(path)
    check_unlocked(path)
    planned = history.num_steps
    wanted = planned if num_steps is None else num_steps
    if wanted <= history.step:
        raise RunFileError(
            f"{path} has made {history.step:,} of {wanted:,} outer steps: nothing is "
            f"left to do; --num-steps takes it further"
        )
    if wanted == planned:
        return history
    schedule = history.next_config.outer.schedule
    if schedule != "constant":
        raise RunFileError(
            f"outer.schedule is {schedule!r}, which depends on the planned "
            f"{planned:,} outer steps; only a run with schedule 'constant' can be "
            f"taken on to {wanted:,}"
        )
    configs = history.configs.with_values([("outer.num_steps", wanted)])
    return replace(history, configs=configs)
