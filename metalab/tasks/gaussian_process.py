"""Samples of a Gaussian process: RBF, Matern and periodic kernels."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.spec import option
from metalab.tasks.one_dimensional import (
    IntervalFamily,
    largest,
    noise_option,
    ranges_of,
    refuse_empty_ranges,
    smallest,
    uniform,
    uniform_columns,
    x_max_option,
    x_min_option,
)

Spectrum = tuple[Tensor, Tensor]
"""Frequencies and the variance at each, as a share of the whole; both [task, feature]."""

SpectrumOf = Callable[[Tensor, Tensor, int, torch.Generator], Spectrum]
"""Draws a spectrum from length scale and period, [task, 1], and a number of features."""


def _drawn(ratio: Callable[[Tensor], Tensor]) -> SpectrumOf:
    """Return the spectrum of a kernel with a spectral density.

    Frequencies come from a Cauchy distribution, one from each of `num` equal parts of it,
    and each gets a share in proportion to the density there. On average over tasks the
    covariance is the kernel's whatever the proposal, and the parts make each task's own
    covariance close to it. The wide proposal sees to the long tails of Matern kernels,
    which independent draws from the density itself would leave to chance.

    Args:
        ratio: Density of the kernel of length 1 over that of the Cauchy distribution, as
            a function of the squared frequency.
    """

    def spectrum(
        length: Tensor, _: Tensor, num: int, source: torch.Generator
    ) -> Spectrum:
        within = uniform((len(length), num), generator=source, dtype=length.dtype)
        order = torch.arange(num, dtype=length.dtype, device=length.device)
        below_one = 1 - torch.finfo(length.dtype).eps
        probability = ((order + within) / num).clamp(max=below_one)
        frequency = torch.tan(0.5 * math.pi * probability)
        return frequency / length, ratio(frequency.square()) / num

    return spectrum


def _rbf(w2: Tensor) -> Tensor:
    return math.sqrt(math.pi / 2) * torch.exp(-w2 / 2) * (1 + w2)


def _matern_3_2(w2: Tensor) -> Tensor:
    return 2 / math.sqrt(3) * (1 + w2) / (1 + w2 / 3) ** 2


def _matern_5_2(w2: Tensor) -> Tensor:
    return 8 / (3 * math.sqrt(5)) * (1 + w2) / (1 + w2 / 5) ** 3


def _harmonics(
    length: Tensor, period: Tensor, num: int, _: torch.Generator
) -> Spectrum:
    """Return multiples of 2 pi / period, with the kernel's Fourier series as shares.

    The trapezoidal rule with 4 `num` points is exact, to rounding, for any length that
    the family admits. The shares beyond the last are given to the others.
    """
    order = torch.arange(num, dtype=length.dtype, device=length.device)
    place = torch.arange(4 * num, dtype=length.dtype, device=length.device)
    angle = (2 * math.pi / (4 * num)) * place
    kernel = torch.exp((torch.cos(angle) - 1) / length.square())
    share = (kernel @ torch.cos(angle[:, None] * order)).clamp(min=0)
    share = share * torch.where(order == 0, 1, 2)
    return 2 * math.pi / period * order, share / share.sum(dim=1, keepdim=True)


KERNELS: Mapping[str, SpectrumOf] = MappingProxyType(
    {
        "rbf": _drawn(_rbf),
        "matern-3/2": _drawn(_matern_3_2),
        "matern-5/2": _drawn(_matern_5_2),
        "periodic": _harmonics,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GaussianProcess(IntervalFamily):
    """y = f(x) + noise, f a sample of a Gaussian process with mean 0.

    With distance d, length scale l, amplitude s and period p, the kernels are

    - rbf: s^2 exp(-d^2 / (2 l^2));
    - matern-3/2: s^2 (1 + r) exp(-r), r = sqrt(3) d / l;
    - matern-5/2: s^2 (1 + r + r^2 / 3) exp(-r), r = sqrt(5) d / l;
    - periodic: s^2 exp(-2 sin^2(pi d / p) / l^2), l without a unit.

    A task is the sum of `num_features` cosines,

        f(x) = sum_i a_i cos(w_i x + b_i),

    with phases b_i uniform in [0, 2 pi] and amplitudes a_i Rayleigh, which makes f normal
    given the w_i. For the first three kernels the w_i are drawn from the spectrum, so over
    the tasks the covariance of f is the kernel exactly, whatever the number of features;
    the covariance given the w_i of one task scatters about it, with 64 features by less
    than 0.6 % of the variance up to two length scales apart and 2.5 % at ten, and so far f
    is a Gaussian process. For the periodic kernel the w_i are fixed and f is a Gaussian
    process exactly; its covariance is the kernel up to the terms of the Fourier series
    that are left out, at most 0.1 % of the variance.

    Amplitude, length scale and period of a task are uniform in their ranges and enter its
    a_i and w_i.

    Source: Rahimi and Recht 2007 (random features), Rasmussen and Williams 2006, section
        4.2 (kernels and spectra). The ranges 0.1 to 0.6 and 0.1 to 1 on [-2, 2] are those
        of the code of Kim et al. 2019 (attentive neural processes), with the RBF kernel.
    """

    name: ClassVar[str] = "gaussian-process"
    title: ClassVar[str] = "Gaussian process"

    kernel: str = option(
        "rbf",
        label="Kernel",
        help="Covariance of the values of a task.",
        choices=tuple(KERNELS),
    )
    length_scale_min: float = smallest(
        "length scale", 0.1, unit="x", low=0.02, high=100.0, log=True
    )
    length_scale_max: float = largest(
        "length scale", 0.6, unit="x", low=0.02, high=100.0, log=True
    )
    amplitude_min: float = smallest("amplitude", 0.1, unit="y", low=0.0, high=100.0)
    amplitude_max: float = largest("amplitude", 1.0, unit="y", low=0.0, high=100.0)
    period_min: float = smallest(
        "period",
        1.0,
        help="Smallest period of a task; for the periodic kernel.",
        unit="x",
        low=0.01,
        high=1000.0,
        advanced=True,
    )
    period_max: float = largest(
        "period",
        2.0,
        help="Largest period of a task; for the periodic kernel.",
        unit="x",
        low=0.01,
        high=1000.0,
        advanced=True,
    )
    num_features: int = option(
        64,
        label="Features",
        help="Number of cosines that make up a task.",
        unit="cosines",
        low=1,
        high=256,
        advanced=True,
    )
    x_min: float = x_min_option(-2.0)
    x_max: float = x_max_option(2.0)
    noise_std: float = noise_option()

    def __post_init__(self) -> None:
        """Refuse empty ranges, and too few terms of a Fourier series.

        Raises:
            ValueError: A range whose end lies below its start; fewer features than a
                periodic kernel of the smallest length scale needs.
        """
        refuse_empty_ranges(self)
        needed = math.ceil(1 + 4 / self.length_scale_min)
        if KERNELS[self.kernel] is _harmonics and self.num_features < needed:
            raise ValueError(
                f"num_features is {self.num_features}; the {self.kernel} kernel with "
                f"length_scale_min {self.length_scale_min:g} needs at least {needed}"
            )

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Frequencies, then amplitudes, then phases of the cosines."""
        return tuple(
            f"{what} {index + 1}"
            for what in ("frequency", "amplitude", "phase")
            for index in range(self.num_features)
        )

    def sample_parameters(
        self, num_tasks: int, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, "task parameter"]:
        """Draw the cosines of each task."""
        length, deviation, period = uniform_columns(
            num_tasks,
            ranges_of(self, "length_scale", "amplitude", "period"),
            generator=generator,
            dtype=dtype,
        ).split(1, dim=1)
        num = self.num_features
        frequency, share = KERNELS[self.kernel](length, period, num, generator)
        unit = uniform((num_tasks, 2 * num), generator=generator, dtype=dtype)
        rayleigh = (-2 * torch.log1p(-unit[:, :num])).sqrt()
        amplitude = deviation * share.sqrt() * rayleigh
        phase = 2 * math.pi * unit[:, num:]
        return torch.cat([frequency, amplitude, phase], dim=1)

    def target(
        self,
        parameters: Float[Tensor, "task parameter"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return the sum of the cosines."""
        frequency, amplitude, phase = parameters[:, None, :].chunk(3, dim=2)
        waves = amplitude * torch.cos(frequency * x + phase)
        return waves.sum(dim=2, keepdim=True)
