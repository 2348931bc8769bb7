"""A refactoring reproduces the recorded losses; see record.py."""

import json

import pytest

from metalab.catalog.recipes import presets
from tests.golden.record import FILE, NUM_STEPS, first_losses

RECORDED = json.loads(FILE.read_text(encoding="utf-8"))


HEAVY = ("mmaml-multimodal",)
"""Seconds a step."""


@pytest.mark.parametrize(
    "preset",
    [
        pytest.param(name, marks=[pytest.mark.slow] if name in HEAVY else [])
        for name in presets()
    ],
)
def test_the_first_losses_are_the_recorded_ones(preset):
    assert preset in RECORDED, "record it: python -m tests.golden.record"
    assert len(RECORDED[preset]) == NUM_STEPS
    assert first_losses(preset) == pytest.approx(RECORDED[preset], rel=1e-6)


def test_nothing_is_recorded_that_is_gone():
    assert set(RECORDED) == set(presets())
