"""JSON and TOML from outside: ordinary values, or one sentence."""

import json
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metalab.experiment.plain_data import (
    DEEPEST,
    LARGEST_INTEGER,
    MOST_VALUES,
    PlainDataError,
    checked,
    from_json,
    from_toml,
    read_text,
)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_ordinary_values_pass_as_they_are(value):
    assert checked(value) is value


@given(st.lists(st.integers()) | st.dictionaries(st.text(max_size=5), st.floats(0, 1)))
def test_json_of_ordinary_values_is_read_as_it_is(value):
    numbers = value if isinstance(value, list) else []
    if all(abs(number) <= LARGEST_INTEGER for number in numbers):
        assert from_json(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ("", "is not JSON"),
        ("NaN", "holds NaN"),
        ("-Infinity", "holds -Infinity"),
        ("9" * 5000, "more than 64 bits"),
        (str(LARGEST_INTEGER + 1), "more than 64 bits"),
        (str(-LARGEST_INTEGER - 2), "more than 64 bits"),
        ('{"a": "\\ud800"}', "half a character"),
        ('{"\\udfff": 1}', "half a character"),
        ("[" * 100_000, "more than 20 tables"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "more than 20 tables"),
        ("[" + "1," * MOST_VALUES + "1]", "more than 100,000 values"),
        (b"\xff\xfe{}", "UTF-8|not JSON"),
    ],
)
def test_json_that_is_refused(text, words):
    with pytest.raises(PlainDataError, match=words) as refusal:
        from_json(text)
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a =", "is not TOML"),
        ("a = 1979-02-30", "is not TOML"),
        ("a = " + "9" * 5000, "is not TOML"),
        ("a = " + "9" * 30, "more than 64 bits"),
        ("a = " + "[" * 50_000, "more than 20 tables"),
        ("a." * 100_000 + "a = 1", "more than 20 tables"),
        ("b = {" + "'a' . " * 50_000 + "a = 1}", "more than 20 tables"),
        ("[" + "a." * 100_000 + "a]", "more than 20 tables"),
    ],
)
def test_toml_that_is_refused_and_soon(text, words):
    began = time.process_time()
    with pytest.raises(PlainDataError, match=words):
        from_toml(text)
    # tomllib takes quadratic time for a key of many tables.
    assert time.process_time() - began < 2


def test_what_fits_exactly_is_read():
    deep = "[" * DEEPEST + "]" * DEEPEST
    assert from_json(deep)
    assert from_json(str(LARGEST_INTEGER)) == LARGEST_INTEGER
    assert from_json(str(-LARGEST_INTEGER)) == -LARGEST_INTEGER
    key = ".".join("a" * (DEEPEST - 1))
    assert from_toml(f"{key} = 1\nb = '1. 2. 3. of the sentences … and e.g. this'")


def test_a_text_file_is_read_within_bounds(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfword")
    assert read_text(path) == "word"
    assert read_text(path, most_bytes=7) == "word"
    with pytest.raises(PlainDataError, match="more than 6 bytes"):
        read_text(path, most_bytes=6)
    path.write_bytes(b"\xff")
    with pytest.raises(PlainDataError, match="UTF-8"):
        read_text(path)
    with pytest.raises(PlainDataError, match="not an ordinary file"):
        read_text(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_text(tmp_path / "none")


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("text", ['name = "x"\n', 'name = "größer ≤ 鳥"\r\n'])
def test_a_text_is_read_in_what_windows_writes_too(tmp_path, encoding, text):
    path = tmp_path / "a.toml"
    path.write_bytes(text.encode(encoding))
    assert read_text(path) == text
    assert from_toml(read_text(path))["name"] == text[8:].rstrip()[:-1]
    marked = b"\xfe\xff" + text.encode("utf-16-be")
    path.write_bytes(marked)
    assert read_text(path) == text
    path.write_bytes(marked + b"\x00")
    with pytest.raises(PlainDataError, match="not a text in UTF-8 or UTF-16"):
        read_text(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name")
def test_a_pipe_without_a_writer_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PlainDataError, match="not an ordinary file"):
        read_text(tmp_path / "pipe")
