"""Modules of torch as models: what is taken, how it is called, and what is refused."""

import threading
from typing import Annotated, Literal

import pytest
import torch
from torch import nn

from metalab.core.model.base import ParameterBlock
from metalab.core.module_model import ModuleError
from metalab.core.module_options import component_of, is_network
from metalab.core.spec import Option, option_default, option_spec
from tests.support.oracles import FLOAT64, generator, relative_error


class Reading(nn.Module):
    """A recurrent network over the inputs; LayerNorm, and a constant buffer."""

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        width: Annotated[int, Option(label="Units", low=1, high=9)] = 4,
        kind: Literal["lstm", "gru"] = "lstm",
        normalised: bool = True,
        scale: float = 0.5,
        sizes: tuple[int, ...] = (3, 2),
    ):
        super().__init__()
        assert isinstance(normalised, bool)
        make = nn.LSTM if kind == "lstm" else nn.GRU
        self.recurrent = make(1, width, batch_first=True)
        self.norm = nn.LayerNorm(width) if normalised else nn.Identity()
        self.register_buffer("scale", torch.full((), scale))
        self.out = nn.Linear(width, output_dim)
        self.sizes, self.input_dim = sizes, input_dim

    def forward(self, x):
        states, _ = self.recurrent(x[..., None] * self.scale)
        return self.out(self.norm(states[:, -1]))


class Lines(nn.Module):
    def __init__(self, input_dim: int, output_dim: int):
        super().__init__()
        self.first = nn.Linear(input_dim, 5)
        self.out = nn.Linear(5, output_dim, bias=False)

    def forward(self, x):
        return self.out(torch.tanh(self.first(x)))


class Attending(Lines):
    def __init__(self, input_dim: int, output_dim: int):
        super().__init__(input_dim, output_dim)
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
        self.first, self.out = nn.Linear(1, 4), nn.Linear(4, output_dim)

    def forward(self, x):
        h = self.first(x[..., None])
        return self.out(self.attention(h, h, h, need_weights=False)[0].mean(1))


class Normalised(Lines):
    def __init__(self, input_dim: int, output_dim: int):
        super().__init__(input_dim, output_dim)
        self.norm = nn.BatchNorm1d(5)


class Dropping(Lines):
    def __init__(self, input_dim: int, output_dim: int, rate: float = 0.0):
        super().__init__(input_dim, output_dim)
        self.drop = nn.Dropout(rate)

    def forward(self, x):
        return self.drop(super().forward(x))


class Random(Lines):
    def forward(self, x):
        return super().forward(x + torch.rand(()))


class Counting(Lines):
    def __init__(self, input_dim: int, output_dim: int):
        super().__init__(input_dim, output_dim)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        return super().forward(x)


class Narrow(Lines):
    def forward(self, x):
        return self.first(x)


class Wrong(Lines):
    def forward(self, x):
        return self.missing(x)


class Empty(nn.Module):
    def __init__(self, input_dim: int, output_dim: int):
        super().__init__()


def made(module, **options):
    return component_of(module)(**{"input_dim": 2, "output_dim": 3, **options})


def theta_of(model, dtype=FLOAT64):
    own = model.initial_parameters(generator=generator(), dtype=dtype)
    return own + 0.1 * torch.randn(3, model.dim, generator=generator(1), dtype=dtype)


def x_of(dtype=FLOAT64):
    return torch.randn(3, 4, 2, generator=generator(2), dtype=dtype)


def loaded(module, model, row):
    """Return the module itself with a task's parameters, as torch would have them."""
    arguments = model.arguments()
    own = module(**arguments).to(row.dtype)
    with torch.no_grad():
        for block, (_, array) in zip(model.blocks, own.named_parameters(), strict=True):
            values = row[block.start : block.start + block.size].view(block.shape)
            array.copy_(values if array.ndim < 2 else values.movedim(-1, 0))
    return own


def test_annotated_arguments_are_options():
    component = component_of(Reading)
    assert (component.name, component.title) == ("reading", "Reading")
    specs = {
        name: (option_default(entry), option_spec(entry))
        for name, entry in component.__dataclass_fields__.items()
        if option_spec(entry)
    }
    assert list(specs) == ["width", "kind", "normalised", "scale", "sizes"]
    default, spec = specs["width"]
    assert (default, spec.label, spec.low, spec.high) == (4, "Units", 1, 9)
    assert spec.help == "The argument width of Reading."
    assert specs["kind"][1].choices == ("lstm", "gru")
    assert specs["normalised"] == ("yes", specs["normalised"][1])
    assert specs["normalised"][1].choices == ("no", "yes")
    assert (specs["scale"][1].low, specs["scale"][1].high) == (0.0, 5.0)
    assert (specs["sizes"][1].low, specs["sizes"][1].high) == (1, 4096)
    with pytest.raises(ValueError, match="is 10; allowed: 1 to 9"):
        spec.check(10)


