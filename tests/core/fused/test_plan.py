"""What the kernels are told, and what they refuse."""

from dataclasses import dataclass, fields

from metalab.core.fused.plan import unsupported_reason
from metalab.core.learner import MetaLearner
from metalab.engine.build import build_learner
from metalab.experiment.config import preset_config
from tests.core.fused.problems import counts_of


@dataclass(frozen=True, kw_only=True)
class Later(MetaLearner):
    """A meta-learner with a setting that came after the kernels were written."""

    clip_value: float = 0.0


def later(**settings):
    learner = build_learner(preset_config("maml-sine"))
    given = {entry.name: getattr(learner, entry.name) for entry in fields(learner)}
    return Later(**given, **settings)


def test_a_setting_that_kernels_know_nothing_of_is_refused_where_it_is_set():
    counts = counts_of(preset_config("maml-sine"))
    assert unsupported_reason(later(clip_value=0.1), counts) == (
        "there is no compiled kernel for clip_value"
    )
    # Left at its default it says nothing, and the class does: subclasses are refused.
    assert (
        unsupported_reason(later(), counts) == "there is no compiled kernel for Later"
    )
