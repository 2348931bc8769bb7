"""Tests of the filter language."""

from dataclasses import replace
from pathlib import Path

import pytest

from metalab.runs.library.entry import RunEntry, Score
from metalab.runs.library.filter import FilterError, parse_filter
from metalab.runs.library.labels import Labels
from metalab.runs.record.status import RunStatus

RUN = RunEntry(
    path=Path("/x/one.metalab"),
    name="My Sine, inner_lr 0.05",
    status=RunStatus.FINISHED,
    seed=3,
    step=100,
    num_steps=100,
    method="maml",
    config={"inner.num_inner_steps": 5, "inner.inner_lr": 0.05, "model.kind": "mlp"},
    best=Score(50, 0.3),
    last=Score(100, 0.5),
    seconds=20.0,
    created="2026-11-20T12:00:00+00:00",
    labels=Labels(tags=("thesis",), note="good for chapter 2", colour="red"),
)

PASSING = (
    "",
    "sine",
    '"my sine"',
    "-cosine",
    "method:maml k=5 k>4 k>=5 k<6 -k>5",
    "tag:thesis -tag:draft",
    "note:chapter",
    "state:finished seed:3",
    "loss<=0.5 best<0.4 loss!=0.4",
    "inner.inner_lr=0.05 inner_lr:0.05 model:mlp",
    "speed=5 duration>19",
    "created>=2026-11-19 created<2026-11-22",
    "colour:red archived:no file:one",
)

FAILING = (
    "cosine",
    "-sine",
    "method:mam",
    "k>5",
    "tag:the",
    "state:diverged",
    "loss<0.5",
    "inner_lr:0.5",
    "created<2026-11-19",
    "sine cosine",
    "note:",
    "outer_lr>0",
)


@pytest.mark.parametrize("text", PASSING)
def test_a_run_passes(text):
    assert parse_filter(text, RUN.config)(RUN)


@pytest.mark.parametrize("text", FAILING)
def test_a_run_does_not_pass(text):
    assert not parse_filter(text, RUN.config)(RUN)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sine stat:finished", r"'stat:finished'.*did you mean 'state'"),
        ("loss<low", r"'loss<low': 'low' is no number"),
        ("state:broken", "'broken' is none; allowed: running, finished"),
        ('note:"two words', "a quotation mark is not closed"),
        ("k>", "nothing behind '>'"),
        ("created>yesterday", "is no day; allowed: one such as 2026-11-30"),
        ("inner.inner_rl=1", "did you mean 'inner.inner_lr'"),
        ("archived:perhaps", "allowed: yes, no"),
    ],
)
def test_a_slip_of_the_pen_names_the_word_and_what_is_allowed(text, told):
    with pytest.raises(FilterError, match=told):
        parse_filter(text, RUN.config)


def test_archived_runs_are_left_out_unless_they_are_spoken_of():
    archived = replace(RUN, labels=Labels(archived=True))
    assert not parse_filter("")(archived)
    assert parse_filter("archived:yes")(archived)
    assert not parse_filter("archived:yes")(RUN)


def test_an_unreadable_file_fails_every_comparison_and_no_error():
    lost = RunEntry(path=Path("/x/lost.metalab"), name="lost", problem="damaged")
    assert not parse_filter("loss<1")(lost)
    assert not parse_filter("k>1")(lost)
    assert parse_filter("state:unreadable lost")(lost)
