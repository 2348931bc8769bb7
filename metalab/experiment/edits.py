"""Edits of a run that goes on: the fields that allow them, and their effect."""

from collections.abc import Sequence

from metalab.core.errors import UserError
from metalab.core.inner.descent import FixedRateDescent
from metalab.experiment.config import ExperimentConfig
from metalab.experiment.edit import Edit
from metalab.experiment.fields import fields_of, with_overrides

LIVE_FIELDS = (
    "inner.inner_lr",
    "outer.optimizer.outer_lr",
    "outer.optimizer.weight_decay",
    "outer.optimizer.beta1",
    "outer.optimizer.beta2",
    "outer.clip_norm",
    "outer.schedule",
    "outer.schedule_floor",
    "outer.warmup_steps",
)
"""Fields that only say how a step is made: no state of training depends on them."""


class EditError(UserError):
    """A change that a run cannot take while it goes on."""


def live_fields(config: ExperimentConfig) -> tuple[str, ...]:
    """Return the fields of an experiment that may change while it runs."""
    known = {info.path for info in fields_of(config)}
    fixed = isinstance(config.inner.build(), FixedRateDescent)
    return tuple(
        path
        for path in LIVE_FIELDS
        # Where rates are learned, the set one is only where they begin.
        if path in known and (fixed or path != "inner.inner_lr")
    )


def edited(config: ExperimentConfig, edits: Sequence[Edit]) -> ExperimentConfig:
    """Return an experiment as it is after some edits.

    Raises:
        EditError: A field cannot change while a run goes on.
        ConfigError: A value is not allowed.
    """
    allowed = live_fields(config)
    for edit in edits:
        if edit.path not in allowed:
            raise EditError(
                f"{edit.path} cannot change while a run goes on; allowed: "
                f"{', '.join(allowed)}"
            )
    return with_overrides(config, [(edit.path, edit.value) for edit in edits])
