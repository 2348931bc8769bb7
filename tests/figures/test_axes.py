import numpy as np
import pytest

from metalab.experiment.loss_words import LossWords
from metalab.figures.axes import for_losses, loss_axis
from metalab.figures.base import FigureChoices

LOG = FigureChoices()


def ticks(low, high):
    calls = {call.method: call for call in loss_axis([np.array([low, high])], LOG)}
    assert calls["ax.set_yscale"].arguments == ("log",)
    bottom, top = calls["ax.set_ylim"].arguments
    assert bottom < low
    assert top > high
    if "ax.set_yticks" not in calls:
        return None
    return calls["ax.set_yticks"].options["labels"]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.11, 0.95, ["0.1", "0.2", "0.5", "1"]),
        (0.15, 6, ["0.2", "0.5", "1", "2", "5"]),
        (0.03, 5, ["0.03", "0.1", "0.3", "1", "3"]),
        (0.32, 0.95, ["0.4", "0.6", "0.8", "1"]),
        (2.1, 4.9, ["2.5", "3", "4", "5"]),
    ],
)
def test_a_logarithmic_axis_has_a_few_round_ticks(low, high, expected):
    assert ticks(low, high) == expected


def test_many_decades_are_left_to_powers_of_ten():
    assert ticks(1e-6, 10) is None


@pytest.mark.parametrize("losses", [[1.0, 1.2], [3.0]])
def test_nearly_equal_losses_need_no_logarithm(losses):
    assert loss_axis([np.array(losses)], LOG) == []


@pytest.mark.parametrize("choices", [LOG, FigureChoices(log_y=False)])
def test_losses_below_zero_have_an_axis_that_reaches_there(choices):
    assert loss_axis([np.array([1.0, -1.0, 2.0])], choices) == []


def test_losses_that_may_be_negative_have_no_logarithms_from_the_start():
    words = LossWords(logarithmic=False)
    assert not for_losses(LOG, words).log_y
    assert for_losses(LOG, LossWords()) == LOG


@pytest.mark.parametrize("losses", [[0.0, 0.0], [np.nan], []])
def test_without_positive_losses_the_axis_starts_at_zero(losses):
    (call,) = loss_axis([np.array(losses)], LOG)
    assert call.options == {"bottom": 0}


def test_a_linear_axis_starts_at_zero():
    (call,) = loss_axis([np.array([1.0, 9.0])], FigureChoices(log_y=False))
    assert call.options == {"bottom": 0}


@pytest.mark.parametrize(
    "losses", [[1e-300, 1.0], [5e-324, 1e200], [1e-199, 1e199], [0.0, 1e-320]]
)
def test_a_logarithmic_axis_has_ends_that_are_numbers(losses):
    for call in loss_axis([np.array(losses)], LOG):
        if call.method == "ax.set_ylim" and call.arguments:
            low, high = call.arguments
            assert 0 < low < high < np.inf
