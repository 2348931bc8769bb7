"""Meta-parameters of a run as they were at some outer step."""

from pathlib import Path

from metalab.engine.events import Array
from metalab.runs.reader import StoredRun, stored_state_near
from metalab.runs.run_file import RunFileError


def phi_near(path: Path, run: StoredRun, step: int | None) -> tuple[int, Array]:
    """Return the outer step and the meta-parameters of the snapshot nearest to a step.

    Args:
        path: The run file.
        run: What it holds.
        step: The outer step wanted; None takes the newest, the checkpoint.

    Raises:
        RunFileError: The run has no meta-parameters, or has not come to that step.
    """
    newest = run.newest_state()
    if step is None or step == newest.step:
        return newest.step, newest.phi
    if not 0 <= step <= newest.step:
        raise RunFileError(
            f"{path} has no outer step {step:,}; allowed: 0 to {newest.step:,}"
        )
    found = stored_state_near(path, step)
    if found is None or newest.step - step < abs(found.step - step):
        return newest.step, newest.phi
    return found.step, found.phi
