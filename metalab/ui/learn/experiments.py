"""Experiments as cards and lessons tell them: a preset, and what differs from it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from metalab.experiment.fields import differences, with_overrides
from metalab.experiment.naming import has_own_name
from metalab.ui.session import engine_access as engine

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig


class Told(Protocol):
    """What tells an experiment: a card or a lesson."""

    @property
    def preset(self) -> str:
        """Name of the preset that it starts from."""
        ...

    @property
    def overrides(self) -> Mapping[str, Any]:
        """Dotted paths and values that differ from the preset."""
        ...


def config_of(told: Told) -> "ExperimentConfig":
    """Return the experiment of a card or a lesson. Call it once the engine is loaded.

    Raises:
        ValueError: No preset has that name, or an override is not allowed.
    """
    return with_overrides(engine.preset(told.preset), list(told.overrides.items()))


def overrides_of(config: "ExperimentConfig", preset: str) -> dict[str, Any]:
    """Return what makes an experiment of a preset, in plain values that TOML holds.

    Raises:
        ValueError: No preset has that name.
    """
    base = engine.preset(preset)
    found = {
        path: list(ours) if isinstance(ours, tuple) else ours
        for path, (ours, _) in differences(config, base).items()
        # A setting that only the preset's component has goes with that component.
        if ours is not None
    }
    return {"name": config.name, **found} if has_own_name(config) else found
