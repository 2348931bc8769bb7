"""Small experiments for the tests of runs."""

import pytest

from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import with_overrides


@pytest.fixture
def config() -> ExperimentConfig:
    """MAML on sines, small enough for a run of a fraction of a second."""
    return with_overrides(
        preset_config("maml-sine"),
        [
            ("outer.num_steps", 60),
            ("outer.num_tasks", 4),
            ("model.hidden_sizes", [8]),
            ("evaluation.num_tasks", 16),
            ("evaluation.num_queries", 10),
            ("evaluation.num_inner_steps", 3),
            ("evaluation.every", 20),
        ],
    )
