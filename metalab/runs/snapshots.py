"""Meta-parameters of a run as they were at some outer step."""

from contextlib import closing
from pathlib import Path

from metalab.engine.events import Array
from metalab.runs.reader import StoredRun
from metalab.runs.run_file import RunFileError, open_database, unpacked


def phi_near(path: Path, run: StoredRun, step: int | None) -> tuple[int, Array]:
    """Return the outer step and the meta-parameters of the snapshot nearest to a step.

    Args:
        path: The run file.
        run: What it holds.
        step: The outer step wanted; None takes the newest, the checkpoint.

    Raises:
        RunFileError: The run has no meta-parameters, or has not come to that step.
    """
    newest = run.checkpoint
    if newest is None:
        raise RunFileError(f"{path} holds no meta-parameters: the run never started")
    if step is None or step == newest.step:
        return newest.step, newest.phi
    if not 0 <= step <= newest.step:
        raise RunFileError(
            f"{path} has no outer step {step:,}; allowed: 0 to {newest.step:,}"
        )
    with closing(open_database(path)) as database:
        found = database.execute(
            "SELECT step, phi FROM snapshots ORDER BY abs(step - ?) LIMIT 1", (step,)
        ).fetchone()
    if found is None or newest.step - step < abs(found[0] - step):
        return newest.step, newest.phi
    return found[0], unpacked(found[1])["phi"]
