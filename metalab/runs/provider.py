"""Who computes a run: decided once, before its first step."""

from typing import TYPE_CHECKING

from metalab.core.errors import UserError
from metalab.engine.providers import AUTODIFF, FUSED, chosen_provider
from metalab.runs.kernels import prepare, readiness, use_cache
from metalab.runs.status import RunStatus

if TYPE_CHECKING:
    from metalab.engine.config import ExperimentConfig
    from metalab.runs.control import RunControl
    from metalab.runs.live import LiveRun


class ProviderError(UserError):
    """A run asks for compiled kernels that cannot be had here."""


def settle_provider(
    live: "LiveRun", control: "RunControl", *, recorded: str | None
) -> str:
    """Return the provider of a run, once its kernels are ready.

    Args:
        live: The run; it shows what is being waited for.
        control: A stop ends the waiting.
        recorded: Who computed the run so far; it goes on with the same, bit for bit.
            None for a new run.

    Raises:
        ProviderError: The run needs compiled kernels, and there are none to be had.
    """
    config = live.config
    provider, reason = chosen_provider(config)
    if recorded is not None and recorded != provider:
        provider, reason = recorded, "the run began with it"
    if provider == AUTODIFF:
        live.set_provider_reason(reason)
        return AUTODIFF
    use_cache()
    precision = config.run.precision
    found = readiness(precision)
    if not found.ready:
        live.set_status(RunStatus.COMPILING)
        found = prepare(precision, cancelled=_Stopping(control))
        live.set_status(RunStatus.STARTING)
    if found.ready:
        live.set_provider_reason(reason)
        return FUSED
    if control.stopping:
        # Nothing will be computed; the run ends before its first step.
        return AUTODIFF if recorded is None else recorded
    if config.run.provider == FUSED or recorded is not None:
        what = "run.provider is 'fused'" if recorded is None else "the run began fused"
        raise ProviderError(
            f"{what}, but the compiled kernels cannot be used: {found.reason}. "
            f"`metalab kernels` compiles them; run.provider = autodiff starts a run "
            f"without them"
        )
    live.set_provider_reason(f"no compiled kernels: {found.reason}")
    return AUTODIFF


class _Stopping:
    """Whether a run has been told to stop."""

    def __init__(self, control: "RunControl") -> None:
        self._control = control

    def __call__(self) -> bool:
        return self._control.stopping


def kernels_to_compile(config: "ExperimentConfig") -> bool:
    """Return whether a new run would have to wait for its kernels."""
    if chosen_provider(config)[0] != FUSED:
        return False
    return not readiness(config.run.precision).ready
