"""What every distribution of tasks owes: shapes, seeds, precision; true targets, if any."""

import pytest
import torch

from metalab.catalog.slots import TASK_FAMILIES
from metalab.core.tasks import TaskFamily, sample_batch
from tests.support.oracles import generator

FAMILIES = TASK_FAMILIES.components.values()
WITH_A_CURVE = [family for family in FAMILIES if issubclass(family, TaskFamily)]
DTYPES = (torch.float32, torch.float64)


def draw(family, seed=0, dtype=torch.float64, num_tasks=40):
    return sample_batch(
        family,
        num_tasks,
        num_shots=3,
        num_queries=6,
        generator=generator(seed),
        dtype=dtype,
    )


def tensors(batch):
    return (
        *(batch.parameters, batch.support.x, batch.support.y),
        *(batch.query.x, batch.query.y),
    )


def noisy(family_type):
    """Return a family with noise if it has such a setting."""
    settings = TASK_FAMILIES.models[family_type.name].model_fields
    return family_type(noise_std=0.5) if "noise_std" in settings else family_type()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("family_type", FAMILIES)
def test_shapes_and_precision(family_type, dtype):
    family = family_type()
    batch = draw(family, dtype=dtype)
    assert batch.parameters.shape == (40, len(family.parameter_names))
    assert batch.support.x.shape == (40, 3, family.input_dim)
    assert batch.support.y.shape == (40, 3, family.output_dim)
    assert batch.query.x.shape == (40, 6, family.input_dim)
    assert batch.query.y.shape == (40, 6, family.output_dim)
    assert all(t.dtype is dtype for t in tensors(batch))
    assert all(torch.isfinite(t).all() for t in tensors(batch))


@pytest.mark.parametrize("family_type", FAMILIES)
def test_the_generator_is_the_only_source_of_randomness(family_type):
    family = noisy(family_type)
    state = torch.get_rng_state()
    one = draw(family)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(map(torch.equal, tensors(one), tensors(draw(family))))
    assert not torch.equal(one.parameters, draw(family, seed=1).parameters)


@pytest.mark.parametrize("family_type", WITH_A_CURVE)
def test_targets_are_the_true_ones_without_noise(family_type):
    family = family_type(noise_std=0.0)
    batch = draw(family)
    for samples in (batch.support, batch.query):
        assert torch.equal(samples.y, family.target(batch.parameters, samples.x))


@pytest.mark.parametrize("family_type", WITH_A_CURVE)
def test_noise_has_its_deviation(family_type):
    family = noisy(family_type)
    batch = draw(family, num_tasks=2000)
    residual = batch.query.y - family.target(batch.parameters, batch.query.x)
    assert float(residual.std()) == pytest.approx(family.noise, rel=0.03)


@pytest.mark.parametrize("family_type", FAMILIES)
def test_inputs_lie_in_their_range(family_type):
    family = family_type()
    batch = draw(family)
    low, high = family.input_range
    assert low < high
    rounding = 1e-12 * (high - low)
    for samples in (batch.support, batch.query):
        x = family.own_inputs(samples.x)
        assert low - rounding <= float(x.min()) <= float(x.max()) <= high + rounding


@pytest.mark.parametrize("family_type", WITH_A_CURVE)
def test_tasks_differ(family_type):
    assert len(draw(family_type()).parameters.unique(dim=0)) == 40


@pytest.mark.parametrize("family_type", FAMILIES)
def test_true_targets_are_all_or_nothing(family_type):
    family = family_type()
    low, high = family.input_range
    places = torch.linspace(low, high, 7, dtype=torch.float64)
    x = family.inputs_at(places).expand(40, -1, -1)
    truth = family.true_targets(draw(family).parameters, x)
    assert (truth is not None) is issubclass(family_type, TaskFamily)
    assert truth is None or truth.shape == (40, 7, family.output_dim)


@pytest.mark.parametrize("family_type", WITH_A_CURVE)
def test_a_task_is_a_value_whose_target_needs_no_other_task(family_type):
    family = family_type()
    batch = draw(family)
    together = family.target(batch.parameters, batch.query.x)
    alone = family.target(batch.parameters[7:8], batch.query.x[7:8])
    assert torch.equal(together[7:8], alone)
