"""A network adapted to somebody's observations: numpy in, numpy out."""

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from metalab.analysis.adaptation import OneTaskMethod
from metalab.core.errors import UserError
from metalab.core.tasks import Samples, TaskBatch
from metalab.engine.build import DTYPES, build_family, build_learner
from metalab.engine.events import Array
from metalab.engine.held_out import to_array
from metalab.experiment.config import ExperimentConfig

MOST_STEPS = 10_000


class AdaptError(UserError):
    """Points that a network cannot be given, or an inner step that was not made."""


class Adapted:
    """A network along its inner path, from the meta-parameters to one task.

    Attributes:
        num_inner_steps: Inner steps made, K'.
        theta: Adapted parameters after 0 ... K' inner steps, [inner step, inner].
        support_loss: Loss on the support set, [inner step].
    """

    def __init__(
        self,
        config: ExperimentConfig,
        phi: Array,
        x: ArrayLike,
        y: ArrayLike,
        *,
        num_inner_steps: int,
    ) -> None:
        """Adapt; `metalab.Run.adapt` is how to get here.

        Args:
            config: The experiment.
            phi: Its meta-parameters, [meta].
            x: Inputs in their own unit, [shot] or [shot, input].
            y: Targets in their own unit, [shot] or [shot, output].
            num_inner_steps: K'.

        Raises:
            AdaptError: The network cannot be given such points.
        """
        if not 0 <= num_inner_steps <= MOST_STEPS:
            raise AdaptError(
                f"steps is {num_inner_steps:,}; allowed: 0 to {MOST_STEPS:,}"
            )
        self._family = build_family(config)
        if self._family.tells_the_task:
            raise AdaptError(
                "this method is told the numbers of a task, which observations do not tell"
            )
        self._dtype = DTYPES[config.run.precision]
        self._method = OneTaskMethod(build_learner(config), self._dtype)
        self._phi = torch.tensor(phi, dtype=self._dtype)
        self._support = self._samples(x, y)
        nothing = torch.zeros(1, 1, dtype=self._dtype)
        batch = TaskBatch(
            parameters=nothing, support=self._support, query=self._support
        )
        path = self._method.learner.adapt(
            self._phi, batch, num_inner_steps=num_inner_steps
        )
        self._thetas = torch.cat(path.points)
        self.num_inner_steps = num_inner_steps
        self.theta: Array = to_array(self._thetas)
        self.support_loss: Array = self._method.losses(
            self._method.learner.problem.loss,
            self._predicted(self._thetas, self._support.x[0]),
            self._support,
        )

    def predict(
        self, x_new: ArrayLike, inner_step: int | None = None
    ) -> NDArray[np.float64]:
        """Return predictions in the target's own unit.

        Args:
            x_new: Inputs in their own unit, [point] or [point, input].
            inner_step: Of which network, from 0, the meta-parameters' own; None takes the
                last.

        Returns:
            [point]; of a network with several outputs, [point, output].

        Raises:
            AdaptError: The network cannot be given such points, or was not adapted that
                far.
        """
        last = self.num_inner_steps
        step = last if inner_step is None else inner_step
        if not 0 <= step <= last:
            raise AdaptError(f"inner_step is {inner_step}; allowed: 0 to {last}")
        predicted = self._predicted(
            self._thetas[step : step + 1], self._inputs("x_new", x_new)
        )
        own = self._family.own_targets(predicted[0, :, : self._family.output_dim])
        found = own[:, 0] if own.shape[1] == 1 else own
        return np.array(found.numpy(), dtype=np.float64)

    def _predicted(self, thetas: Tensor, x: Tensor) -> Tensor:
        """Return predictions of networks as they learn them, [network, point, output]."""
        return self._method.predict(self._phi, thetas, x, self._support)

    def _samples(self, x: ArrayLike, y: ArrayLike) -> Samples:
        inputs = self._inputs("x", x)
        targets = _numbers("y", y)
        if targets.ndim == 1:
            targets = targets[:, None]
        wanted = (len(inputs), self._family.output_dim)
        if targets.shape != wanted:
            raise AdaptError(
                f"y has the shape {list(targets.shape)}; allowed beside these x: "
                f"{list(wanted)}"
            )
        own = torch.tensor(targets, dtype=self._dtype)
        return Samples(x=inputs[None], y=self._family.given_targets(own)[None])

    def _inputs(self, name: str, x: ArrayLike) -> Tensor:
        """Return what the network is given at some inputs, [point, input]."""
        given = _numbers(name, x)
        if len(given) == 0:
            raise AdaptError(f"{name} holds no point")
        width = self._family.input_dim
        own = torch.tensor(given, dtype=self._dtype)
        if own.ndim == 1 and self._family.inputs_lie_on_a_curve:
            own = self._family.inputs_at(own)
        elif own.ndim == 1 and width == 1:
            own = own[:, None]
        elif own.shape[1:] != (width,):
            raise AdaptError(
                f"{name} has the shape {list(given.shape)}; allowed: a number of points "
                f"times {width} inputs"
            )
        nothing = torch.zeros(1, 1, dtype=self._dtype)
        return self._family.observed(nothing, own[None])[0]

    def __repr__(self) -> str:
        """Return what it was adapted to in one line."""
        count, steps = self._support.x.shape[1], self.num_inner_steps
        return (
            f"<Adapted to {count:,} points in {steps:,} inner steps: support loss "
            f"{self.support_loss[0]:.4g} to {self.support_loss[-1]:.4g}>"
        )


def _numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise AdaptError(f"{name} holds what is no number: {error}") from error
    if found.ndim not in (1, 2):
        raise AdaptError(f"{name} has {found.ndim} axes; allowed: 1 or 2")
    if not np.isfinite(found).all():
        raise AdaptError(f"{name} holds what is no finite number")
    return found
