"""Solve the inner problem exactly, in one step."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.inner.base import (
    Cotangent,
    InnerLoop,
    InnerPath,
    InnerRequirement,
    InnerState,
    InnerStep,
    PathStorage,
    Tangent,
)
from metalab.core.model.base import ParameterBlock
from metalab.core.oracle import InnerOracle
from metalab.core.script import InnerSource
from metalab.core.spec import option


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedForm(InnerLoop):
    """theta_1 = theta_0 - H^-1 grad(theta_0): the minimum of a quadratic inner loss.

    One Newton step by a Cholesky factorisation. Its derivative follows from the gradient
    at theta_1 being zero for every phi: d theta_1 / d phi = - H^-1 B, with B the mixed
    derivative at theta_1; the start does not matter. So the sweep through the solve is
    the implicit hypergradient, and exact.

    Attributes:
        num_inner_steps: 1; further steps stay where they are.

    Source: Bertinetto et al. 2019 (R2-D2), section 3.2; Harrison et al. 2018 (ALPaCA).
    """

    name: ClassVar[str] = "closed-form"
    title: ClassVar[str] = "Closed form"
    synonyms: ClassVar[tuple[str, ...]] = ("analytic solution", "normal equations")
    needs: ClassVar[InnerRequirement] = InnerRequirement.CLOSED_FORM

    num_inner_steps: int = option(
        1,
        label="Inner steps K",
        help="One: the solution is found at once.",
        unit="steps",
        low=1,
        high=1,
        advanced=True,
    )

    def run(
        self,
        oracle: InnerOracle,
        *,
        num_steps: int,
        begin: InnerState | None = None,
        keep: PathStorage = PathStorage.END,
        keep_points: bool = False,
    ) -> InnerPath:
        """Go to the solution in the first step, and stay there."""
        if begin is None:
            begin = InnerState(index=0, theta=oracle.start())
        theta = begin.theta
        points = [theta]
        steps: list[InnerStep] = []
        if num_steps > 0:
            here = oracle.linearise(theta, curvature=False)
            solution = theta - oracle.hessian_solver()(here.grad)
            points += [solution] * num_steps
            if keep is not PathStorage.END:
                steps = self._steps(oracle, begin, points, keep)
            theta = solution
        end = begin.index + num_steps
        return InnerPath(
            begin=begin,
            state=InnerState(index=end, theta=theta),
            points=tuple(points) if keep_points else (),
            steps=tuple(steps),
        )

    def _steps(
        self,
        oracle: InnerOracle,
        begin: InnerState,
        points: list[Tensor],
        keep: PathStorage,
    ) -> list[InnerStep]:
        linearisation = oracle.linearise(
            points[-1], curvature=keep is PathStorage.GRAPH
        )
        return [
            InnerStep(
                index=begin.index + k,
                start=start,
                update=start - points[-1],
                linearisation=linearisation,
            )
            for k, start in enumerate(points[:-1])
        ]

    def pullback(self, oracle: InnerOracle, step: InnerStep, v: Cotangent) -> Cotangent:
        """Return nothing for theta_0, and - B^T H^-1 v for phi."""
        of_phi = step.linearisation.mixed_vjp(-oracle.hessian_solver()(v.theta))
        start = Cotangent(theta=torch.zeros_like(v.theta), phi=v.phi)
        return start.plus_phi(of_phi)

    def first_order_pullback(
        self, oracle: InnerOracle, step: InnerStep, v: Cotangent
    ) -> Cotangent:
        """Return v unchanged."""
        del oracle, step
        return v

    def pushforward(
        self,
        oracle: InnerOracle,
        step: InnerStep,
        u: Float[Tensor, "#task meta"],
        t: Tangent,
    ) -> Tangent:
        """Return - H^-1 B u."""
        change = step.linearisation.mixed_jvp(u.expand(len(t.theta), -1))
        return Tangent(theta=-oracle.hessian_solver()(change))

    def step_source(
        self, adapted: Mapping[str, ParameterBlock], rates: Float[Tensor, " rates"]
    ) -> InnerSource:
        """Return the solution, which what is meta-learned knows in closed form."""
        del adapted, rates
        return InnerSource(solves=True)
