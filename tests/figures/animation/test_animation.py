"""Animations: every frame there and at rest, nothing left of what was given up."""

import json
from dataclasses import replace
from itertools import pairwise

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides
from metalab.figures.animation import file as animation_file
from metalab.figures.animation.animation import Animation
from metalab.figures.animation.choices import AnimationChoices, shown_steps
from metalab.figures.animation.file import write_animation
from metalab.figures.base import FigureChoices
from metalab.figures.errors import FigureError
from metalab.figures.kinds.adaptation import FIGURE as ADAPTATION
from metalab.figures.kinds.inner_loss import FIGURE as INNER_LOSS
from metalab.figures.paint import paint, scales_of, styled
from metalab.figures.sizes import size_named
from metalab.runs.record.live import LiveRun
from metalab.runs.running.control import RunControl
from metalab.runs.running.run import run_experiment
from tests.figures.histories import make_history, without_evaluations, without_rows

SMALL = {"dpi": 40, "num_frames": 4, "fps": 10}
EVERY_SWEEP = [
    ("inner", "adaptation"),
    ("inner", "inner-loss"),
    ("outer", "adaptation"),
    ("outer", "inner-loss"),
    ("outer", "losses"),
]


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
    run_experiment(live, RunControl())
    return live.snapshot()


# --------------------------------------------------------------- what frames show


def test_an_inner_sweep_has_a_frame_for_every_inner_step(history):
    animation = Animation(history, AnimationChoices(**SMALL))
    frames = [animation.frame(index) for index in range(len(animation))]
    assert [frame.choices.inner_step for frame in frames] == [0, 1, 2, 3]
    assert [frame.text for frame in frames][::3] == [
        "Inner step 0 of 3",
        "Inner step 3 of 3",
    ]


@pytest.mark.parametrize("step", [0, 7, 30])
def test_a_frame_of_adaptation_stands_at_its_inner_step(step):
    """Of 31 curves a figure draws 11: the frame's own is always among them."""
    history = make_history(num_shown_steps=30)
    drawing = ADAPTATION.draw(
        history, FigureChoices(inner_step=step), size_named("single")
    )
    drawn = [c for c in drawing.calls if c.where.get("part") == "prediction"]
    steps = [int(call.where["inner_step"]) for call in drawn]
    assert steps[0] == 0
    assert steps[-1] == step == max(steps)
    assert drawn[-1].options["label"] == "This inner step"
    (mark,) = [call for call in drawing.calls if call.method == "key.plot"]
    rows = next(c for c in drawing.calls if c.method == "key.set_yticks")
    names = [int(name.split()[0]) for name in rows.options["labels"]]
    place = mark.arguments[1][0]
    assert np.interp(place, range(len(names)), names) == pytest.approx(step)


def test_a_frame_of_losses_ends_at_its_inner_step(history):
    choices = FigureChoices(inner_step=2)
    table = INNER_LOSS.draw(history, choices, size_named("single")).table
    assert set(table.numbers("inner_step")) == {0, 1, 2}
    whole = INNER_LOSS.draw(history, FigureChoices(), size_named("single")).table
    kept = whole.numbers("inner_step") <= 2
    np.testing.assert_array_equal(
        table.numbers("query_loss"), whole.numbers("query_loss")[kept]
    )


@pytest.mark.parametrize("figure", [ADAPTATION, INNER_LOSS])
def test_an_inner_step_that_was_not_made_is_refused(history, figure):
    with pytest.raises(FigureError, match="inner_step is 4; allowed: 0 to 3"):
        figure.draw(history, FigureChoices(inner_step=4), size_named("single"))


def test_an_outer_sweep_shows_the_run_as_it_was(history):
    animation = Animation(history, AnimationChoices(sweep="outer", **SMALL))
    frames = [animation.frame(index) for index in range(len(animation))]
    steps = [frame.history.step for frame in frames]
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1]) == (0, 60)
    for frame in frames:
        assert len(frame.history.steps) == frame.history.step
        assert frame.history.curves.step == frame.history.step
    np.testing.assert_allclose(
        frames[-1].history.curves.curves, history.curves.curves, atol=1e-5
    )


