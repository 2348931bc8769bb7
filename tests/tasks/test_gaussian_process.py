"""The covariance of the samples is the kernel."""

import math

import pytest
import torch

from metalab.tasks.gaussian_process import KERNELS, GaussianProcess
from tests.support.oracles import FLOAT64, generator
from tests.tasks.draws import drawn, error_of

NUM_TASKS = 20_000
PLACES = torch.tensor([-1.5, -1.45, -1.2, -0.8, 0.1, 1.9], dtype=FLOAT64)


def fixed(kernel, *, length=0.6, amplitude=1.3, period=1.7, **options):
    """Return a family whose tasks share one kernel."""
    return GaussianProcess(
        kernel=kernel,
        length_scale_min=length,
        length_scale_max=length,
        amplitude_min=amplitude,
        amplitude_max=amplitude,
        period_min=period,
        period_max=period,
        **options,
    )


def kernel_of(name, distance, *, length=0.6, amplitude=1.3, period=1.7):
    d = distance.abs()
    values = {
        "rbf": torch.exp(-((d / length) ** 2) / 2),
        "matern-3/2": (1 + math.sqrt(3) * d / length)
        * torch.exp(-math.sqrt(3) * d / length),
        "matern-5/2": (1 + math.sqrt(5) * d / length + 5 * d**2 / (3 * length**2))
        * torch.exp(-math.sqrt(5) * d / length),
        "periodic": torch.exp(-2 * torch.sin(math.pi * d / period) ** 2 / length**2),
    }
    return amplitude**2 * values[name]


def values_at(family, places=PLACES, num_tasks=NUM_TASKS):
    """Return f at the same places of many tasks, [task, place]."""
    parameters = family.sample_parameters(
        num_tasks, generator=generator(), dtype=FLOAT64
    )
    x = places[None, :, None].expand(num_tasks, -1, -1)
    return family.target(parameters, x)[..., 0]


@pytest.mark.parametrize("num_features", [8, 48])
@pytest.mark.parametrize("kernel", KERNELS)
def test_the_covariance_over_tasks_is_the_kernel(kernel, num_features):
    values = values_at(fixed(kernel, num_features=num_features))
    measured = values.T @ values / len(values)
    expected = kernel_of(kernel, PLACES[:, None] - PLACES)
    assert float((measured - expected).abs().max()) < 0.07
    assert float(values.mean(dim=0).abs().max()) < 0.05


@pytest.mark.parametrize("kernel", KERNELS)
def test_values_are_normal_together(kernel):
    """A normal variable has a kurtosis of 3; so has each combination of several."""
    values = values_at(fixed(kernel, num_features=48))
    for direction in ([1, 0, 0, 0, 0, 0], [1, -1, 0, 0, 0, 0], [1, 2, -1, 1, -2, 1]):
        combined = values @ torch.tensor(direction, dtype=FLOAT64)
        kurtosis = float((combined**4).mean() / (combined**2).mean() ** 2)
        assert kurtosis == pytest.approx(3, abs=0.35)


@pytest.mark.parametrize("kernel", ["rbf", "matern-3/2", "matern-5/2"])
@pytest.mark.parametrize(
    ("distance", "scatter"),
    [(0.0, 0.006), (0.1, 0.006), (1.0, 0.006), (2.0, 0.006), (10.0, 0.025)],
)
def test_the_covariance_of_one_task_is_close_to_the_kernel(kernel, distance, scatter):
    """In length scales; independent draws of 64 frequencies scatter by about 0.09."""
    length = torch.ones(3000, 1, dtype=FLOAT64)
    frequency, share = KERNELS[kernel](length, length, 64, generator())
    covariance = (share * torch.cos(frequency * distance)).sum(dim=1)
    apart = torch.tensor(distance, dtype=FLOAT64)
    exact = float(kernel_of(kernel, apart, length=1.0, amplitude=1.0))
    assert float(covariance.mean()) == pytest.approx(exact, abs=0.001)
    assert float(covariance.std()) < scatter


@pytest.mark.parametrize("length", [0.1, 0.3, 1.0, 5.0])
def test_the_fourier_series_of_the_periodic_kernel(length):
    """With the fewest features that are allowed."""
    num_features = math.ceil(1 + 4 / length)
    share = KERNELS["periodic"](
        torch.full((1, 1), length, dtype=FLOAT64),
        torch.full((1, 1), 1.7, dtype=FLOAT64),
        num_features,
        generator(),
    )
    distance = torch.linspace(-3, 3, 301, dtype=FLOAT64)[:, None]
    frequencies, shares = share
    series = (shares * torch.cos(frequencies * distance)).sum(dim=1)
    exact = kernel_of("periodic", distance[:, 0], length=length, amplitude=1.0)
    assert float((series - exact).abs().max()) < 1e-3
    assert float(shares.sum()) == pytest.approx(1)


def test_samples_of_the_periodic_kernel_repeat():
    places = torch.tensor([-1.0, 0.7, 2.4], dtype=FLOAT64)
    values = values_at(fixed("periodic"), places, num_tasks=50)
    assert torch.allclose(values[:, :1].expand(-1, 3), values, atol=1e-10)


def test_too_few_features_for_a_period_are_refused():
    with pytest.raises(ValueError, match=r"num_features is 40; .* needs at least 41"):
        fixed("periodic", length=0.1, num_features=40)
    fixed("periodic", length=0.1, num_features=41)
    fixed("rbf", length=0.1, num_features=1)


def test_the_zero_function_has_the_mean_squared_amplitude():
    """The amplitude is uniform in [0.1, 1]: its mean square is 0.37."""
    batch = drawn(GaussianProcess(), num_tasks=NUM_TASKS)
    assert error_of(batch) == pytest.approx(0.37, abs=0.01)


def test_length_scales_differ_between_tasks():
    """The median of the Cauchy distribution is at 1 / length scale."""
    family = GaussianProcess(num_features=256)
    rows = family.sample_parameters(500, generator=generator(), dtype=FLOAT64)
    length = 1 / rows[:, :256].median(dim=1).values
    assert float(length.min()) == pytest.approx(0.1, abs=0.01)
    assert float(length.max()) == pytest.approx(0.6, abs=0.01)


@pytest.mark.parametrize("kernel", KERNELS)
def test_single_precision_never_overflows(kernel):
    family = fixed(kernel, length=0.3, num_features=64)
    rows = family.sample_parameters(20_000, generator=generator(), dtype=torch.float32)
    assert torch.isfinite(rows).all()


def test_the_true_function_meets_the_noise_floor():
    """S7."""
    family = fixed("rbf", noise_std=0.3, num_features=8)
    batch = drawn(family)
    true = family.target(batch.parameters, batch.query.x)
    assert error_of(batch, true) == pytest.approx(0.09, abs=0.001)
