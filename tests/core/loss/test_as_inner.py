"""The choice of no other loss for the query set."""

from metalab.catalog.slots import LOSSES, QUERY_LOSSES
from metalab.core.loss.as_inner import AsInner
from metalab.core.loss.base import Loss
from metalab.experiment.config import ExperimentConfig


def test_it_is_offered_for_the_query_set_alone():
    assert AsInner.name not in LOSSES.components
    assert set(QUERY_LOSSES.components) == {AsInner.name, *LOSSES.components}
    assert not issubclass(AsInner, Loss)


def test_by_default_both_levels_have_one_loss():
    config = ExperimentConfig()
    assert config.query_loss.component is AsInner
    assert config.loss_of_queries is config.loss