@pytest.mark.parametrize(
    ("module", "options"),
    [
        (Reading, {}),
        (Reading, {"kind": "gru", "normalised": "no", "width": 2}),
        (Lines, {}),
        (Attending, {}),
        (Dropping, {}),
    ],
)
def test_each_task_is_predicted_as_the_module_itself_would(module, options):
    model = made(module, **options)
    assert model.obstacle() is None
    theta, x = theta_of(model), x_of()
    found = model.apply(theta, x)
    assert found.shape == (3, 4, 3)
    for row, points, predicted in zip(theta, x, found, strict=True):
        with torch.no_grad():
            expected = loaded(module, model, row)(points)
        assert relative_error(predicted, expected) < 1e-12


@pytest.mark.parametrize("module", [Reading, Lines, Attending])
def test_second_derivatives_are_those_of_the_gradient(module):
    model = made(module)
    theta, x = theta_of(model).requires_grad_(), x_of()

    def grad_at(theta, *, create_graph=False):
        loss = model.apply(theta, x).square().sum()
        return torch.autograd.grad(loss, theta, create_graph=create_graph)[0]

    v = torch.randn(theta.shape, generator=generator(3), dtype=FLOAT64)
    (product,) = torch.autograd.grad(grad_at(theta, create_graph=True), theta, v)
    step = 1e-6
    ends = [
        grad_at((theta + sign * step * v).detach().requires_grad_()) for sign in (1, -1)
    ]
    assert relative_error(product, (ends[0] - ends[1]) / (2 * step)) < 1e-7


def test_what_is_drawn_follows_from_the_generator_alone():
    model = made(Reading)
    before = torch.get_rng_state()
    one, same, other = (
        model.initial_parameters(generator=generator(seed), dtype=torch.float32)
        for seed in (0, 0, 1)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert (one.dtype, one.shape) == (torch.float32, (model.dim,))


def test_two_threads_do_not_meet_in_one_module():
    model = made(Lines)
    thetas = [theta_of(model) + shift for shift in (0.0, 1.0)]
    expected = [model.apply(theta, x_of()) for theta in thetas]
    wrong = []

    def work(theta, right):
        wrong.extend(
            1 for _ in range(60) if not torch.equal(model.apply(theta, x_of()), right)
        )

    threads = [
        threading.Thread(target=work, args=pair)
        for pair in zip(thetas, expected, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_arrays_lie_one_after_the_other_outputs_last_and_layers_by_submodule():
    model = made(Lines)
    assert model.blocks == (
        ParameterBlock(name="first.weight", layer=0, shape=(2, 5), start=0),
        ParameterBlock(name="first.bias", layer=0, shape=(5,), start=10),
        ParameterBlock(name="out.weight", layer=1, shape=(5, 3), start=15),
    )
    assert model.dim == 30


def test_it_runs_without_numbers():
    model = made(Reading)
    found = model.apply(theta_of(model).to("meta"), x_of().to("meta"))
    assert (found.shape, found.device.type) == ((3, 4, 3), "meta")


@pytest.mark.parametrize(
    ("module", "options", "reason"),
    [
        (Normalised, {}, "norm (BatchNorm1d) has batch statistics"),
        (Dropping, {"rate": 0.5}, "drop (Dropout) has dropout 0.5"),
        (Random, {}, "forward draws at random"),
        (Counting, {}, "forward changes the buffer 'calls'"),
        (Narrow, {}, "forward returns [3, 5] for inputs of [3, 2]; allowed: [3, 3]"),
        (Empty, {}, "it has no parameters"),
    ],
)
def test_what_is_no_function_of_parameters_and_inputs_is_refused(
    module, options, reason
):
    obstacle = made(module, **options).obstacle()
    assert obstacle.startswith(reason)


def test_an_error_of_the_module_names_its_line():
    assert f"{__file__}, line " in made(Wrong).obstacle()
    assert "no attribute 'missing'" in made(Wrong).obstacle()
    with pytest.raises(ModuleError, match="it cannot be called"):
        made(Wrong).apply(torch.zeros(1, 1), x_of())


def no_annotation(self, input_dim: int, output_dim: int, width=3): ...
def no_default(self, input_dim: int, output_dim: int, width: int): ...
def any_text(self, input_dim: int, output_dim: int, kind: str = "a"): ...
def a_list(self, input_dim: int, output_dim: int, sizes: list[int] = []): ...  # noqa: B006
def anything(self, input_dim: int, output_dim: int, **options: int): ...
def out_of_bounds(
    self, input_dim: int, output_dim: int, width: Annotated[int, Option(low=4)] = 3
): ...


@pytest.mark.parametrize(
    ("init", "reason"),
    [
        (no_annotation, "argument 'width' of __init__ has no annotation; allowed: int"),
        (no_default, "argument 'width' of __init__ has no default"),
        (any_text, "argument 'kind' of __init__ is a text without choices"),
        (a_list, "argument 'sizes' of __init__ is annotated list"),
        (anything, r"__init__ takes \*options"),
        (out_of_bounds, "the default of argument 'width' is 3; allowed: 4 to 4,096"),
    ],
)
def test_arguments_that_no_form_can_show_are_named(init, reason):
    module = type("Net", (nn.Module,), {"__init__": init})
    assert is_network(module)
    with pytest.raises(ModuleError, match=reason):
        component_of(module)


def test_a_module_without_both_dimensions_is_a_part_of_others():
    assert not is_network(nn.Linear)
    assert not is_network(int)
