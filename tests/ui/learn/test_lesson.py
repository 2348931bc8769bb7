"""Lessons that come with metalab, and writing one."""

import pytest

from metalab.experiment.config import preset_config
from metalab.experiment.fields import ConfigError, fields_of, with_overrides
from metalab.ui.learn.experiments import config_of, overrides_of
from metalab.ui.learn.lesson import (
    Bookmark,
    Lesson,
    LessonPage,
    load_lesson,
    own_lessons,
    save_lesson,
)

LESSON = Lesson(
    title='Quotes " and \\ and umlauts ä',
    preset="maml-sine",
    overrides={"inner.inner_lr": 0.02, "model.hidden_sizes": [20, 20]},
    hidden_groups=("run", "evaluation"),
    pages=(
        LessonPage(text="# Title\n\nText with *stress*\nand `code`.", outer_step=0),
        LessonPage(text='Three """ quotes', workspace="adapt", inner_step=3),
    ),
    bookmarks=(Bookmark(step=7, note="here"),),
)


def test_there_are_four():
    assert [lesson.title for lesson in own_lessons().values()] == [
        "What the outer loop learns",
        "Why first-order works",
        "When it breaks",
        "Implicit against unrolled",
    ]


@pytest.mark.parametrize("lesson", own_lessons().values(), ids=own_lessons())
def test_a_lesson_fits_its_experiment(lesson):
    config = config_of(lesson)
    groups = {info.group for info in fields_of(config)}
    assert set(lesson.hidden_groups) <= groups
    places = [page.outer_step for page in lesson.pages if page.outer_step is not None]
    places += [mark.step for mark in lesson.bookmarks]
    assert places
    # Where a lesson goes, an evaluation keeps a snapshot.
    assert all(0 <= step <= config.outer.num_steps for step in places)
    assert all(step % config.evaluation.every == 0 for step in places)
    inner = [page.inner_step or 0 for page in lesson.pages]
    assert max(inner) <= config.num_shown_steps


def test_a_lesson_that_is_saved_is_read_as_it_was(tmp_path):
    path = tmp_path / "mine.lesson.toml"
    save_lesson(path, LESSON)
    assert load_lesson(path) == LESSON
    save_lesson(path, own_lessons()["3-when-it-breaks"])
    assert load_lesson(path) == own_lessons()["3-when-it-breaks"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_lesson_that_cannot_be_saved_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "mine.lesson.toml"
    save_lesson(path, LESSON)
    old = path.read_text(encoding="utf-8")

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match="No space left"):
        save_lesson(path, own_lessons()["3-when-it-breaks"])
    assert path.read_text(encoding="utf-8") == old
    assert list(tmp_path.iterdir()) == [path]


def test_an_experiment_is_told_by_its_preset_and_the_rest():
    changes = [
        ("outer.optimizer.kind", "sgd"),
        ("outer.optimizer.outer_lr", 0.2),
        ("model.hidden_sizes", [8]),
        ("name", "mine"),
    ]
    config = with_overrides(preset_config("maml-sine"), changes)
    told = LESSON.model_copy(update={"overrides": overrides_of(config, "maml-sine")})
    assert config_of(told) == config
    assert overrides_of(preset_config("maml-sine"), "maml-sine") == {}


def test_an_override_that_is_not_allowed_is_named():
    told = LESSON.model_copy(update={"overrides": {"inner.inner_lr": -1}})
    with pytest.raises(ConfigError, match=r"inner\.inner_lr is -1"):
        config_of(told)
