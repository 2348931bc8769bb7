"""Other meta-parameters to adapt from."""

import pytest

from metalab.analysis.starts import StartError, joint_start
from tests.support.fake_worker import small_config


@pytest.mark.timeout(60)
def test_joint_training_that_diverges_ends_with_a_reason():
    """It once went on for ever, and the window could not be closed."""
    config = small_config(
        outer__optimizer={"kind": "sgd", "outer_lr": 10.0}, run__provider="autodiff"
    )
    with pytest.raises(StartError, match=r"joint training diverges at outer step \d"):
        joint_start(config)


def test_joint_training_gives_up_between_two_steps():
    asked = []

    def third_time() -> bool:
        asked.append(None)
        return len(asked) == 3

    with pytest.raises(StartError, match="given up"):
        joint_start(small_config(run__provider="autodiff"), third_time)
    assert len(asked) == 3
