"""Decision which provider computes a run, before its first step."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from metalab.core.errors import UserError
from metalab.engine.providers import (
    AUTODIFF,
    FUSED,
    chosen_provider,
    fused_obstacle,
)
from metalab.runs.system.compiling import Compiling
from metalab.runs.system.kernels import Readiness, prepare

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig
    from metalab.runs.record.live import LiveRun
    from metalab.runs.running.control import RunControl

COMPILING = "Compiling kernels, once on this machine: twenty seconds to a minute"
"""What a person who waits for it is told."""

COMPILING_STEP = "torch compiles the outer step: ten to thirty seconds"
"""The same where `run.compile` is on."""


class ProviderError(UserError):
    """A run asks for compiled kernels that cannot be had here."""


def settle_provider(
    live: "LiveRun",
    control: "RunControl",
    *,
    recorded: str | None,
    on_compiling: Callable[[str], None] | None = None,
) -> str | None:
    """Return the provider of a run, once its kernels are ready.

    Args:
        live: The run; it shows what is being waited for.
        control: A stop ends the waiting, and so does the order to do without where that
            is possible. A pause does not: the run then begins paused.
        recorded: Who computed the run so far; it goes on with the same, bit for bit.
            None for a new run.
        on_compiling: Told what the run waits for, if it has to wait.

    Returns:
        "fused" or "autodiff"; None if the run was told to stop while it waited.

    Raises:
        ProviderError: The run needs compiled kernels, and there are none to be had.
    """
    config = live.config
    name, reason = _wanted(config, recorded)
    if name == FUSED:
        needed = _needs_kernels(config, recorded)
        found = _prepared(live, control, on_compiling, needed=needed)
        if control.stopping:
            return None
        if not found.ready:
            if needed:
                raise _refusal(recorded, found.reason)
            why = "it was told not to wait" if control.without_kernels else found.reason
            name, reason = AUTODIFF, f"no compiled kernels: {why}"
    live.set_provider_reason(reason)
    return name


def _wanted(config: "ExperimentConfig", recorded: str | None) -> tuple[str, str]:
    """Return who should compute a run, and why."""
    if recorded == AUTODIFF:
        return AUTODIFF, "the run began with it"
    if _needs_kernels(config, recorded):
        obstacle = fused_obstacle(config)
        if obstacle is not None:
            raise _refusal(recorded, obstacle)
        began = "the run began with them" if recorded else "run.provider says so"
        return FUSED, began
    return chosen_provider(config)


def _needs_kernels(config: "ExperimentConfig", recorded: str | None) -> bool:
    return FUSED in (config.run.provider, recorded)


def _refusal(recorded: str | None, reason: str) -> ProviderError:
    if recorded == FUSED:
        return ProviderError(
            f"the run began on compiled kernels, which it cannot go on with here: "
            f"{reason}. Mend that (`metalab doctor` shows the state of the kernels), or "
            "start the experiment anew with run.provider = 'autodiff'"
        )
    return ProviderError(
        f"run.provider is 'fused', and that cannot be had: {reason}; allowed here: auto, "
        "autodiff"
    )


def _prepared(
    live: "LiveRun",
    control: "RunControl",
    on_compiling: Callable[[str], None] | None,
    *,
    needed: bool,
) -> Readiness:
    told: list[str] = []

    def gives_up() -> bool:
        return control.stopping or (control.without_kernels and not needed)

    def tell(compiling: Compiling) -> None:
        live.set_compiling(replace(compiling, needed=needed))
        if on_compiling is not None and not told:
            told.append(COMPILING)
            on_compiling(COMPILING)

    found = prepare(live.config.run.precision, cancelled=gives_up, on_compiling=tell)
    live.set_compiling(None)
    return found
