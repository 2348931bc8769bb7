"""The measurements themselves: short ones, of which only the shape is looked at."""

import json

import numpy as np
import pytest

from tests.bench import __main__ as report
from tests.bench import activations, engine, paper, scaling
from tests.bench.rounds import Rate, interleaved, ratio


def test_a_fit_finds_the_polynomial():
    sizes = (1, 2, 5, 10)
    linear, share = scaling.fitted(sizes, [3 + 2 * x for x in sizes], 1)
    np.testing.assert_allclose(linear, [3, 2])
    assert share == pytest.approx(1)
    square, share = scaling.fitted(sizes, [1 + 4 * x**2 for x in sizes], 2)
    np.testing.assert_allclose(square, [1, 0, 4], atol=1e-9)
    _, share = scaling.fitted(sizes, [1 + x**3 for x in sizes], 1)
    assert share < 0.9


def test_every_axis_changes_what_it_says():
    for axis, (_, sizes) in scaling.AXES.items():
        made = [scaling.experiment_of(axis, size).model_dump_json() for size in sizes]
        assert len(set(made)) == len(sizes)


def test_ratios_are_taken_within_rounds():
    assert ratio(Rate((2.0, 40.0, 6.0)), Rate((1.0, 10.0, 3.0))) == 2
    order = []
    ways = {
        "a": lambda: order.append("a") or 1.0,
        "b": lambda: order.append("b") or 2.0,
    }
    rates = interleaved(ways, num_rounds=2)
    assert order == ["a", "b", "a", "b"]
    assert rates["b"].median == 2


def test_what_is_not_measured_again_is_kept(tmp_path):
    assert report.read_results(tmp_path) == {}
    entry = {"measured": "today", "environment": {}, "rows": [{"a": 1, "b": 2}]}
    report.write_results({"scaling": entry, "gone": entry}, tmp_path)
    assert report.read_results(tmp_path) == {"scaling": entry}
    report.write_results({**report.read_results(tmp_path), "paper": entry}, tmp_path)
    text = (tmp_path / "bench.md").read_text()
    assert text.count("| a | b |") == 2
    assert "Measured today" in text


@pytest.mark.slow
def test_cost_against_sizes_is_measured():
    axes = {"tasks": ("outer.num_tasks", (1, 2))}
    (row,) = scaling.measure(1, seconds=0.02, axes=axes, providers=("autodiff",))
    assert row["sizes"] == "1, 2"
    assert len(row["µs a step"].split(", ")) == 2


@pytest.mark.slow
def test_activations_are_measured_beside_each_other():
    (row,) = activations.measure(1, seconds=0.02, activations=("tanh",))
    assert row["activation"] == "tanh"
    assert row["kernels over relu"] == 1
    assert row["kernels over autodiff"] > 0


@pytest.mark.slow
def test_the_command_of_the_paper_is_measured(monkeypatch, tmp_path):
    monkeypatch.setattr(paper, "PYTHON", tmp_path / "absent")
    (row,) = paper.measure(1, num_steps=200)
    assert row["outer steps"] == "200"
    assert float(row["held-out loss at the end"]) > 0


@pytest.mark.slow
def test_the_engine_is_measured_without_its_peers(monkeypatch, tmp_path):
    monkeypatch.setattr(engine, "PYTHON", tmp_path / "absent")
    engine.write_problem(tmp_path / "problem.npz")
    rows = engine.table_of(tmp_path / "problem.npz", 1, 1, num_rounds=1, seconds=0.02)
    assert [row["way"] for row in rows] == list(engine.OURS)
    for row in rows:
        assert float(row["meta-gradient against ours"]) < 1e-5
    json.dumps(rows)
