"""A sample of the campaign in the default suite; all of it behind `slow`.

`make fuzz` makes other inputs every time.
"""

import os

import pytest

from tests.fuzz.campaign import TARGETS, campaign

SEED = int(os.environ.get("METALAB_FUZZ_SEED", "12"))

WHOLE = {"runs": 10_000}


def judge(report):
    told = [f"{v.index} {v.kind}: {v.outcome} {v.details}" for v in report.faults[:5]]
    assert not report.faults, "\n".join([report.line(), *told])
    outcomes = {verdict.outcome for verdict in report.verdicts}
    # One that refuses everything, or nothing, has tried nothing.
    assert "refused" in outcomes
    assert "read" in outcomes or report.target == "codes"


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("target", "count"), [("runs", 24), ("texts", 60)])
def test_a_sample_is_read_or_refused(target, count, tmp_path):
    judge(campaign(target, seed=SEED, count=count, folder=tmp_path))


# Hours beside other work; each reader of each input has five seconds.
@pytest.mark.slow
@pytest.mark.timeout(4 * 3600)
@pytest.mark.parametrize("target", TARGETS)
def test_all_of_it_is_read_or_refused(target, tmp_path):
    count = WHOLE.get(target, 1500)
    judge(campaign(target, seed=SEED, count=count, folder=tmp_path, processes=2))
