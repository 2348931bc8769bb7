"""Run files that earlier versions made: they open, are scrubbed, and go on.

`runs/VERSION.metalab` is a run of 40 outer steps in float64, stopped by that very version
after 25; `runs/losses.json` has the outer losses of the same run without a stop, which
were the same in all of them.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from metalab.runs.record.reader import open_run
from metalab.runs.services.state_replayer import recomputed, rewind_request
from tests.support.stored import resume

RUNS = Path(__file__).parent / "runs"
LOSSES = np.array(json.loads((RUNS / "losses.json").read_text(encoding="utf-8")))
STOPPED, WHOLE = 25, 40
VERSIONS = ("0.3", "0.4", "0.5", "0.6", "0.7")


@pytest.fixture(params=VERSIONS)
def old(request, tmp_path):
    """A copy of the file, named after its version."""
    return Path(shutil.copy(RUNS / f"{request.param}.metalab", tmp_path))


def test_it_opens_as_it_was_and_is_not_touched(old):
    before = old.read_bytes()
    run = open_run(old)
    assert old.read_bytes() == before
    history = run.history
    assert history.step == STOPPED
    assert history.num_steps == WHOLE
    assert history.config_at().loss.kind == "squared-error"
    assert history.config_at().model.options()["hidden_sizes"] == (8, 8)
    np.testing.assert_allclose(
        history.metrics["outer_loss"], LOSSES[:STOPPED], rtol=1e-9
    )
    assert history.held_out_tasks is not None
    assert history.held_out_tasks.parameter_names == ("amplitude", "phase")


def test_it_is_scrubbed_to_any_step(old):
    """The last state, computed again from the one before it, is the one in the file."""
    run = open_run(old)
    for step in (7, STOPPED):
        request = rewind_request(run.history, step)
        assert request is not None
        state = recomputed(request)
        assert state is not None
        assert state.step == step
    assert run.checkpoint is not None
    np.testing.assert_allclose(state.phi, run.checkpoint.phi, rtol=1e-9)


def test_it_goes_on_as_it_would_have(old):
    resume(old)
    history = open_run(old).history
    assert history.step == WHOLE
    np.testing.assert_allclose(history.metrics["outer_loss"], LOSSES, rtol=1e-9)
