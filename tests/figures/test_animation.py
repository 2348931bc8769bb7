"""Animations: every frame there, axes at rest, nothing left of what was given up."""

import json

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from metalab.engine.config import preset_config
from metalab.engine.overrides import with_overrides
from metalab.figures.animation import (
    AnimationChoices,
    frames_of,
    pictures,
)
from metalab.figures.animation_file import write_animation
from metalab.figures.base import FigureError
from metalab.runs.conduct import conduct
from metalab.runs.control import RunControl
from metalab.runs.live import LiveRun

SMALL = {"dpi": 40, "num_frames": 4, "fps": 10}


@pytest.fixture(scope="module")
def history():
    config = with_overrides(
        preset_config("maml-sine"),
        [
            ("outer.num_steps", 60),
            ("outer.num_tasks", 4),
            ("model.hidden_sizes", [8]),
            ("evaluation.num_tasks", 16),
            ("evaluation.num_inner_steps", 3),
            ("evaluation.every", 20),
        ],
    )
    live = LiveRun(config)
    conduct(live, RunControl())
    return live.snapshot()


def test_an_inner_sweep_has_a_frame_for_every_inner_step(history):
    frames = frames_of(history, AnimationChoices(**SMALL))
    assert len(frames) == 4
    for step, frame in enumerate(frames):
        drawn = np.isfinite(frame.history.curves.curves).all(axis=(0, 2))
        assert drawn.tolist() == [k <= step for k in range(4)]


def test_an_outer_sweep_shows_the_run_as_it_was(history):
    frames = frames_of(history, AnimationChoices(sweep="outer", **SMALL))
    steps = [frame.history.step for frame in frames]
    assert steps[0] == 0
    assert steps[-1] == 60
    for frame in frames:
        assert len(frame.history.steps) == frame.history.step
        assert frame.history.curves.step == frame.history.step
        assert (frame.history.evaluations.steps <= frame.history.step).all()
    np.testing.assert_allclose(
        frames[-1].history.curves.curves, history.curves.curves, atol=1e-5
    )


@pytest.mark.parametrize(
    ("figure", "sweep"),
    [("adaptation", "inner"), ("adaptation", "outer"), ("losses", "outer")],
)
def test_frames_have_one_size_and_axes_do_not_jump(history, figure, sweep):
    choices = AnimationChoices(figure=figure, sweep=sweep, **SMALL)
    images = [np.asarray(image) for image, _ in pictures(history, choices)]
    assert len({image.shape for image in images}) == 1
    # The left edge holds the numbers of the vertical axis.
    edges = [image[:, : image.shape[1] // 12] for image in images]
    assert all((edge == edges[0]).all() for edge in edges)
    assert not (images[0] == images[-1]).all()


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_a_film_can_be_decoded(history, tmp_path, suffix):
    path = tmp_path / f"film{suffix}"
    told = []
    choices = AnimationChoices(hold=0.5, **SMALL)
    assert write_animation(
        path, history, choices, progress=lambda *done: told.append(done)
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    with Image.open(path) as film:
        assert film.n_frames == 4
        times = []
        for index in range(4):
            film.seek(index)
            film.load()
            times.append(film.info["duration"])
        if suffix == ".gif":
            film.seek(0)
            facts = json.loads(film.info["comment"])
            assert facts["config_digest"] == history.config.digest()
    assert times[:3] == [100, 100, 100]
    assert times[3] == 600
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_mp4_has_frames_and_holds_the_last(history, tmp_path):
    path = tmp_path / "film.mp4"
    assert write_animation(path, history, AnimationChoices(hold=1.0, **SMALL))
    count, seconds = imageio_ffmpeg.count_frames_and_secs(str(path))
    assert count == 4 + 10
    assert seconds == pytest.approx(1.4, abs=0.1)


def test_frames_go_to_a_folder_of_their_own(history, tmp_path):
    for _ in range(2):
        assert write_animation(
            tmp_path / "film.png", history, AnimationChoices(**SMALL)
        )
    names = sorted(file.name for file in (tmp_path / "film").iterdir())
    assert names == ["animation.json", *(f"film-{k:04}.png" for k in range(4))]
    other = tmp_path / "mine"
    other.mkdir()
    with pytest.raises(FigureError, match="holds no frames"):
        write_animation(tmp_path / "mine.png", history, AnimationChoices(**SMALL))


@pytest.mark.parametrize("suffix", [".gif", ".png", ".mp4"])
def test_what_is_given_up_leaves_nothing(history, tmp_path, suffix):
    path = tmp_path / f"film{suffix}"
    answers = iter([False, True])
    choices = AnimationChoices(**SMALL)
    assert not write_animation(path, history, choices, cancelled=lambda: next(answers))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"sweep": "sideways"}, "sweep is 'sideways'; allowed: inner, outer"),
        ({"figure": "losses"}, "figure is 'losses'; allowed with sweep 'inner'"),
        ({"fps": 0}, "fps is 0; allowed: 1 to 60"),
        ({"num_frames": 1}, "num_frames is 1"),
        ({"dpi": 9}, "dpi is 9"),
    ],
)
def test_what_cannot_be_drawn_is_refused(changes, named):
    with pytest.raises(FigureError, match=named):
        AnimationChoices(**changes)


def test_an_unknown_format_is_refused(history, tmp_path):
    with pytest.raises(FigureError, match=r"allowed: .gif, .webp, .png, .mp4"):
        write_animation(tmp_path / "film.avi", history, AnimationChoices())
    with pytest.raises(FigureError, match="folder"):
        write_animation(tmp_path / "no" / "film.gif", history, AnimationChoices())
