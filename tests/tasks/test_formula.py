"""A family from a typed formula."""

import math
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from metalab.core.tasks import sample_batch
from metalab.tasks.formula import MAX_PARAMETERS, TypedFormula, read_parameters
from metalab.tasks.sinusoid_frequency import SinusoidFrequency
from tests.support.oracles import FLOAT64
from tests.tasks.draws import assert_fills, drawn, error_of, noise_floor


def test_the_published_sine_can_be_typed():
    typed = TypedFormula(
        formula="a*sin(w*x+p)", parameters="a=0.1..5, w=0.8..1.2, p=0..pi"
    )
    one, other = (
        sample_batch(
            family,
            20,
            num_shots=5,
            num_queries=5,
            generator=torch.Generator().manual_seed(3),
        )
        for family in (typed, SinusoidFrequency())
    )
    assert torch.equal(one.parameters, other.parameters)
    assert torch.equal(one.query.x, other.query.x)
    assert torch.allclose(one.query.y, other.query.y, atol=1e-6)


def test_the_zero_function_on_the_default():
    """E[a^2] / 2 + 0.01 E[x^2] + 0.2 E[a x sin(w x + p)], whose last is an integral."""
    x = torch.linspace(-5, 5, 20_001, dtype=FLOAT64)[:, None]
    w = torch.linspace(0.8, 1.2, 101, dtype=FLOAT64)
    cross = 0.2 * 2.55 * (2 / math.pi) * float((x * torch.cos(w * x)).mean())
    expected = 25.51 / 6 + 0.01 * 25 / 3 + cross
    assert error_of(drawn(TypedFormula())) == pytest.approx(expected, abs=0.05)


def test_parameters_fill_their_ranges_and_keep_their_names():
    family = TypedFormula(
        formula="slope*x + k + relu(b_2)",
        parameters="slope = -2..3; k=7, b_2=-pi..2*pi",
    )
    assert family.parameter_names == ("slope", "k", "b_2")
    slope, k, b_2 = drawn(family, num_points=1).parameters.unbind(dim=1)
    assert_fills(slope, -2, 3)
    assert (k == 7).all()
    assert_fills(b_2, -math.pi, 2 * math.pi)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("a", lambda x, a: a + 0 * x),
        ("a*abs(x) - floor(x)", lambda x, a: a * x.abs() - x.floor()),
        ("a*step(x)", lambda x, a: a * (x >= 0)),
        ("a*exp(-x**2/2)", lambda x, a: a * torch.exp(-(x**2) / 2)),
        ("max(-1, min(1, a*x))", lambda x, a: (a * x).clamp(-1, 1)),
    ],
)
def test_targets(formula, expected):
    batch = drawn(TypedFormula(formula=formula, parameters="a=1..2"), num_tasks=30)
    x, a = batch.query.x, batch.parameters[:, :1, None]
    assert torch.allclose(batch.query.y, expected(x, a))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "parameters has 0 of them; allowed: 1 to 16"),
        (",".join(f"a{i}=1" for i in range(MAX_PARAMETERS + 1)), "has 17 of them"),
        ("a", "parameters has 'a'; allowed: name=low..high"),
        ("a b=1..2", "parameters has 'a b=1..2'"),
        ("1a=1..2", "parameters has '1a=1..2'"),
        ("a=1..2, a=2..3", "parameters has 'a' twice"),
        ("x=1..2", "parameters has 'x', which has a meaning already"),
        ("sin=1..2", "parameters has 'sin', which has a meaning already"),
        ("pi=1..2", "parameters has 'pi', which has a meaning already"),
        ("a=2..1", "a from 2 to 1; allowed: an end that is not below"),
        ("a=", "the range of a is not low..high: it ends where"),
        ("a=1..", "the range of a is not low..high: it ends where"),
        ("a=1..x", "the range of a is not low..high: .* unknown name 'x'"),
        ("a=0..__import__('os')", "unknown name '__import__'"),
        ("a=0..9**9**9**9", "not a finite number"),
        ("a=0..1e7", "a reaches 1e\\+07; allowed: up to 1,000,000"),
        ("a=1" * 1000, "3,000 characters; allowed: at most 1,000"),
    ],
)
def test_what_are_no_ranges_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        TypedFormula(formula="a*x", parameters=text)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("__import__('os')", "formula: it has an unknown name '__import__'"),
        ("a*x + q", "formula: .* unknown name 'q' at character 7; allowed: x, a, pi"),
        ("a*x.real", "formula: it has '.' at character 4"),
        ("x", "parameters has 'a', which formula does not have"),
        ("9**9**9**9*a", "formula: .* not a finite number"),
        ("(" * 300 + "a" + ")" * 100, "formula: it is nested more than 40 levels deep"),
        ("a+" * 500_000 + "a", "formula: it has 1,000,001 characters"),
        ("a*log(x)", "formula is not a finite number at x = -5, a = 0; allowed"),
        ("a/x", "formula is not a finite number at x = 0, a = 0"),
        ("1/(a-1)", "formula is not a finite number at x = -5, a = 1"),
        ("a*exp(exp(x))", "formula is not a finite number at x = "),
        ("a + sqrt(x)", "formula is not a finite number"),
    ],
)
def test_what_is_no_family_is_refused_at_once(formula, message):
    begin = time.thread_time()
    with pytest.raises(ValueError, match=message):
        TypedFormula(formula=formula, parameters="a=0..1")
    assert time.thread_time() - begin < 0.5


def test_the_range_of_inputs_decides_what_is_finite():
    TypedFormula(formula="a*log(x)", parameters="a=0..1", x_min=0.5, x_max=5.0)
    with pytest.raises(ValueError, match=r"x_max is 0\.5; it must exceed x_min, 0\.5"):
        TypedFormula(formula="a*log(x)", parameters="a=0..1", x_min=0.5, x_max=0.5)


@settings(max_examples=150, deadline=None)
@given(
    st.text(max_size=40)
    | st.text(alphabet="xa()+-*/.,=;0123456789e sinlog", max_size=40),
    st.text(max_size=30) | st.text(alphabet="ab=.,;0123456789-pi ", max_size=30),
)
def test_any_two_texts_are_a_family_or_a_value_error(formula, parameters):
    for options in (
        {"formula": formula, "parameters": "a=0..1"},
        {"formula": "a*x", "parameters": parameters},
        {"formula": formula, "parameters": parameters},
    ):
        try:
            family = TypedFormula(**options)
        except ValueError:
            continue
        batch = drawn(family, num_tasks=3)
        assert batch.query.y.shape == (3, 10, 1)
        assert len(read_parameters(family.parameters)) == batch.parameters.shape[1]


def test_sampling_and_targets_are_quick_at_the_limit():
    family = TypedFormula(formula="+".join(["a*sin(x)"] * 39), parameters="a=0..1")
    begin = time.thread_time()
    drawn(family, num_tasks=25)
    assert time.thread_time() - begin < 0.5


def test_the_true_function_meets_the_noise_floor():
    """S7."""
    assert noise_floor(TypedFormula(noise_std=0.3)) == pytest.approx(0.09, abs=0.001)
