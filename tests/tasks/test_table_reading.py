"""Bytes to columns: what is understood, and what is refused, with its line."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metalab.tasks.table_reading import TableError, read_table

PLAIN = "task,x,y\na,1,2\na,2,3\nb,1,4\nb,2,5\n"


def columns(text, encoding="utf-8"):
    table = read_table(text.encode(encoding))
    return {column.name: list(column.cells) for column in table.columns}


def numbers(text, name, encoding="utf-8"):
    return read_table(text.encode(encoding)).column(name, "y").numbers().tolist()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PLAIN, "separated by commas"),
        (PLAIN.replace(",", ";"), "separated by semicolons"),
        (PLAIN.replace(",", "\t"), "separated by tabs"),
        (PLAIN.replace(",", "|"), "separated by bars"),
        (PLAIN.replace("\n", "\r\n"), "UTF-8"),
        (PLAIN + "\n\n", "4 rows, 3 columns"),
        ("\n\n" + PLAIN, "with a header"),
    ],
)
def test_separators_and_empty_lines_are_told_and_change_nothing(text, said):
    table = read_table(text.encode())
    assert said in table.understood
    assert columns(text) == columns(PLAIN)


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("cp1252", "Windows-1252"),
    ],
)
def test_encodings_are_told(encoding, told):
    text = PLAIN.replace("a,", "Côte d’Ivoire,")
    table = read_table(text.encode(encoding))
    assert told in table.understood
    assert table.columns[0].cells[0] == "Côte d’Ivoire"


def test_a_table_without_a_header_has_numbered_columns():
    table = read_table(b"a,1,2\na,2,3\n")
    assert table.names == ("column 1", "column 2", "column 3")
    assert "no header" in table.understood


def test_quotes_are_those_of_rfc_4180():
    table = read_table(b'task,x,y\n"a, b",1,2\n"say ""so""",2,3\n"two\nlines",3,4\n')
    assert list(table.columns[0].cells) == ["a, b", 'say "so"', "two\nlines"]


def test_a_decimal_comma_is_read_and_told():
    text = "task;x;y\na;1,5;2\na;2;-3,25e2\n"
    assert numbers(text, "x") == [1.5, 2.0]
    assert numbers(text, "y") == [2.0, -325.0]
    assert "decimal comma" in read_table(text.encode()).understood


def test_a_column_of_words_with_commas_is_no_number():
    text = 'task;y\n"a,b";1\n"a,b";2\n'
    assert columns(text)["task"] == ["a,b", "a,b"]


def excel():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


BAD_FILES = {
    "empty": (b"", "is empty"),
    "only space": (b" \n \n", "is empty"),
    "only a header": (b"task,x,y\n", "has a header and no rows"),
    "binary": (b"\x00\x01\x02" * 50, "is a binary file (byte 0 is 0)"),
    "binary without zeros": (bytes(range(1, 32)) * 9 + b"\xff\xfe\xfd", "is no text"),
    "excel": (excel(), "Excel"),
    "old excel": (b"\xd0\xcf\x11\xe0" + b"\x00" * 99, "save the sheet as CSV"),
    "run file": (b"SQLite format 3\x00" + b"\x00" * 99, "a run file"),
    "gzip": (b"\x1f\x8b\x08abc", "unpack it first"),
    "pdf": (b"%PDF-1.7", "a PDF"),
    "half utf-16": (b"\xff\xfea\x00b", "says that it is UTF-16 and is not"),
    "wrong encoding": (b"task,y\n\x81a,1\n\x81a,2\n", "save it as UTF-8"),
    "open quote": (b'task,x,y\n"a,1,2\na,2,3\n', "a quote that does not close"),
    "short row": (b"task,x,y\na,1,2\na,2\n", "line 3 has 2 cells; the first row has 3"),
    "long row": (b"task,x,y\na,1,2,9\n", "line 2 has 4 cells; the first row has 3"),
    "twice": (b"task,x,x\na,1,2\n", "the header has 2 columns named 'x'"),
    "nameless": (b"task,,\na,1,2\n", "the header has 2 columns without a name"),
    "mixed signs": (
        b"task;y\na;1,5\na;2.5\n",
        "column 'y' has a decimal comma in line 2 ('1,5') and a point in line 3 ('2.5')",
    ),
    "damaged parquet": (b"PAR1" + b"x" * 40, "damaged Parquet file"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_what_is_no_table_is_refused_in_one_line(kind):
    content, words = BAD_FILES[kind]
    with pytest.raises(TableError) as refused:
        read_table(content)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("", "is empty, which is no number"),
        ("NA", "is 'NA', which is no number; leave the row out"),
        ("nan", "is 'nan', which is no number"),
        ("inf", "'inf' is not finite"),
        ("-1e999", "'-1e999' is not finite"),
        ("twelve", "'twelve' is no number"),
        ("1_000", "'1_000' is no number"),
        ("1.000.000", "'1.000.000' is no number"),
        ("5 kg", "'5 kg' is no number"),
        ("x" * 500, "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…' is no number"),
    ],
)
def test_a_cell_that_is_no_number_is_told_with_line_and_column(cell, words):
    column = read_table(f"task,y\na,1\na,{cell}\nb,2\n".encode()).column("y", "y")
    with pytest.raises(TableError) as refused:
        column.numbers()
    assert str(refused.value).startswith("line 3, column 'y': ")
    assert words in str(refused.value)


def test_a_missing_column_is_told_with_those_there():
    with pytest.raises(
        TableError, match="y is column 'z', which is missing; there: 'task'"
    ):
        read_table(PLAIN.encode()).column("z", "y")


def test_a_million_rows_are_read_soon_enough():
    count = 1_000_000
    content = b"task,x,y\n" + b"".join(
        b"a%d,%d,1.5\n" % (i // 10, i) for i in range(count)
    )
    table = read_table(content)
    assert table.num_rows == count
    assert table.column("x", "x").numbers()[-1] == count - 1


def test_parquet_is_the_same_table(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet  # noqa: PLC0415

    path = tmp_path / "t.parquet"
    parquet.write_table(
        pyarrow.table({"task": ["a", "a"], "x": [1, 2], "y": [0.5, None]}), path
    )
    table = read_table(path.read_bytes())
    assert table.names == ("task", "x", "y")
    assert table.column("x", "x").numbers().tolist() == [1, 2]
    with pytest.raises(TableError, match="line 2, column 'y': is empty"):
        table.column("y", "y").numbers()


def read_or_refusal(content):
    """Return the table, or the line that refuses it."""
    try:
        return read_table(content)
    except TableError as error:
        return str(error)


def looks_right(found):
    if isinstance(found, str):
        return bool(found) and "\n" not in found
    widths = {len(column.cells) for column in found.columns}
    return widths == {found.num_rows} and found.num_rows > 0


@given(st.binary(max_size=300))
def test_any_bytes_are_a_table_or_refused(content):
    assert looks_right(read_or_refusal(content))


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=3), min_size=1, max_size=6)


@given(ROWS)
def test_any_text_is_a_table_or_refused(rows):
    text = "\n".join(",".join(row) for row in rows)
    assert looks_right(read_or_refusal(text.encode()))
