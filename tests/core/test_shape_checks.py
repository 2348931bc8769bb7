"""The shape annotations of the core are enforced while its tests run (`make shapes`)."""

import pytest
import torch
from beartype.roar import BeartypeCallHintViolation
from jaxtyping import TypeCheckError

from metalab.core.loss.squared_error import SquaredError
from metalab.core.model.mlp import MLP
from metalab.core.tasks import Samples
from metalab.tasks.sinusoid import Sinusoid


@pytest.fixture(autouse=True)
def _checked(pytestconfig: pytest.Config) -> None:
    if not pytestconfig.getoption("jaxtyping_packages"):
        pytest.skip("shapes are not checked in this session: make shapes")


REFUSED = (TypeCheckError, BeartypeCallHintViolation)


def test_a_function_refuses_shapes_that_disagree():
    with pytest.raises(REFUSED):
        SquaredError()(torch.zeros(2, 3, 1), torch.zeros(2, 4, 1))


def test_a_method_refuses_a_missing_task_axis():
    model = MLP(input_dim=1, output_dim=1, hidden_sizes=(2,))
    with pytest.raises(REFUSED):
        model.apply(torch.zeros(model.dim), torch.zeros(1, 3, 1))


def test_a_value_refuses_a_wrong_rank():
    with pytest.raises(REFUSED):
        Samples(x=torch.zeros(2, 3), y=torch.zeros(2, 3, 1))


def test_a_task_family_is_checked_too():
    with pytest.raises(REFUSED):
        Sinusoid().target(torch.zeros(2), torch.zeros(2, 3, 1))
