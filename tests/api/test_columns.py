"""Columns, and Arrow's C stream that other libraries read them by."""

import gc
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from metalab.api import arrow
from metalab.api.columns import Columns


@pytest.fixture
def columns():
    return Columns(
        {"step": np.arange(1.0, 6.0), "löss": np.array([1.0, np.nan, 3.0, -np.inf, 0])}
    )


def test_a_mapping_of_read_only_arrays(columns):
    assert list(columns) == ["step", "löss"]
    assert len(columns) == 2
    assert columns.num_rows == 5
    assert "step" in columns
    assert "other" not in columns
    assert columns["step"].dtype == np.float64
    with pytest.raises(ValueError, match="read-only"):
        columns["step"][0] = 0
    with pytest.raises(KeyError, match="'other'; there are: step, löss"):
        columns["other"]
    assert repr(columns) == "<5 rows of 2 columns: step, löss>"


def test_arrow_takes_them_bit_for_bit_and_without_a_copy(columns):
    table = pa.table(columns)
    assert table.column_names == ["step", "löss"]
    assert {str(field.type) for field in table.schema} == {"double"}
    assert table["löss"].null_count == 0
    for name, column in columns.items():
        taken = table[name].to_numpy()
        assert taken.tobytes() == column.tobytes()
        chunk = table[name].chunk(0).to_numpy(zero_copy_only=True)
        assert np.shares_memory(chunk, column)


def test_columns_that_do_not_lie_in_one_piece():
    rows = np.arange(12.0).reshape(6, 2)
    table = pa.table(Columns({"a": rows[:, 0], "b": rows[::-1, 1]}))
    np.testing.assert_array_equal(table["b"].to_numpy(), rows[::-1, 1])


def test_nothing_is_left_behind(columns):
    gc.collect()
    before = len(arrow._alive), len(arrow._capsules)
    table = pa.table(columns)
    one = table.column("step")
    del table
    gc.collect()
    assert one.to_pylist() == [1, 2, 3, 4, 5], "one column outlives its table"
    del one
    unread = columns.__arrow_c_stream__()
    reader = pa.RecordBatchReader.from_stream(columns)
    del unread, reader
    gc.collect()
    assert (len(arrow._alive), len(arrow._capsules)) == before


def test_no_rows_and_no_columns():
    assert pa.table(Columns({"a": np.empty(0)})).num_rows == 0
    assert pa.table(Columns({})).num_columns == 0
    assert Columns({}).num_rows == 0


def test_a_table_that_lives_until_the_interpreter_ends():
    code = (
        "import numpy as np, pyarrow as pa; from metalab.api.columns import Columns; "
        "kept = pa.table(Columns({'a': np.arange(9.0)})); print(kept.num_rows)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert (found.stdout.strip(), found.stderr) == ("9", "")


def test_what_a_notebook_shows(columns):
    shown = columns._repr_html_()
    assert shown.count("<tr>") == 6
    assert "nan" in shown
    long = Columns({"a<b": np.arange(1000.0)}).html()
    assert long.count("<tr>") == 12
    assert "a&lt;b" in long
    assert "999" in long
    assert "1,000 rows" in long
