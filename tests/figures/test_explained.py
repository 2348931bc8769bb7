"""What figures explain themselves: chosen steps, marks, gaps and paths."""

from dataclasses import replace

import numpy as np
import pytest

from metalab.figures.drawing import spread
from metalab.figures.intervals import INTERVAL
from metalab.figures.render import draw
from tests.figures.sights import estimators_sight, landscape_sight


def legend_texts(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


@pytest.mark.parametrize(
    ("last", "count", "keep", "expected"),
    [
        (11, 12, (1,), list(range(12))),
        (12, 12, (1,), [0, 1, 2, 4, 6, 8, 10, 12]),
        (15, 12, (5,), [0, 2, 4, 5, 6, 8, 10, 12, 14, 15]),
        (0, 2, (), [0]),
        (1000, 12, (7,), [0, 7, *range(100, 1001, 100)]),
    ],
)
def test_chosen_steps_have_one_round_stride(last, count, keep, expected):
    assert spread(last, count, keep=keep) == expected


@pytest.mark.parametrize("last", range(0, 400, 7))
def test_no_more_steps_are_chosen_than_there_is_room_for(last):
    assert len(spread(last, 51)) <= 51


def test_estimators_explain_their_marks_in_the_figure(history):
    figure = draw("estimators", estimators_sight(history))
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    note = figure.get_supxlabel()
    for mark in "*†":
        assert any(mark in name for name in names)
        assert f"{mark} " in note


def test_the_legend_says_where_an_interval_is_missing_and_why(history):
    evaluations = history.evaluations
    assert INTERVAL in legend_texts(draw("losses", history))
    low, exploded = evaluations.query_low.copy(), evaluations.query_exploded.copy()
    low[-2:], exploded[-2:] = np.nan, 1
    broken = replace(
        history,
        evaluations=replace(evaluations, query_low=low, query_exploded=exploded),
    )
    count = len(evaluations)
    assert f"{INTERVAL} (none at 2 of {count}: tasks exploded)" in legend_texts(
        draw("losses", broken)
    )
    points = low.shape[1]
    assert f"{INTERVAL} (none at {points} of {points}: tasks exploded)" in legend_texts(
        draw("inner-loss", broken)
    )


def test_the_landscape_tells_explained_variance_and_numbers_its_steps(history):
    sight = landscape_sight(history)
    figure = draw("landscape", sight)
    plane = sight.landscape.plane
    words = figure.get_supxlabel().replace("\N{NO-BREAK SPACE}", " ")
    first, second = plane.explained
    task = sight.landscape.asked.tasks[0] + 1
    assert words == (
        f"Explained variance: inner paths {100 * (first + second):.3g} %, outer path "
        f"{100 * plane.outer_explained:.3g} %\nNumbers: inner steps of task {task}"
    )
    support = replace(sight.landscape.asked, surface="support")
    below = replace(sight, landscape=replace(sight.landscape, asked=support))
    words = draw("landscape", below).get_supxlabel().replace("\N{NO-BREAK SPACE}", " ")
    assert words == (
        f"Explained variance of the inner paths: u {100 * first:.3g} %, v "
        f"{100 * second:.3g} %\nNumbers: inner steps of task {task}"
    )
    path = sight.landscape.plane.paths[0]
    numbers = {int(text.get_text()): text.xy for text in figure.axes[0].texts}
    assert len(path) - 1 in numbers
    for step, place in numbers.items():
        assert place == pytest.approx(tuple(path[step]))


def test_a_step_number_stands_beside_the_path(history):
    """Never on the way to the step before or after."""
    sight = landscape_sight(history)
    path = sight.landscape.plane.paths[0]
    for text in draw("landscape", sight).axes[0].texts:
        step = int(text.get_text())
        offset = np.array(text.xyann)
        for other in (step - 1, step + 1):
            if 0 <= other < len(path):
                way = path[other] - path[step]
                cosine = offset @ way / np.linalg.norm(offset) / np.linalg.norm(way)
                assert cosine < 0.8, (step, other)
