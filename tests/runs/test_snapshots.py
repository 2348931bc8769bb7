"""Which snapshot of a run is found."""

import pytest

from metalab.cli.main import run
from metalab.runs.reader import open_run
from metalab.runs.run_file import RunFileError
from metalab.runs.snapshots import phi_near


@pytest.fixture(scope="module")
def run_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("snapshots") / "run.metalab"
    settings = ["outer.num_steps=47", "outer.num_tasks=2", "model.hidden_sizes=[4]"]
    settings += ["evaluation.num_tasks=16", "evaluation.every=10"]
    options = [part for setting in settings for part in ("--set", setting)]
    assert run(["train", *options, "--stop-at", "43", "--out", str(path)]) == 0
    return path


@pytest.mark.parametrize(
    ("wanted", "found"), [(None, 43), (43, 43), (0, 0), (18, 20), (14, 10), (42, 43)]
)
def test_the_nearest_snapshot_or_checkpoint(run_file, wanted, found):
    stored = open_run(run_file)
    step, phi = phi_near(run_file, stored, wanted)
    assert step == found
    assert phi.shape == stored.checkpoint.phi.shape
    assert (phi == stored.checkpoint.phi).all() == (found == 43)


def test_a_step_that_was_never_made_is_refused(run_file):
    with pytest.raises(RunFileError, match="no outer step 44; allowed: 0 to 43"):
        phi_near(run_file, open_run(run_file), 44)
