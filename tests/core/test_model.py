"""Networks on flat, stackable parameters."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn

from metalab.core.model.mlp import ACTIVATIONS, INITIALISATIONS, MLP
from tests.support.oracles import FLOAT64, generator

LAYERS = {"relu": nn.ReLU(), "tanh": nn.Tanh()}


class Sine(nn.Module):
    def forward(self, x):
        return torch.sin(x)


def reference(model, theta):
    """Return one row's network, made of torch's modules."""
    activation = {**LAYERS, "sine": Sine()}[model.activation]
    layers, start = [], 0
    for inputs, outputs in pairwise(model.layer_sizes):
        layer = nn.Linear(inputs, outputs, dtype=theta.dtype)
        weight = theta[start : start + inputs * outputs]
        start += inputs * outputs
        layer.weight.data = weight.view(inputs, outputs).T.clone()
        layer.bias.data = theta[start : start + outputs].clone()
        start += outputs
        layers += [layer, activation]
    assert start == len(theta)
    return nn.Sequential(*layers[:-1])


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden_sizes", [(), (7,), (5, 6), (3, 4, 5)])
def test_forward_equals_torch_s_modules(activation, hidden_sizes):
    model = MLP(
        input_dim=3, output_dim=2, hidden_sizes=hidden_sizes, activation=activation
    )
    theta = torch.randn(4, model.dim, generator=generator(), dtype=FLOAT64)
    x = torch.randn(4, 9, 3, generator=generator(1), dtype=FLOAT64)
    prediction = model.apply(theta, x)
    assert prediction.shape == (4, 9, 2)
    for task in range(4):
        with torch.no_grad():
            expected = reference(model, theta[task])(x[task])
        assert torch.allclose(prediction[task], expected, rtol=1e-13, atol=1e-13)


def test_one_network_serves_every_task_without_a_copy():
    model = MLP(input_dim=1, output_dim=1, hidden_sizes=(4,))
    theta = torch.randn(1, model.dim, generator=generator())
    x = torch.randn(3, 5, 1, generator=generator(1))
    assert torch.equal(
        model.apply(theta.expand(3, -1), x), model.apply(theta.repeat(3, 1), x)
    )


def test_blocks_cover_the_flat_vector_without_gaps():
    model = MLP(input_dim=2, output_dim=1, hidden_sizes=(4, 3))
    start = 0
    for block in model.blocks:
        assert block.start == start
        assert block.size == math.prod(block.shape)
        start += block.size
    assert start == model.dim == (2 * 4 + 4) + (4 * 3 + 3) + (3 * 1 + 1)
    assert [(b.name, b.layer, b.shape) for b in model.blocks] == [
        ("layer 1 weight", 0, (2, 4)),
        ("layer 1 bias", 0, (4,)),
        ("layer 2 weight", 1, (4, 3)),
        ("layer 2 bias", 1, (3,)),
        ("layer 3 weight", 2, (3, 1)),
        ("layer 3 bias", 2, (1,)),
    ]


def test_the_network_of_the_maml_paper_has_1761_parameters():
    assert MLP(input_dim=1, output_dim=1).dim == 1761


def drawn(initialisation):
    """Return the weight and the bias of a wide middle layer, 300 to 200."""
    model = MLP(
        input_dim=1,
        output_dim=1,
        hidden_sizes=(300, 200),
        initialisation=initialisation,
    )
    phi = model.initial_parameters(generator=generator(), dtype=FLOAT64)
    weight, bias = model.blocks[2], model.blocks[3]
    return (
        phi[weight.start : weight.start + weight.size],
        phi[bias.start : bias.start + bias.size],
    )


def test_uniform_has_the_bounds_of_torch_s_linear_layer():
    weight, bias = drawn("uniform")
    bound = 1 / math.sqrt(300)
    for values in (weight, bias):
        assert float(values.abs().max()) <= bound
        assert float(values.abs().max()) > 0.97 * bound
    assert float(weight.std()) == pytest.approx(bound / math.sqrt(3), rel=0.01)
    layer = nn.Linear(300, 200)
    assert float(layer.weight.detach().abs().max()) == pytest.approx(bound, rel=0.01)


@pytest.mark.parametrize(
    ("initialisation", "deviation"),
    [("he", math.sqrt(2 / 300)), ("glorot", math.sqrt(2 / 500))],
)
def test_normal_rules_have_their_deviation_and_no_bias(initialisation, deviation):
    weight, bias = drawn(initialisation)
    assert float(weight.std()) == pytest.approx(deviation, rel=0.01)
    assert abs(float(weight.mean())) < 4 * deviation / math.sqrt(len(weight))
    assert torch.equal(bias, torch.zeros_like(bias))


def test_truncated_normal_stops_at_two_deviations():
    weight, bias = drawn("truncated-normal")
    assert 0.0199 < float(weight.abs().max()) <= 0.02
    # A normal cut at two deviations keeps 0.8796 of its deviation.
    assert float(weight.std()) == pytest.approx(0.008796, rel=0.01)
    assert torch.equal(bias, torch.zeros_like(bias))


@pytest.mark.parametrize("initialisation", INITIALISATIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_initial_parameters_follow_the_generator(initialisation, dtype):
    model = MLP(
        input_dim=1, output_dim=1, hidden_sizes=(5,), initialisation=initialisation
    )
    one = model.initial_parameters(generator=generator(4), dtype=dtype)
    two = model.initial_parameters(generator=generator(4), dtype=dtype)
    other = model.initial_parameters(generator=generator(5), dtype=dtype)
    assert one.dtype is dtype
    assert one.shape == (model.dim,)
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
