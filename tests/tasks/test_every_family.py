"""What the contracts of `tests/contracts` do not see: every variant, devices, values."""

from dataclasses import FrozenInstanceError, dataclass, field

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from metalab.catalog.slots import TASK_FAMILIES
from metalab.core.tasks import TaskFamily
from metalab.tasks.gaussian_process import KERNELS, GaussianProcess
from metalab.tasks.linear_regression import LinearRegression
from metalab.tasks.multimodal import Multimodal
from metalab.tasks.points import INTERPOLATIONS, Points
from metalab.tasks.polynomial import Polynomial
from metalab.tasks.wave import SHAPES, Wave
from tests.support.oracles import FLOAT64, generator

DEFAULTS = [
    family()
    for family in TASK_FAMILIES.components.values()
    if issubclass(family, TaskFamily)
]
VARIANTS = [
    *(GaussianProcess(kernel=kernel) for kernel in KERNELS),
    *(Wave(shape=shape) for shape in SHAPES),
    *(Points(interpolation=way) for way in INTERPOLATIONS),
    *(Polynomial(degree=degree) for degree in (0, 1, 5)),
    *(Multimodal(num_modes=num) for num in (1, 2, 3)),
    LinearRegression(num_features=1),
]
FAMILIES = pytest.mark.parametrize(
    "family", DEFAULTS + VARIANTS, ids=lambda family: f"{family.name}"
)


def draw(family, *, dtype=FLOAT64, num_tasks=30, num_samples=4, seed=0):
    source = generator(seed)
    parameters = family.sample_parameters(num_tasks, generator=source, dtype=dtype)
    x = family.sample_inputs(num_tasks, num_samples, generator=source, dtype=dtype)
    return parameters, x


@FAMILIES
@pytest.mark.parametrize("dtype", [torch.float32, FLOAT64])
def test_shapes_and_precision(family, dtype):
    parameters, x = draw(family, dtype=dtype)
    y = family.target(parameters, x)
    assert parameters.shape == (30, len(family.parameter_names))
    assert family.observed(parameters, x).shape == (30, 4, family.input_dim)
    assert y.shape == (30, 4, 1)
    assert parameters.dtype is x.dtype is y.dtype is dtype
    assert torch.isfinite(y).all()
    assert len(set(family.parameter_names)) == len(family.parameter_names)


@FAMILIES
def test_a_seed_decides_the_draw(family):
    (task, x), (same_task, same_x), (other_task, other_x) = (
        draw(family, seed=seed) for seed in (0, 0, 1)
    )
    assert torch.equal(task, same_task)
    assert torch.equal(x, same_x)
    assert not torch.equal(task, other_task)
    fixed = family.name == "quadratic-bowl"  # its inputs are a design, not a draw
    assert torch.equal(x, other_x) is fixed


@FAMILIES
def test_the_target_is_a_function_of_the_row_and_draws_nothing(family):
    parameters, x = draw(family)
    copies = parameters.clone(), x.clone()
    state = torch.get_rng_state()
    y = family.target(parameters, x)
    assert torch.equal(y, family.target(parameters, x))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(parameters, copies[0])
    assert torch.equal(x, copies[1])
    alone = family.target(parameters[7:8], x[7:8])
    assert torch.equal(y[7:8], alone)
    backwards = family.target(parameters, x.flip(1)).flip(1)
    assert torch.allclose(y, backwards, rtol=1e-12, atol=1e-12)


@FAMILIES
def test_single_precision_is_close_to_double(family):
    parameters, x = draw(family, num_tasks=200)
    single = family.target(parameters.float(), x.float()).double()
    difference = (single - family.target(parameters, x)).abs()
    # An edge of a wave may fall between an input and its rounded value.
    assert float(difference.quantile(0.98)) < 1e-3


@FAMILIES
def test_inputs_lie_in_their_range_and_on_the_axis_of_plots(family):
    _, x = draw(family, num_tasks=2000)
    low, high = family.input_range
    assert low <= float(x.min()) < float(x.max()) <= high
    place = torch.linspace(low, high, 7, dtype=FLOAT64)
    inputs = family.inputs_at(place)
    assert inputs.shape == (7, x.shape[2])
    assert torch.equal(inputs[:, 0], place)
    on_it = torch.allclose(family.inputs_at(x[..., 0]), x, atol=1e-9)
    assert on_it is family.inputs_lie_on_a_curve


@dataclass
class Watch(TorchDispatchMode):
    """Records the operations that wait for a value, and where results live."""

    waits: list[str] = field(default_factory=list)
    devices: set[str] = field(default_factory=set)

    def __post_init__(self):
        super().__init__()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func in (
            torch.ops.aten._local_scalar_dense.default,
            torch.ops.aten.nonzero.default,
            torch.ops.aten.equal.default,
            torch.ops.aten.masked_select.default,
        ):
            self.waits.append(str(func))
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            self.devices.add(result.device.type)
        return result


@FAMILIES
def test_sampling_waits_for_no_value(family):
    with Watch() as watch:
        parameters, x = draw(family)
        family.target(parameters, x)
    assert watch.devices == {"cpu"}
    assert not watch.waits


@FAMILIES
def test_the_target_stays_on_its_device(family):
    parameters, x = (t.to("meta") for t in draw(family))
    with Watch() as watch:
        y = family.target(parameters, x)
    assert y.shape == (30, 4, 1)
    assert y.device.type == "meta"
    assert not watch.waits


@FAMILIES
def test_a_family_is_a_value(family):
    model = TASK_FAMILIES.models[family.name]
    options = {name: getattr(family, name) for name in model().options()}
    config = model(kind=family.name, **options)
    again = model.model_validate_json(config.model_dump_json()).build()
    assert again == family
    assert hash(again) == hash(family)
    with pytest.raises(FrozenInstanceError):
        family.noise_std = 1.0


@pytest.mark.parametrize("family", DEFAULTS, ids=lambda family: family.name)
def test_noise_is_an_option_of_every_family(family):
    assert type(family)(noise_std=0.0).noise == 0
    assert type(family)(noise_std=0.3).noise == 0.3


def pairs():
    for family in DEFAULTS:
        for low in (n for n in TASK_FAMILIES.models[family.name].model_fields):
            if low.endswith("_min"):
                yield pytest.param(type(family), low, id=f"{family.name}.{low}")


@pytest.mark.parametrize(("family_type", "low"), list(pairs()))
def test_ranges_out_of_order_are_refused(family_type, low):
    high = low.removesuffix("_min") + "_max"
    with pytest.raises(ValueError, match=rf"{high} is 1; it must .* {low}, 2"):
        family_type(**{low: 2.0, high: 1.0})
    if low == "x_min":
        with pytest.raises(ValueError, match="x_max is 2; it must exceed x_min, 2"):
            family_type(**{low: 2.0, high: 2.0})
    else:
        family_type(**{low: 2.0, high: 2.0})
