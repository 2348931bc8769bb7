"""`metalab animate`: films from run files, refusals, and Ctrl+C."""

import json
import os
import signal

import pytest
from PIL import Image

from metalab.cli.main import run
from metalab.figures.animation import file as animation_file
from metalab.figures.animation.animation import Animation


@pytest.fixture(scope="module")
def run_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("animate") / "run.metalab"
    settings = ["outer.num_steps=30", "outer.num_tasks=2", "model.hidden_sizes=[4]"]
    settings += ["evaluation.num_tasks=16", "evaluation.every=10"]
    settings += ["evaluation.num_inner_steps=4"]
    options = [part for setting in settings for part in ("--set", setting)]
    assert run(["train", *options, "--out", str(path)]) == 0
    return path


def animate(run_file, figure, to, *options):
    small = ["--dpi", "40", "--num-frames", "4"]
    return run(["animate", str(run_file), figure, "--to", str(to), *small, *options])


@pytest.mark.parametrize(
    ("figure", "sweep", "steps"),
    [
        ("adaptation", "inner", [0, 1, 3, 4]),
        ("adaptation", "outer", [0, 10, 20, 30]),
        ("inner-loss", "outer", [0, 10, 20, 30]),
        ("losses", "outer", [1, 11, 20, 30]),
    ],
)
@pytest.mark.sampled(4)
def test_a_film_of_a_run_file(run_file, tmp_path, capsys, figure, sweep, steps):
    target = tmp_path / "film.gif"
    assert animate(run_file, figure, target, "--sweep", sweep) == 0
    assert capsys.readouterr().out.strip() == f"Wrote {target}"
    with Image.open(target) as film:
        assert film.n_frames == 4
        facts = json.loads(film.info["comment"])
    assert facts["steps"] == steps
    assert facts["animation"]["figure"] == figure


def test_a_range_and_a_folder(run_file, tmp_path, capsys):
    options = ["--first", "2", "--last", "3", "--fps", "2", "--hold", "0"]
    assert animate(run_file, "inner-loss", tmp_path / "film.png", *options) == 0
    assert capsys.readouterr().out.strip() == f"Wrote {tmp_path / 'film'}"
    names = sorted(file.name for file in (tmp_path / "film").iterdir())
    assert names == ["animation.json", "film-0000.png", "film-0001.png"]


@pytest.mark.parametrize(
    ("figure", "name", "options", "told"),
    [
        ("losses", "x.gif", [], "figure is 'losses'; allowed with sweep 'inner'"),
        ("adaptation", "x.avi", [], "allowed: .gif, .webp, .mp4, .png"),
        ("adaptation", "x.gif", ["--sweep", "up"], "sweep is 'up'; allowed: inner"),
        ("adaptation", "x.gif", ["--first", "9"], "first is 9; allowed: 0 to 4"),
        ("adaptation", "x.gif", ["--fps", "60"], "fps is 60; allowed in a GIF"),
        ("adaptation", "no/x.gif", [], "no does not exist"),
    ],
)
def test_it_refuses_with_one_message(
    run_file, tmp_path, monkeypatch, capsys, figure, name, options, told
):
    monkeypatch.chdir(tmp_path)
    assert animate(run_file, figure, name, *options) == 2
    error = capsys.readouterr().err
    assert told in error
    assert len(error.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_leaves_nothing(run_file, tmp_path, monkeypatch, capsys):
    class Interrupted(Animation):
        def picture(self, index, *, dpi=None):
            if index == 2:
                os.kill(os.getpid(), signal.SIGINT)
            return super().picture(index, dpi=dpi)

    monkeypatch.setattr(animation_file, "Animation", Interrupted)
    assert animate(run_file, "adaptation", tmp_path / "film.webp") == 130
    assert capsys.readouterr().err == "metalab: cancelled; nothing was written\n"
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_replaced_with_force_alone(run_file, tmp_path, capsys):
    for name in ("film.gif", "frames.png"):
        assert animate(run_file, "inner-loss", tmp_path / name) == 0
        target = capsys.readouterr().out.split()[-1]
        assert animate(run_file, "inner-loss", tmp_path / name) == 2
        assert f"{target} exists already; choose another name, or --force" in (
            capsys.readouterr().err
        )
        assert animate(run_file, "inner-loss", tmp_path / name, "--force") == 0
        capsys.readouterr()


def test_width_font_and_lines_are_those_asked_for(run_file, tmp_path, capsys):
    look = ["--width", "127mm", "--font", "DejaVu Serif", "--line-width", "2"]
    assert (
        animate(run_file, "losses", tmp_path / "a.gif", "--sweep", "outer", *look) == 0
    )
    with Image.open(tmp_path / "a.gif") as film:
        assert film.width == pytest.approx(127 / 25.4 * 40, abs=1)
        facts = json.loads(film.info["comment"])["animation"]
    assert (facts["font"], facts["line_width"]) == ("DejaVu Serif", 2)
    assert animate(run_file, "inner-loss", tmp_path / "b.gif", "--font", "Nosuch") == 2
    assert "font is 'Nosuch'" in capsys.readouterr().err
    assert animate(run_file, "inner-loss", tmp_path / "b.gif", "--font-size", "5") == 0
    assert "the smallest text of this figure has 4.4 points" in capsys.readouterr().err
