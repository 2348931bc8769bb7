"""Tasks of a table: splits, draws without replacement, scaling, names."""

import re

import numpy as np
import pytest
import torch

from metalab.core.tasks import HELD_OUT, SUBSETS, TRAINING, VALIDATION, sample_batch
from metalab.tasks.table import TableFamily, distinct_places
from metalab.tasks.table_store import remember
from tests.support.oracles import generator


def table(text, name="own.csv", **options):
    columns = {"task": "task", "x": "x", "y": "y"}
    return TableFamily(data=remember(name, text.encode()), **columns | options)


def uneven(num_tasks=12, **options):
    """Return tasks of 3, 4, 5, ... rows, whose target tells task and row."""
    rows = [
        f"t{task},{row},{100 * task + row}"
        for task in range(num_tasks)
        for row in range(3 + task)
    ]
    return table("\n".join(["task,x,y", *rows]), **options)


def draw(family, num_tasks, shots, queries, seed=0):
    return sample_batch(
        family,
        num_tasks,
        num_shots=shots,
        num_queries=queries,
        generator=generator(seed),
        dtype=torch.float64,
    )


def own_rows(family, samples, task):
    """Return the targets of a task's points that count, in their own unit."""
    y = family.own_targets(samples.y[task, :, 0])
    if samples.mask is not None:
        y = y[samples.mask[task] == 1]
    return [round(value) for value in y.tolist()]


def test_the_default_is_the_table_that_comes_with_metalab():
    family = TableFamily()
    assert len(family.rows.names) == 142
    assert [len(family.rows.subsets[s]) for s in SUBSETS] == [114, 0, 28]
    assert family.input_range == (1952, 2007)
    batch = draw(family.held_out(), 100, 3, 100)
    assert batch.support.x.shape == (28, 3, 1)
    assert batch.query.x.shape == (28, 9, 1)
    assert batch.query.mask is None


def test_a_held_out_task_is_never_trained_on():
    family = uneven()
    held_out = set(family.rows.subsets[HELD_OUT].tolist())
    drawn = draw(family, 500, 2, 3).parameters[:, 0].long().tolist()
    assert held_out
    assert not held_out & set(drawn)
    assert set(drawn) == set(family.rows.subsets[TRAINING].tolist())


def test_folds_hold_out_every_task_once():
    seen = [
        index
        for fold in range(5)
        for index in TableFamily(fold=fold).rows.subsets[HELD_OUT].tolist()
    ]
    assert sorted(seen) == list(range(142))


def test_the_split_hangs_on_names_and_seed_alone():
    text = "task,x,y\n" + "".join(
        f"t{task},{row},{task * row}\n" for task in range(20) for row in range(4)
    )
    header, *rows = text.splitlines()
    other = "\n".join([header, *reversed(rows)])

    def names(family):
        return {family.rows.names[i] for i in family.rows.subsets[HELD_OUT]}

    assert names(table(text)) == names(table(other))
    assert names(table(text)) != names(table(text, split_seed=1))


def test_a_column_can_say_the_split():
    text = "task,x,y,part\n" + "".join(
        f"t{i},{row},{i + row},{part}\n"
        for i, part in enumerate(("train", "Test", "val", "training"))
        for row in range(3)
    )
    subsets = table(text, split_column="part").rows.subsets
    assert {name: found.tolist() for name, found in subsets.items()} == {
        TRAINING: [0, 3],
        VALIDATION: [2],
        HELD_OUT: [1],
    }


def test_points_are_rows_of_their_task_and_none_is_drawn_twice():
    family = uneven(min_rows=2)
    batch = draw(family, 300, 3, 20)
    for task in range(300):
        number = int(batch.parameters[task])
        support = own_rows(family, batch.support, task)
        query = own_rows(family, batch.query, task)
        count = 3 + number
        assert len(support) == min(3, count - 1)
        assert sorted(support + query) == [100 * number + r for r in range(count)]


def test_every_row_is_drawn_as_often_as_the_others():
    family = uneven(num_tasks=2, held_out_share=0.5)
    (number,) = family.rows.subsets[TRAINING].tolist()
    batch = draw(family, 6000, 2, 1)
    counts = np.zeros(3 + number)
    for y in family.own_targets(batch.support.y).flatten().tolist():
        counts[round(y) - 100 * number] += 1
    assert counts / 12_000 == pytest.approx(1 / len(counts), abs=0.02)


def test_the_first_rows_are_those_with_the_smallest_inputs():
    family = uneven(support="first")
    batch = draw(family, 100, 3, 2)
    for task in range(100):
        number = int(batch.parameters[task])
        support = own_rows(family, batch.support, task)
        assert support == [100 * number + row for row in range(3)]
        assert not set(support) & set(own_rows(family, batch.query, task))


def test_small_tasks_are_left_out_unless_a_person_takes_them():
    family = uneven()
    assert min(draw(family, 400, 5, 2).parameters[:, 0].long().tolist()) >= 3
    taken = draw(uneven(min_rows=2), 400, 5, 2).parameters[:, 0].long().tolist()
    assert min(taken) < 3


