"""What is said about a file that cannot be used."""

import pytest

from metalab.ui.learn.content import ContentError
from metalab.ui.learn.lesson import load_lesson

GOOD = """
title = "A lesson"
preset = "maml-sine"
[[pages]]
text = "Text"
"""


@pytest.fixture
def file(tmp_path):
    return tmp_path / "a.lesson.toml"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("title = ", "is not TOML"),
        ('preset = "maml-sine"\n[[pages]]\ntext = "t"', "title is missing"),
        (
            GOOD + "outer_step = -1",
            r"pages\.0\.outer_step is -1; .*greater than or equal",
        ),
        (GOOD + 'outer_step = "2"', r"outer_step is '2'; allowed: a whole number"),
        (GOOD + "outer_step = true", r"outer_step is True; allowed: a whole number"),
        (
            GOOD + 'workspace = "lives"',
            r"workspace is 'lives'; allowed: 'live', 'adapt'",
        ),
        (GOOD + "sound = 1", r"pages\.0\.sound is not a known field"),
        (
            'hidden_groups = ["inner", "x"]' + GOOD,
            r"hidden_groups\.1 is 'x'; .*'tasks'",
        ),
        ('hidden_groups = ["run", "run"]' + GOOD, "names a group twice; allowed: once"),
        ("overrides = 3" + GOOD, "overrides is 3; allowed: a table"),
        (GOOD.replace('"Text"', '" "'), r"pages\.0\.text is ' '; allowed: text"),
        ('title = "a"\npreset = "b"\npages = []', "pages is .*at least 1 item"),
        ('title = "a"\npreset = "b"\npages = 1', "pages is 1; allowed: a list"),
    ],
)
def test_a_bad_file_is_named_with_field_value_and_what_is_allowed(
    file, content, message
):
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ContentError, match=message) as found:
        load_lesson(file)
    assert file.name in str(found.value)


def test_a_long_value_is_shortened(file):
    file.write_text(GOOD + f'workspace = "{"x" * 5000}"', encoding="utf-8")
    with pytest.raises(ContentError) as found:
        load_lesson(file)
    assert len(str(found.value)) < 300


def test_a_file_that_is_not_there_or_no_text_is_named(file):
    with pytest.raises(ContentError, match="cannot be read: No such file"):
        load_lesson(file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ContentError, match="not a text in UTF-8"):
        load_lesson(file)
