"""Adapting a task to moved points in the background, beside whatever run there is."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metalab.analysis.edited_support import EditedSupport, SupportEditResult
from metalab.engine.events import Array
from metalab.runs.services.service import LatestRequestService, Notify, Work

if TYPE_CHECKING:
    from metalab.analysis.adaptation import HeldOutAdapter
    from metalab.experiment.config import ExperimentConfig


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SupportEditRequest:
    """What to adapt, and from where.

    Attributes:
        config: The experiment.
        points: The task and its support set.
        phi: Meta-parameters, [meta].
        step: The outer step that they are from.
    """

    config: "ExperimentConfig"
    points: EditedSupport
    phi: Array
    step: int


class SupportEditService(
    LatestRequestService[SupportEditRequest, SupportEditResult, None]
):
    """Adapts from the newest request. Nothing is shared with the run."""

    def __init__(self, notify: Notify) -> None:
        """Make one without a thread; the first request starts it."""
        super().__init__(_Adapting(), name="support edits", notify=notify)


class _Adapting:
    """Keeps what adapts to the tasks of one experiment."""

    def __init__(self) -> None:
        self._adapter: HeldOutAdapter | None = None
        self._config: ExperimentConfig | None = None

    def __call__(
        self, request: SupportEditRequest, work: Work[None]
    ) -> SupportEditResult:
        """Answer a request; that takes milliseconds."""
        del work
        if self._adapter is None or request.config is not self._config:
            self._adapter, self._config = _adapter_of(request.config), request.config
        return self._adapter.adapt(request.phi, request.points, step=request.step)


def _adapter_of(config: "ExperimentConfig") -> "HeldOutAdapter":
    # Imported here: the window makes a `SupportEditService` before torch is there.
    from metalab.analysis.adaptation import HeldOutAdapter  # noqa: PLC0415
    from metalab.engine.providers import (  # noqa: PLC0415
        AUTODIFF,
        FUSED,
        fused_obstacle,
    )
    from metalab.runs.system.kernels import load_kept  # noqa: PLC0415

    # Kernels wherever there are any, whoever computes the run: beside automatic
    # differentiation they leave the interpreter to it, and the curves are the same to
    # the eye. Nobody who drags a point waits for a compiler.
    kernels = fused_obstacle(config) is None and load_kept(config.run.precision).ready
    return HeldOutAdapter(config, provider=FUSED if kernels else AUTODIFF)