def test_each_figure_has_its_own_moments(history):
    def steps(figure):
        chosen = AnimationChoices(sweep="outer", figure=figure, num_frames=600)
        return shown_steps(history, chosen)

    assert steps("losses") == list(range(1, 61))
    assert steps("inner-loss") == history.evaluations.steps.tolist()
    assert steps("adaptation") == history.trail.steps.tolist()


def test_a_range_of_steps(history):
    def steps(**chosen):
        return shown_steps(
            history,
            AnimationChoices(sweep="outer", figure="losses", **chosen),
        )

    assert steps(first=11, last=20) == list(range(11, 21))
    assert steps(first=11, last=20, num_frames=4) == [11, 14, 17, 20]
    assert steps(first=59) == [59, 60]


# --------------------------------------------------------------- frames at rest


@pytest.mark.parametrize(("sweep", "figure"), EVERY_SWEEP)
@pytest.mark.sampled(3)
def test_axes_do_not_jump(history, sweep, figure):
    """Below and to the left of the axes stand their numbers: not a pixel differs."""
    choices = AnimationChoices(figure=figure, sweep=sweep, **(SMALL | {"dpi": 80}))
    animation = Animation(history, choices)
    images = list(animation.pictures())
    assert len(images) == len(animation) == 4
    width, height = choices.pixels
    assert {image.shape for image in images} == {(height, width, 3)}
    left, bottom, _, _ = _box(animation)
    for image in images:
        # A marker at the axes' very edge reaches a little beyond it.
        x, y = int(left * width) - 5, int(bottom * height) - 5
        np.testing.assert_array_equal(image[:, :x][height // 4 :], _left(images, x))
        np.testing.assert_array_equal(image[-y:], images[-1][-y:])
    for one, next_one in pairwise(images):
        assert (one != next_one).any()


def _left(images, x):
    return images[-1][:, :x][images[-1].shape[0] // 4 :]


def _box(animation):
    (call,) = [c for c in animation._fixed if c.method == "ax.set_position"]
    return call.arguments[0]


@pytest.mark.parametrize(("sweep", "figure"), EVERY_SWEEP)
@pytest.mark.sampled(3)
def test_limits_hold_every_frame(history, sweep, figure):
    animation = Animation(
        history, AnimationChoices(figure=figure, sweep=sweep, **SMALL)
    )
    animation.settle()
    size = size_named("single")
    seen = []
    for index in range(len(animation)):
        drawing = animation._drawing(index, animation._fixed)
        with styled(size):
            scales = scales_of(paint(drawing, size))
        seen.append(scales)
        for call in drawing.calls:
            if call.method == "ax.plot" and call.options["zorder"] > 1:
                values = drawing.table.select(call.columns, call.where)
                ends = (scales["ax"].x, scales["ax"].y)
                for numbers, (low, high) in zip(values, ends, strict=True):
                    assert ((low <= numbers) & (numbers <= high)).all()
    assert len(seen) == 4
    assert all(scales == seen[0] for scales in seen)


def test_the_first_picture_settles_and_giving_up_does_not(history):
    animation = Animation(history, AnimationChoices(**SMALL))
    assert not animation.settle(lambda: True)
    picture = animation.picture(1)
    assert animation.settle(lambda: True)
    np.testing.assert_array_equal(picture, list(animation.pictures())[1])


# --------------------------------------------------------------- files


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
@pytest.mark.sampled(2)
def test_a_film_can_be_decoded(history, tmp_path, suffix):
    path = tmp_path / f"film{suffix}"
    told = []
    choices = AnimationChoices(hold_first=0.2, hold=0.5, **SMALL)
    assert write_animation(
        path, history, choices, progress=lambda *done: told.append(done)
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    with Image.open(path) as film:
        assert film.size == choices.pixels
        assert film.n_frames == 4
        times, frames = [], []
        for index in range(4):
            film.seek(index)
            film.load()
            times.append(film.info["duration"])
            frames.append(np.asarray(film.convert("RGB")).astype(int))
        film.seek(0)
        facts = film.info["comment"] if suffix == ".gif" else film.getexif()[0x010E]
    assert times == [300, 100, 100, 600]
    assert json.loads(facts)["config_digest"] == history.config_at().digest()
    assert json.loads(facts)["steps"] == [0, 1, 2, 3]
    drawn = Animation(history, choices).pictures()
    for decoded, picture in zip(frames, drawn, strict=True):
        assert (decoded[0, 0] == 255).all()
        assert np.abs(decoded - picture).max() <= (24 if suffix == ".gif" else 0)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_mp4_has_frames_and_holds_both_ends(history, tmp_path):
    path = tmp_path / "film.mp4"
    choices = AnimationChoices(hold_first=0.5, hold=1.0, **SMALL)
    assert write_animation(path, history, choices)
    count, seconds = imageio_ffmpeg.count_frames_and_secs(str(path))
    assert count == 5 + 4 + 10
    assert seconds == pytest.approx(choices.seconds(4), abs=0.1)
    facts = next(imageio_ffmpeg.read_frames(str(path)))
    assert facts["size"] == choices.pixels
    assert history.config_at().digest().encode() in path.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.slow
def test_frames_go_to_a_folder_of_their_own(history, tmp_path):
    for _ in range(2):
        assert write_animation(
            tmp_path / "film.png", history, AnimationChoices(**SMALL)
        )
    names = sorted(file.name for file in (tmp_path / "film").iterdir())
    assert names == ["animation.json", *(f"film-{k:04}.png" for k in range(4))]
    with Image.open(tmp_path / "film" / "film-0002.png") as frame:
        assert frame.size == AnimationChoices(**SMALL).pixels
        facts = json.loads(frame.text["Description"])
    assert facts["animation"]["sweep"] == "inner"
    assert [file.name for file in tmp_path.iterdir()] == ["film"]


def test_a_folder_of_something_else_is_left_alone(history, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "folder.gif").mkdir()
    for name, told in (("mine.png", "holds no frames"), ("folder.gif", "is a folder")):
        with pytest.raises(FigureError, match=told):
            write_animation(tmp_path / name, history, AnimationChoices(**SMALL))
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("suffix", "asked"),
    [(".gif", 0), (".gif", 2), (".gif", 7), (".webp", 5), (".png", 6), (".mp4", 6)],
)
@pytest.mark.sampled(3)
def test_what_is_given_up_leaves_nothing(history, tmp_path, suffix, asked):
    """Given up while looking for the axes, and while drawing."""
    answers = iter([*[False] * asked, True])
    assert not write_animation(
        tmp_path / f"film{suffix}",
        history,
        AnimationChoices(**SMALL),
        cancelled=lambda: next(answers),
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png", ".mp4"])
@pytest.mark.sampled(4)
def test_an_error_half_way_keeps_what_was_there(history, tmp_path, suffix):
    path = tmp_path / f"film{suffix}"
    older = tmp_path / "film" / "animation.json" if suffix == ".png" else path
    older.parent.mkdir(exist_ok=True)
    older.write_text("the older one")

    def full(done, _count):
        if done == 2:
            raise OSError(28, "No space left on device")

    choices = AnimationChoices(**SMALL)
    with pytest.raises(FigureError, match=r"cannot write .*: No space left"):
        write_animation(path, history, choices, progress=full)
    assert [f for f in tmp_path.rglob("*") if f.is_file()] == [older]
    assert older.read_text() == "the older one"


# --------------------------------------------------------------- time


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
@pytest.mark.parametrize("fps", [7, 12, 24, 50])
def test_rounded_durations_add_up(fps, suffix):
    choices = AnimationChoices(fps=fps, hold_first=0.25, hold=1.5)
    times = choices.durations(100, suffix)
    unit = 10 if suffix == ".gif" else 1
    assert all(time % unit == 0 and time > 0 for time in times)
    assert sum(times) == pytest.approx(1000 * choices.seconds(100), abs=unit)


def test_a_gif_is_not_faster_than_viewers_play_it(history, tmp_path):
    choices = AnimationChoices(**(SMALL | {"fps": 60}))
    with pytest.raises(FigureError, match="fps is 60; allowed in a GIF: 1 to 50"):
        write_animation(tmp_path / "film.gif", history, choices)
    assert list(tmp_path.iterdir()) == []


# --------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"sweep": "sideways"}, "sweep is 'sideways'; allowed: inner, outer"),
        ({"figure": "losses"}, "figure is 'losses'; allowed with sweep 'inner'"),
        ({"fps": 0}, "fps is 0; allowed: 1 to 60"),
        ({"num_frames": 1}, "num_frames is 1; allowed: 2 to 600"),
        ({"dpi": 9}, "dpi is 9; allowed: 30 to 600"),
        ({"hold": -1}, "hold is -1; allowed: 0 to 60"),
        ({"hold_first": 61}, "hold_first is 61; allowed: 0 to 60"),
        ({"size": "huge"}, "size is 'huge'; allowed: single"),
        ({"first": -1}, "first is -1; allowed: 0 or more"),
        ({"first": 3, "last": 3}, "last is 3; allowed: above the first step, 3"),
    ],
)
def test_what_cannot_be_drawn_is_refused(changes, named):
    with pytest.raises(FigureError, match=named):
        AnimationChoices(**changes)


@pytest.mark.parametrize(
    ("chosen", "named"),
    [
        ({"first": 9}, "first is 9; allowed: 0 to 3, the inner steps of this run"),
        ({"last": 9}, "last is 9; allowed: 0 to 3, the inner steps"),
        (
            {"sweep": "outer", "first": 21, "last": 39},
            "first is 21 and last is 39; allowed: a range with 2 or more outer steps",
        ),
    ],
)
def test_steps_that_are_not_there_are_refused(history, chosen, named):
    with pytest.raises(FigureError, match=named):
        shown_steps(history, AnimationChoices(**chosen))


def test_a_run_that_lacks_what_is_animated_is_refused():
    history = without_evaluations(without_rows(make_history()))
    history = replace(history, curves=None)
    for sweep, figure in EVERY_SWEEP:
        with pytest.raises(FigureError, match=r"needs .*; this run has"):
            Animation(history, AnimationChoices(sweep=sweep, figure=figure))


def test_an_unknown_format_is_refused(history, tmp_path):
    with pytest.raises(FigureError, match=r"'.avi'; allowed: .gif, .webp, .mp4, .png"):
        write_animation(tmp_path / "film.avi", history, AnimationChoices())
    with pytest.raises(FigureError, match="folder"):
        write_animation(tmp_path / "no" / "film.gif", history, AnimationChoices())


def test_more_pixels_than_fit_into_memory_are_refused(history, tmp_path):
    choices = AnimationChoices(dpi=600, size="slide", figure="losses", sweep="outer")
    with pytest.raises(FigureError, match=r"60 frames of 6000 × 3376 .*allowed: 19"):
        write_animation(tmp_path / "film.gif", history, choices)


def test_mp4_without_its_extra_names_it(history, tmp_path, monkeypatch):
    monkeypatch.setattr(animation_file, "find_spec", lambda _name: None)
    with pytest.raises(FigureError, match=r"pip install 'metalab\[animation\]'"):
        write_animation(tmp_path / "film.mp4", history, AnimationChoices(**SMALL))


@pytest.mark.parametrize("x", ["outer step", "tasks seen", "training time"])
def test_frames_are_even_on_the_axis_that_is_drawn(history, x):
    """Steps whose losses are kept are dense at the start; so is time where it is slow."""
    kept = np.unique(np.geomspace(1, len(history.steps), 60).astype(int)) - 1
    slow = np.cumsum(np.geomspace(1, 0.001, len(history.steps)))
    sparse = replace(
        history,
        steps=history.steps[kept],
        seconds=slow[kept],
        metrics={name: values[kept] for name, values in history.metrics.items()},
    )
    chosen = AnimationChoices(
        figure="losses",
        sweep="outer",
        num_frames=8,
        figure_choices=FigureChoices(x=x),
    )
    steps = np.array(shown_steps(sparse, chosen))
    axis = sparse.seconds if x == "training time" else sparse.steps
    shown = axis[np.searchsorted(sparse.steps, steps)]
    ideal = np.linspace(axis[0], axis[-1], 8)
    widest = np.diff(axis).max()
    assert (np.abs(ideal[:, None] - shown).min(axis=1) <= widest / 2 + 1e-9).all()
    assert (np.diff(steps) > 0).all()
    assert {steps[0], steps[-1]} == {sparse.steps[0], sparse.steps[-1]}
