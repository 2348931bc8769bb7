"""A family from a formula that a person types."""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from metalab.core.spec import option
from metalab.tasks.expression import NAME, RESERVED, Formula, read_formula
from metalab.tasks.one_dimensional import (
    IntervalFamily,
    noise_option,
    refuse_empty_ranges,
    uniform_columns,
    x_max_option,
    x_min_option,
)

INPUT = "x"
MAX_CHARACTERS = 1000
MAX_PARAMETERS = 16
LARGEST = 1e6

NUM_TRIALS = 64
NUM_TRIAL_INPUTS = 65


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A letter of the formula, uniform in [low, high] over the tasks.

    Attributes:
        name: As in the formula.
        low: Smallest value.
        high: Largest value.
    """

    name: str
    low: float
    high: float


@lru_cache(maxsize=64)
def read_parameters(text: str) -> tuple[Parameter, ...]:
    """Return the parameters of a text such as "a=0.1..5, p=0..pi, k=2".

    Raises:
        ValueError: Text of another form, a name twice or not free, an empty range, too
            many parameters or none.
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(
            f"parameters has {len(text):,} characters; allowed: at most "
            f"{MAX_CHARACTERS:,}"
        )
    entries = [entry.strip() for entry in text.replace(";", ",").split(",")]
    found = tuple(_parameter(entry) for entry in entries if entry)
    names = [parameter.name for parameter in found]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"parameters has {name!r} twice; allowed: once")
    if not 1 <= len(found) <= MAX_PARAMETERS:
        raise ValueError(
            f"parameters has {len(found)} of them; allowed: 1 to {MAX_PARAMETERS}, "
            "written a=0..1, b=2..3"
        )
    return found


def _parameter(entry: str) -> Parameter:
    name, equals, values = (part.strip() for part in entry.partition("="))
    if not equals or not NAME.fullmatch(name):
        raise ValueError(
            f"parameters has {entry[:40]!r}; allowed: name=low..high, such as a=0.1..5"
        )
    if name in RESERVED or name == INPUT:
        raise ValueError(
            f"parameters has {name!r}, which has a meaning already; allowed: any other "
            f"name than {', '.join(sorted({*RESERVED, INPUT}))}"
        )
    low, dots, high = values.partition("..")
    ends = [_end(name, end) for end in ((low, high) if dots else (low, low))]
    if ends[1] < ends[0]:
        raise ValueError(
            f"parameters has {name[:40]} from {ends[0]:g} to {ends[1]:g}; allowed: an end "
            "that is not below the start"
        )
    return Parameter(name=name, low=ends[0], high=ends[1])


def _end(name: str, text: str) -> float:
    try:
        value = read_formula(text.strip()).constant
    except ValueError as error:
        raise ValueError(
            f"parameters: the range of {name[:40]} is not low..high: {error}"
        ) from None
    if abs(value) > LARGEST:
        raise ValueError(
            f"parameters: {name[:40]} reaches {value:g}; allowed: up to {LARGEST:,.0f} "
            "in size"
        )
    return value


@lru_cache(maxsize=64)
def read_family_formula(text: str, parameters: str) -> Formula:
    """Return the formula of a family.

    Raises:
        ValueError: See `read_parameters` and `tasks.expression.read_formula`; a parameter
            that does not occur in the formula.
    """
    names = tuple(parameter.name for parameter in read_parameters(parameters))
    try:
        formula = read_formula(text, (INPUT, *names))
    except ValueError as error:
        raise ValueError(f"formula: {error}") from None
    for name in names:
        if name not in formula.variables:
            raise ValueError(
                f"parameters has {name[:40]!r}, which formula does not have"
            )
    return formula


@lru_cache(maxsize=64)
def refuse_infinite_values(
    text: str, parameters: str, x_min: float, x_max: float
) -> None:
    """Refuse a formula that is not finite at some trial of its inputs and parameters.

    The trials fill the ranges evenly, with their ends; so a formula that is infinite in
    a thin part of them may pass.

    Raises:
        ValueError: Names the input and the parameters.
    """
    formula = read_family_formula(text, parameters)
    found = read_parameters(parameters)
    sobol = torch.quasirandom.SobolEngine(len(found), scramble=False)
    unit = torch.cat([sobol.draw(NUM_TRIALS), torch.ones(1, len(found))])
    low = torch.tensor([parameter.low for parameter in found])
    high = torch.tensor([parameter.high for parameter in found])
    rows = low + (high - low) * unit
    x = torch.linspace(x_min, x_max, NUM_TRIAL_INPUTS)
    y = _values(formula, found, rows, x[None, :, None].expand(len(rows), -1, -1))
    faults = (~y[..., 0].isfinite()).nonzero().tolist()
    if faults:
        row, place = faults[0]
        numbers = ", ".join(
            f"{parameter.name[:40]} = {value:g}"
            for parameter, value in zip(found, rows[row].tolist(), strict=True)
        )
        raise ValueError(
            f"formula is not a finite number at x = {float(x[place]):g}, {numbers}; "
            "allowed: a finite value everywhere"
        )


def _values(
    formula: Formula, found: tuple[Parameter, ...], rows: Tensor, x: Tensor
) -> Tensor:
    columns = rows[:, :, None, None].unbind(dim=1)
    values = {p.name: column for p, column in zip(found, columns, strict=True)}
    return formula.evaluate({INPUT: x, **values}).expand_as(x)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedFormula(IntervalFamily):
    """y = formula(x; parameters) + noise.

    Each parameter is uniform in its range. The formula may use x, the parameters, the
    constants pi and e, the operators + - * / ** with parentheses, and the functions sin
    cos tan tanh exp log sqrt abs min max sign floor relu step. It is read, never run: see
    `tasks.expression`.
    """

    name: ClassVar[str] = "formula"
    title: ClassVar[str] = "Formula"

    formula: str = option(
        "a*sin(w*x+p)+0.1*x",
        label="Formula",
        help="Formula of x and the parameters: + - * / **, parentheses, pi, e, sin cos "
        "tan tanh exp log sqrt abs min max sign floor relu step.",
        max_length=500,
    )
    parameters: str = option(
        "a=0.1..5, w=0.8..1.2, p=0..pi",
        label="Parameters",
        help="Name and range of each parameter, drawn for each task.",
        max_length=MAX_CHARACTERS,
    )
    x_min: float = x_min_option(-5.0)
    x_max: float = x_max_option(5.0)
    noise_std: float = noise_option()

    def __post_init__(self) -> None:
        """Refuse what cannot be read or is not finite.

        Raises:
            ValueError: See `read_family_formula` and `refuse_infinite_values`; inputs
                without extent.
        """
        refuse_empty_ranges(self)
        refuse_infinite_values(self.formula, self.parameters, self.x_min, self.x_max)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """The names in `parameters`."""
        return tuple(parameter.name for parameter in read_parameters(self.parameters))

    def sample_parameters(
        self, num_tasks: int, *, generator: torch.Generator, dtype: torch.dtype
    ) -> Float[Tensor, "task parameter"]:
        """Draw the parameters of each task."""
        ranges = tuple((p.low, p.high) for p in read_parameters(self.parameters))
        return uniform_columns(num_tasks, ranges, generator=generator, dtype=dtype)

    def target(
        self,
        parameters: Float[Tensor, "task parameter"],
        x: Float[Tensor, "task shot input"],
    ) -> Float[Tensor, "task shot output"]:
        """Return the formula's value."""
        formula = read_family_formula(self.formula, self.parameters)
        return _values(formula, read_parameters(self.parameters), parameters, x)
