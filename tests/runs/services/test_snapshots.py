"""Which state of a run is found."""

import numpy as np
import pytest

from metalab.cli.main import run
from metalab.engine.events import StepsDone
from metalab.engine.trainer import Trainer
from metalab.runs.record.file_format import RunFileError
from metalab.runs.record.reader import open_run
from metalab.runs.services.snapshots import BEST, state_at


@pytest.fixture(scope="module")
def run_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("snapshots") / "run.metalab"
    settings = ["outer.num_steps=47", "outer.num_tasks=2", "model.hidden_sizes=[4]"]
    settings += ["evaluation.num_tasks=16", "evaluation.every=10"]
    options = [part for setting in settings for part in ("--set", setting)]
    assert run(["train", *options, "--stop-at", "43", "--out", str(path)]) == 0
    return path


@pytest.mark.parametrize("wanted", [None, 43, 0, 18, 20, 42])
def test_a_state_is_kept_or_made_again_bit_for_bit(run_file, wanted):
    stored = open_run(run_file)
    step = 43 if wanted is None else wanted
    trainer = Trainer(stored.history.configs, provider=stored.history.provider)
    for event in trainer.run(lambda: 1):
        if step == 0 or (isinstance(event, StepsDone) and event.last_step == step):
            break
    straight, found = trainer.checkpoint(), state_at(stored, wanted)
    assert found.step == step
    np.testing.assert_array_equal(found.phi, straight.phi)
    for mine, theirs in zip(found.slots, straight.slots, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_the_best_state_is_the_earliest_with_the_lowest_evaluation(run_file):
    stored = open_run(run_file)
    series = stored.history.evaluations
    column = series.query_mean[:, stored.history.num_inner_steps].tolist()
    assert state_at(stored, BEST).step == series.steps[column.index(min(column))]


def test_a_step_that_was_never_made_is_refused(run_file):
    with pytest.raises(RunFileError, match="no outer step 44; allowed: 0 to 43"):
        state_at(open_run(run_file), 44)
