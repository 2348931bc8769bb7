"""The table of typed, pasted and loaded points: understood in words, or refused in words."""

import contextlib
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metalab.core.written_points import MOST_CHARACTERS, range_words, read_points

BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("text", "points", "words"),
    [
        ("10, 1\n20, 2", [(10, 1), (20, 2)], "2 points, separated by commas"),
        ("1, 2", [(1, 2)], "1 point, separated by commas"),
        (f"{BOM}1,5\n2,6", [(1, 5), (2, 6)], "2 points, separated by commas"),
        (
            f"{BOM}x,y\r\n1,5\r\n",
            [(1, 5)],
            "1 point, header 'x,y', separated by commas",
        ),
        (
            "time (s), U (V)\n1,2",
            [(1, 2)],
            "1 point, header 'time (s), U (V)', separated by commas",
        ),
        ("x\ty\n1.5\t2", [(1.5, 2)], "1 point, header 'x y', separated by tabs"),
        ("x y\n1 2", [(1, 2)], "1 point, header 'x y', separated by blanks"),
        ("1\t5\n2\t6", [(1, 5), (2, 6)], "2 points, separated by tabs"),
        (
            "1,5\t2,5\n3\t4,25",
            [(1.5, 2.5), (3, 4.25)],
            "2 points, decimal comma, separated by tabs",
        ),
        ("1;2\n3;4", [(1, 2), (3, 4)], "2 points, separated by semicolons"),
        (
            "x;y\n1,5;2,5\n3,5;4",
            [(1.5, 2.5), (3.5, 4)],
            "2 points, header 'x;y', decimal comma, separated by semicolons",
        ),
        ("1,25;3", [(1.25, 3)], "1 point, decimal comma, separated by semicolons"),
        (
            "1,5 2,5; 3,5 4,5",
            [(1.5, 2.5), (3.5, 4.5)],
            "2 points, decimal comma, separated by blanks",
        ),
        (
            "1,5, 2,5; 3,5, 4,5",
            [(1.5, 2.5), (3.5, 4.5)],
            "2 points, decimal comma, separated by commas",
        ),
        ('"1,5","2,5"', [(1.5, 2.5)], "1 point, decimal comma, separated by commas"),
        ('"1.5";"-2"', [(1.5, -2)], "1 point, separated by semicolons"),
        ("-5, 0; -3, 2;", [(-5, 0), (-3, 2)], "2 points, separated by commas"),
        (" 0 , 1 ;\n 2 , 3 ; ", [(0, 1), (2, 3)], "2 points, separated by commas"),
        (
            "# made by hand\n1 2\n\n3 4e-1",
            [(1, 2), (3, 0.4)],
            "2 points, separated by blanks",
        ),
        (
            "\N{MINUS SIGN}1,2\n3,\N{MINUS SIGN}4",
            [(-1, 2), (3, -4)],
            "2 points, separated by commas",
        ),
        ("1\N{NO-BREAK SPACE}2", [(1, 2)], "1 point, separated by blanks"),
    ],
)
def test_what_is_understood_is_said(text, points, words):
    found = read_points(text)
    assert found.points == tuple(points)
    assert found.words == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no points; allowed: two numbers a line, x and y"),
        (BOM, "holds no points"),
        ("x,y", "holds no points"),
        ("1,2,3\n4,5,6", "line 1 is '1,2,3', 3 values; allowed: two numbers, x and y"),
        (f"{BOM}1,2,3\n4,5", "line 1 is '1,2,3', 3 values"),
        ("a,b,c\n1,2", "line 1 is 'a,b,c'"),
        ("x,y\n1,2\n3", "line 3 is '3', 1 value;"),
        ("1,2\n\n\n3,x", "line 4 is '3,x'; allowed: two numbers, x and y"),
        ("x,y\na,b\n1,2", "line 2 is 'a,b'"),
        ("1,,2", "line 1 is '1,,2'"),
        ("1\t\t2", "line 1 is '1\\t\\t2'"),
        ("1,2,", "line 1 is '1,2,'"),
        ("1_000,2", "line 1 is '1_000,2'"),
        ("1.234,5;2", "entry 2 is '2', 1 value"),
        ("1, nan", "line 1 is '1, nan'; allowed: numbers up to 1,000,000 in size"),
        ("1,2\n-inf,2", "line 2 is '-inf,2'; allowed: numbers up to"),
        ("1,2\n1e9,2", "line 2 is '1e9,2'; allowed: numbers up to 1,000,000 in size"),
        ("1, 2; 3", "entry 2 is '3', 1 value"),
        ("(1, 2)", "line 1 is '(1, 2)'"),
        (
            "1,5; 2,5",
            "can be read in two ways, as (1, 5), (2, 5) and, with decimal commas, as (1.5, 2.5); write a blank behind each comma that parts x and y, or decimal points, or a first line x;y",
        ),
        (
            "0,1;2,3;4,5;6,7",
            "can be read in two ways, as (0, 1), (2, 3), … and, with decimal commas, as (0.1, 2.3), (4.5, 6.7)",
        ),
        ("1,5;2,5\n3,5;4,5", "can be read in two ways"),
        (
            "\n".join(f"{i} {i}" for i in range(10_001)),
            "holds 10,001 points; allowed: at most 10,000",
        ),
        (
            "1" * (MOST_CHARACTERS + 1),
            "holds 1,000,001 characters; allowed: at most 1,000,000",
        ),
    ],
)
def test_the_rest_is_refused_with_line_and_value(text, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are compared
        read_points(text)
    assert str(caught.value).startswith(words)


def test_what_was_stored_keeps_the_meaning_it_had():
    assert read_points("1,5; 2,5", stored=True).points == ((1, 5), (2, 5))
    assert read_points("0,1;2,3;4,5;6,7", stored=True).points[-1] == (6, 7)


def test_ten_thousand_points_are_read_in_a_moment():
    rows = np.random.default_rng(0).normal(size=(10_000, 2)).round(6)
    text = "x\ty\n" + "\n".join(f"{x}\t{y}" for x, y in rows.tolist())
    begin = time.thread_time()
    found = read_points(text)
    assert time.thread_time() - begin < 3
    np.testing.assert_array_equal(found.points, rows)
    assert found.words.startswith("10,000 points, header 'x y'")


def test_where_points_lie():
    assert range_words([(1, 0), (4, 2), (2, 1)]) == "x from 1 to 4"
    assert range_words([(1, 0)]) == "x = 1"


POINTS = st.lists(
    st.tuples(*2 * [st.floats(-1e5, 1e5).map(lambda value: round(value, 3))]),
    min_size=2,
    max_size=8,
)


@given(POINTS, st.sampled_from(["\t", ";", " "]), st.booleans())
def test_a_table_comes_back_with_either_decimal_sign(points, between, comma):
    header = f"x{between}y\n"
    text = header + "\n".join(f"{x:.3f}{between}{y:.3f}" for x, y in points)
    found = read_points(text.replace(".", ",") if comma else text)
    assert found.points == tuple(points)
    assert ("decimal comma" in found.words) == comma


@settings(max_examples=300)
@given(st.text(alphabet="0123456789.,;eE+-nax# \t\n\"'", max_size=40) | st.text())
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(ValueError):
        found = read_points(text)
        assert len(found.points) >= 1
        assert np.isfinite(found.points).all()
        assert found.words.startswith(f"{len(found.points)} point")