def test_sets_of_one_size_have_no_mask():
    family = uneven()
    assert draw(family, 10, 2, 1).query.mask is None
    assert draw(family, 10, 2, 5).query.mask is not None


@pytest.mark.parametrize("scaling", ["standardise", "log", "raw"])
def test_scales_are_those_of_the_training_rows_and_are_undone(scaling):
    text = "task,x,y\n" + "".join(
        f"t{i},{row + 1},{(i + 1) * (row + 1)}\n" for i in range(10) for row in range(5)
    )
    family = table(text, x_scaling=scaling, y_scaling=scaling)
    rows = family.rows
    training = torch.cat(
        [
            rows.y[rows.starts[i] : rows.starts[i] + rows.counts[i]]
            for i in rows.subsets[TRAINING].tolist()
        ]
    )
    given = family.given_targets(training)
    if scaling != "raw":
        assert float(given.mean()) == pytest.approx(0, abs=1e-12)
        assert float(given.std(correction=0)) == pytest.approx(1)
    assert torch.allclose(family.own_targets(given), training)
    x = family.observed(torch.zeros(1, 1), rows.x[None])
    assert torch.allclose(family.own_inputs(x), rows.x[None])


def test_a_deviation_has_the_unit_of_the_target():
    family = TableFamily(y_scaling="log")
    own = torch.tensor([50.0, 80.0], dtype=torch.float64)
    small = torch.full((2,), 1e-6, dtype=torch.float64)
    moved = family.own_targets(family.given_targets(own) + small) - own
    assert torch.allclose(family.own_deviation(small, own), moved, rtol=1e-5)


def test_several_inputs_are_a_section_of_the_task():
    family = TableFamily(x="year, gdpPercap")
    assert family.input_dim == 2
    assert not family.inputs_lie_on_a_curve
    section = family.inputs_at(torch.tensor([1960.0, 1970.0]))
    assert section[:, 0].tolist() == [1960, 1970]
    assert section[0, 1] == section[1, 1] == pytest.approx(7215.33, abs=0.01)


def test_tasks_have_the_names_of_the_table():
    family = TableFamily()
    names = {family.task_name(torch.tensor([float(i)])) for i in range(142)}
    assert {"Norway", "Côte d'Ivoire", "Cote d'Ivoire"} & names
    assert len(names) == 142


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"y": "height"}, "y is column 'height', which is missing; there: 'country'"),
        ({"x": "year, age"}, "x is column 'age', which is missing"),
        ({"task": "land"}, "task is column 'land', which is missing"),
        ({"y": "continent"}, "line 2, column 'continent': 'Asia' is no number"),
        ({"y": "year"}, "column 'year' is used twice, as x and y"),
        ({"x": "year, year"}, "column 'year' is used twice, as x and x"),
        (
            {"split_column": "continent"},
            "line 2, column 'continent' is 'Asia'; allowed",
        ),
        ({"held_out_share": 0.9, "validation_share": 0.2}, "leave no task of 142"),
        ({"fold": 5}, "fold is 5; allowed: 0 to 4, of 142 tasks"),
        (
            {"data": "gone.csv@0123456789abcdef"},
            "the table 'gone.csv' (0123456789abcdef)",
        ),
    ],
)
def test_what_cannot_be_tasks_is_refused(options, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        TableFamily(**options)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("task,x,y\na,1,2\na,2,3\n", "names one task, 'a'"),
        ("task,x,y\na,1,2\nb,2,3\nc,1,2\n", "of which 0 have at least 2 rows"),
        ("task,x,y\na,1,2\n,2,3\nb,1,2\n", "line 3, column 'task' is empty"),
        ("task,x,y\na,1,5\na,2,5\nb,1,5\nb,2,5\n", "column 'y' is 5 in every row"),
    ],
)
def test_a_table_that_holds_no_tasks_is_refused(text, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        table(text)


def test_a_logarithm_of_nothing_is_refused_with_its_line():
    with pytest.raises(ValueError, match="line 2, column 'x' is 0; allowed with a log"):
        table("task,x,y\na,0,2\na,2,3\nb,1,4\nb,2,6\n", x_scaling="log")


def test_too_many_shots_are_refused_with_the_number_that_there_are():
    said = TableFamily().refusal(12)
    assert said == (
        "tasks.num_shots is 12, and no training task of the table has 13 rows; "
        "allowed: at most 11"
    )
    assert TableFamily().refusal(11) is None


@pytest.mark.parametrize("count", [1, 2, 3, 7, 1000])
def test_places_are_distinct_and_even(count):
    counts = torch.full((4000,), count)
    places = distinct_places(counts, 3, generator=generator(5))
    number = min(count, 3)
    drawn = places[:, :number]
    assert (drawn >= 0).all()
    assert (drawn < count).all()
    assert all(len(set(row)) == number for row in drawn.tolist())
    # Each place of the order on its own: not the set alone is even.
    for column in range(number):
        mean = float(drawn[:, column].double().mean())
        spread = (count**2 - 1) / 12
        assert mean == pytest.approx((count - 1) / 2, abs=4 * (spread / 4000) ** 0.5)
