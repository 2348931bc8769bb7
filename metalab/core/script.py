"""Source that needs torch alone, as components declare it.

`analysis.model_script` puts the source of an experiment's parts together to one program,
which adapts to the points of one task with an ordinary module of torch. The program defines

    WEIGHTS      the tensors of the file beside it, by name
    DTYPE        the precision of the run
    Network      the class of the network, whose `forward(x)` takes [point, input]
    Predictor    what is adapted, where that is not the network itself
    inner_loss   of predictions and targets, each [point, output]
    ADAPTED      names of the parameters that a task adapts
    STEPS        K of training

and the source of one part may use what another one defines.
"""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from torch import Tensor


class ModuleUse(Enum):
    """Output of the class `Network`."""

    PREDICTIONS = "predictions"
    FEATURES = "features"
    """The inputs of a linear head, a 1 for its bias included: `forward(x)`."""
    MODULATED = "modulated"
    """Predictions under a scale and a shift of each hidden unit: `forward(x, scale, shift)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTensor:
    """A tensor of the file of weights.

    Attributes:
        values: As a module of torch has it: the outputs of a layer come first.
        meaning: One noun phrase.
        learned: Whether it is meta-learned; False for a start that is set.
    """

    values: Tensor
    meaning: str
    learned: bool = True


def _no_tensors() -> Mapping[str, NamedTensor]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictorSource:
    """The module that is adapted, as the meta-parameterisation declares it.

    Attributes:
        tensors: Tensors of phi by name; those of the predictor have the names of its
            `state_dict`.
        adapted: Names of the parameters that a task adapts, one for each of
            `MetaParameterisation.adapted_blocks`.
        use: What the network is to return.
        source: The class `Predictor`, and what it needs; "" where the network itself is
            adapted.
        predictor: Name of the class that is adapted.
        regulariser: The function `regulariser(predictor, num_points)`, what is added to
            the inner loss; "" for nothing.
        sees_support: Whether `predictor.see(x, y)` has to come before the first step.
        solve: The function `solve(predictor, x, y)`, which goes to the minimum of a
            quadratic inner loss from the start; "" where there is none.
    """

    tensors: Mapping[str, NamedTensor]
    adapted: tuple[str, ...]
    use: ModuleUse = ModuleUse.PREDICTIONS
    source: str = ""
    predictor: str = "Network"
    regulariser: str = ""
    sees_support: bool = False
    solve: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerSource:
    """The steps by which a task adapts, as the inner loop declares them.

    The program takes the gradients of the inner loss as `grads`, one for each of the
    parameters in `adapted`, and then runs `step`; `step` may use `number`, k from 0.

    Attributes:
        tensors: Tensors of the loop's own meta-parameters, by name.
        functions: Functions that the loop needs.
        before: Statements before the first step.
        step: Statements of a step.
        batch_size: Points of a step, in cyclic blocks; 0 takes all.
        pulls_at: The step that descends the regulariser alone, where the others descend
            the prediction loss alone; None where each descends their sum.
        solves: Whether the first step is the program's `solve`, and there is no other.
    """

    tensors: Mapping[str, NamedTensor] = field(default_factory=_no_tensors)
    functions: str = ""
    before: str = ""
    step: str = ""
    batch_size: int = 0
    pulls_at: int | None = None
    solves: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsSource:
    """The way of a task's numbers from their own units to the network's, and back.

    Each is an expression in float64; `x` is [point, input], `y` is [point, output].

    Attributes:
        constants: Statements that define what the expressions use.
        inputs: Of `x`.
        targets: Of `y`.
        own_targets: Of `y` as the network predicts it.
    """

    constants: str = ""
    inputs: str = "x"
    targets: str = "y"
    own_targets: str = "y"

    @property
    def are_own(self) -> bool:
        """Whether the network takes and gives numbers as they are."""
        return (self.inputs, self.targets, self.own_targets) == ("x", "y", "y")


def code(text: str, **values: object) -> str:
    """Return source without the indentation that its own place gives it.

    Args:
        text: Python, in which `<name>` stands for a value, and three single quotes for the
            double ones of a docstring.
        **values: What stands there instead.
    """
    found = textwrap.dedent(text).strip("\n").replace("'''", '"""')
    for name, value in values.items():
        found = found.replace(f"<{name}>", str(value))
    return found
