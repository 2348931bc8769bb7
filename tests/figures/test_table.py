import csv
import io

import numpy as np

from metalab.figures.table import Column, Table

TABLE = Table(
    (
        Column("part", np.array(["a", "b", "b"])),
        Column("outer_step", np.array([0.0, 1.0, 2.0])),
        Column("outer_loss", np.array([0.1, np.nan, 1e-300]), "y²"),
    )
)


def test_csv_is_plain_rfc_4180():
    assert TABLE.to_csv() == (
        "part,outer_step,outer_loss [y²]\r\na,0,0.1\r\nb,1,\r\nb,2,1e-300\r\n"
    )


def test_csv_quotes_what_needs_it():
    table = Table((Column("part", np.array(['a,"b"'])),))
    assert list(csv.reader(io.StringIO(table.to_csv())))[1] == ['a,"b"']


def test_numbers_read_back_exactly():
    rng = np.random.default_rng(0)
    values = np.concatenate(
        [rng.normal(size=100) * 10.0 ** rng.integers(-300, 300, size=100), [2.0**60]]
    )
    cells = Column("x", values).cells()
    assert [float(cell) for cell in cells] == values.tolist()
    assert Column("x", np.array([np.inf, -np.inf])).cells() == ["inf", "-inf"]


def test_float32_reads_back_exactly():
    values = np.array([0.1, 3.3], dtype=np.float32)
    read = np.array([float(c) for c in Column("x", values).cells()], dtype=np.float32)
    np.testing.assert_array_equal(read, values)


def test_select_keeps_complete_rows_that_match():
    step, loss = TABLE.select(("outer_step", "outer_loss"), {"part": "b"})
    assert step.tolist() == [2.0]
    assert loss.tolist() == [1e-300]
    (steps,) = TABLE.select(("outer_step",), {"outer_step": 1})
    assert steps.tolist() == [1.0]
