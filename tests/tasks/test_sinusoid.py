"""The sine family, and what is known about it without any training.

The numbers are integrals over the family (amplitude a, phase p, input x): the zero
function has E[a^2] / 2, and the best fixed function, -(2 E[a] / pi) cos x, has
E[a^2] / 2 - (2 E[a] / pi)^2 E[cos^2 x].
"""

import math

import pytest
import torch

from metalab.core.tasks import sample_batch
from metalab.tasks.sinusoid import Sinusoid
from tests.support.oracles import FLOAT64, generator

NUM_TASKS = 100_000
BEST_FIXED = -1.6234


def drawn(family, num_points=10):
    return sample_batch(
        family,
        NUM_TASKS,
        num_shots=1,
        num_queries=num_points,
        generator=generator(),
        dtype=FLOAT64,
    )


def error_of(batch, prediction):
    return float(((batch.query.y - prediction) ** 2).mean())


def test_the_zero_function_has_half_the_mean_squared_amplitude():
    """S1."""
    assert error_of(drawn(Sinusoid()), 0.0) == pytest.approx(4.2517, abs=0.04)


def test_no_fixed_function_is_below_three():
    """S2: the best one, and its neighbours are worse."""
    batch = drawn(Sinusoid())
    errors = {
        scale: error_of(batch, scale * BEST_FIXED * torch.cos(batch.query.x))
        for scale in (0.9, 1.0, 1.1)
    }
    assert errors[1.0] == pytest.approx(3.0057, abs=0.03)
    assert errors[1.0] == min(errors.values())


@pytest.mark.parametrize(("num_points", "error"), [(100, 3.0158), (50, 3.0254)])
def test_the_best_fixed_function_on_the_grids_of_papers(num_points, error):
    family = Sinusoid()
    parameters = family.sample_parameters(20_000, generator=generator(), dtype=FLOAT64)
    grid = torch.linspace(-5, 5, num_points, dtype=FLOAT64)[None, :, None]
    y = family.target(parameters, grid.expand(len(parameters), -1, -1))
    measured = float(((y - BEST_FIXED * torch.cos(grid)) ** 2).mean())
    assert measured == pytest.approx(error, abs=0.05)


def test_with_all_phases_the_zero_function_is_the_best_fixed_one():
    """S3."""
    batch = drawn(Sinusoid(phase_max=2 * math.pi))
    zero = error_of(batch, 0.0)
    assert zero == pytest.approx(4.2517, abs=0.04)
    for function in (torch.cos, torch.sin):
        for scale in (-0.5, 0.5):
            assert error_of(batch, scale * function(batch.query.x)) > zero


def least_squares_error(num_points, noise_std):
    """Return each task's excess error of least squares on {sin x, cos x}."""
    family = Sinusoid(noise_std=noise_std)
    batch = drawn(family, num_points)
    basis = torch.cat([torch.sin(batch.query.x), torch.cos(batch.query.x)], dim=2)
    weights = torch.linalg.lstsq(basis, batch.query.y).solution
    grid = torch.linspace(-5, 5, 200, dtype=FLOAT64)
    amplitude, phase = batch.parameters[:, :1, None], batch.parameters[:, 1:, None]
    true = torch.cat([amplitude * torch.cos(phase), -amplitude * torch.sin(phase)], 1)
    gram = torch.stack([torch.sin(grid), torch.cos(grid)])
    difference = weights - true
    return (difference.transpose(1, 2) @ (gram @ gram.T / 200) @ difference)[:, 0, 0]


@pytest.mark.parametrize("num_points", [5, 10, 20])
def test_two_basis_functions_hold_every_task(num_points):
    """S4."""
    assert float(least_squares_error(num_points, 0.0).mean()) < 1e-20


@pytest.mark.parametrize(("num_points", "excess"), [(10, 0.226), (20, 0.106)])
def test_noise_costs_least_squares_its_known_share(num_points, excess):
    """S5."""
    measured = float(least_squares_error(num_points, 0.5).mean()) / 0.25
    assert measured == pytest.approx(excess, rel=0.05)


def test_the_true_function_meets_the_noise_floor():
    """S7."""
    family = Sinusoid(noise_std=0.3)
    batch = drawn(family)
    true = family.target(batch.parameters, batch.query.x)
    assert error_of(batch, true) == pytest.approx(0.09, abs=0.001)


def test_amplitude_and_phase_fill_their_ranges():
    batch = drawn(Sinusoid(amplitude_min=1, amplitude_max=2, phase_min=-1, phase_max=3))
    for column, (low, high) in enumerate([(1, 2), (-1, 3)]):
        values = batch.parameters[:, column]
        assert low <= float(values.min()) < low + 0.01
        assert high - 0.01 < float(values.max()) <= high
        assert float(values.mean()) == pytest.approx((low + high) / 2, abs=0.02)


def test_inputs_fill_their_range():
    family = Sinusoid(x_min=-1, x_max=3)
    x = drawn(family).query.x
    assert family.input_range == (-1, 3)
    assert -1 <= float(x.min()) < -0.99
    assert 2.99 < float(x.max()) <= 3


def test_the_phase_shifts_to_the_right():
    """As in the code of Finn et al. 2017: sin(x - phase)."""
    y = Sinusoid().target(
        torch.tensor([[2.0, math.pi / 2]]), torch.tensor([[[math.pi / 2], [math.pi]]])
    )
    assert y.flatten().tolist() == pytest.approx([0.0, 2.0], abs=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"amplitude_min": 3, "amplitude_max": 2}, "amplitude_max is 2"),
        ({"phase_min": 1, "phase_max": 0.5}, "phase_max is 0.5"),
        ({"x_min": 1, "x_max": 1}, "x_max is 1; it must exceed x_min"),
    ],
)
def test_empty_ranges_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Sinusoid(**options)


def test_a_single_amplitude_or_phase_is_a_family_too():
    batch = drawn(Sinusoid(amplitude_min=2, amplitude_max=2, phase_min=0, phase_max=0))
    assert torch.equal(batch.query.y, 2 * torch.sin(batch.query.x))


def test_a_grid_is_passed_over_in_a_new_order_each_time():
    family = Sinusoid(grid_points=7)
    x = family.sample_inputs(
        20, 17, generator=generator(), dtype=torch.float64
    ).squeeze(2)
    grid = torch.linspace(-5, 5, 7, dtype=torch.float64)
    for start in (0, 7):
        one_pass = x[:, start : start + 7]
        assert torch.equal(one_pass.sort(dim=1).values, grid.expand(20, -1))
        assert len({tuple(row.tolist()) for row in one_pass}) > 15
    assert all(len(set(row.tolist())) == 3 for row in x[:, 14:])
