"""Tests of labels: what is allowed, and that changes add up."""

import pytest

from metalab.runs.library.labels import (
    LONGEST_NOTE,
    LabelChange,
    LabelError,
    Labels,
    as_fact,
    checked_tags,
)

LABELS = Labels(tags=("a", "b"), note="before", colour="red")


def test_a_change_leaves_alone_what_it_does_not_name():
    changed = LabelChange(add_tags=("c",), remove_tags=("a", "z")).on(LABELS)
    assert changed == Labels(tags=("b", "c"), note="before", colour="red")


def test_the_change_that_takes_another_back_restores_everything():
    change = LabelChange(add_tags=("b", "c"), remove_tags=("a", "z"), note="after")
    undo = change.undoing("name", LABELS)
    assert undo.on(change.on(LABELS)) == LABELS
    assert LabelChange(name="new").undoing("old", LABELS).name == "old"


def test_two_changes_in_one_do_what_both_do():
    first = LabelChange(add_tags=("c",), remove_tags=("a",), note="first")
    second = LabelChange(add_tags=("a",), remove_tags=("c",), archived=True)
    both = first.then(second)
    assert both.on(LABELS) == second.on(first.on(LABELS))


def test_tags_are_words_in_lower_case():
    assert checked_tags(["#Thesis", "a.b-c", "thesis"]) == ("a.b-c", "thesis")
    for text in ("", "two words", "-x", "a" * 41):
        with pytest.raises(LabelError, match="tag is"):
            checked_tags([text])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (LabelChange(name=" \n"), "name is"),
        (LabelChange(name="x" * 201), "201 characters"),
        (LabelChange(note="x" * (LONGEST_NOTE + 1)), "4,001 characters"),
        (LabelChange(colour="pink"), "colour is 'pink'; allowed: blue"),
    ],
)
def test_a_change_that_is_not_allowed_names_value_and_limit(change, told):
    with pytest.raises(LabelError, match=told):
        change.checked()


def test_a_run_has_fifty_tags_at_most():
    many = tuple(f"t{number}" for number in range(51))
    with pytest.raises(LabelError, match="51 on one run; allowed: 50"):
        LabelChange(add_tags=many).on(Labels())


def test_what_a_later_version_has_added_to_the_fact_stays():
    assert as_fact(LABELS, {"stars": 3})["stars"] == 3
