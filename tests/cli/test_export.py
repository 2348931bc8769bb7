"""`metalab export`: every figure of a run file, its look, and what is there already."""

import csv
import json
import re

import numpy as np
import pytest
from pypdf import PdfReader

from metalab.analysis.learned_rates import learned_rates
from metalab.cli.main import run
from metalab.figures.names import figure_names
from metalab.figures.registry import figures
from metalab.runs.record.reader import open_run


@pytest.fixture(scope="module")
def run_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "rates.metalab"
    settings = ["outer.num_steps=20", "outer.num_tasks=2", "model.hidden_sizes=[4]"]
    settings += ["evaluation.num_tasks=16", "evaluation.every=10"]
    settings += ["diagnostics.every=10", "inner.inner_lr_high=0.1"]
    options = [part for setting in settings for part in ("--set", setting)]
    begin = ["train", "--preset", "meta-sgd-sine"]
    assert run([*begin, *options, "--out", str(path)]) == 0
    return path


def export(run_file, figure, to, *options):
    return run(["export", str(run_file), figure, "--to", str(to), *options])


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("figure", [f for f, s in figures().items() if not s.costly])
@pytest.mark.sampled(3)
def test_every_figure_of_a_run_file(run_file, tmp_path, capsys, figure):
    target = tmp_path / "figure.pdf"
    look = ["--width", "100", "--font", "DejaVu Serif", "--font-size", "7"]
    assert export(run_file, figure, target, *look, "--line-width", "0.8") == 0
    assert capsys.readouterr().out.strip() == f"Wrote {target}"
    page = PdfReader(target).pages[0]
    assert float(page.mediabox.width) / 72 * 25.4 == pytest.approx(100)
    facts = json.loads(PdfReader(target).metadata.subject)
    assert facts["style"] == {
        "width": 100,
        "font": "DejaVu Serif",
        "font_size": 7,
        "line_width": 0.8,
    }


@pytest.mark.slow
@pytest.mark.parametrize("figure", [f for f, s in figures().items() if s.costly])
def test_what_takes_longer_is_computed_too(run_file, tmp_path, figure):
    assert export(run_file, figure, tmp_path / "figure.csv") == 0
    assert len(read(tmp_path / "figure.csv")) > 5


def test_learned_rates_are_those_of_the_meta_parameters(run_file, tmp_path, capsys):
    """Against the numbers themselves: of Meta-SGD, phi ends with one rate a parameter."""
    assert export(run_file, "learned-rates", tmp_path / "rates.csv") == 0
    rates = np.array([float(row["rate"]) for row in read(tmp_path / "rates.csv")])
    state = open_run(run_file).newest_state()
    num_parameters = (1 * 4 + 4) + (4 * 1 + 1)
    assert len(state.phi) == 2 * num_parameters
    np.testing.assert_allclose(rates, state.phi[num_parameters:], rtol=1e-6)
    found = learned_rates(open_run(run_file).history.config_at(), state.phi)
    assert found.num_negative == int((state.phi[num_parameters:] < 0).sum())
    low, high = found.quantiles((0.0, 1.0))
    assert (low, high) == (rates.min(), rates.max())


def test_an_earlier_step_is_shown_as_it_was(run_file, tmp_path):
    for step in ("0", "7"):
        target = tmp_path / f"{step}.csv"
        assert export(run_file, "learned-rates", target, "--step", step) == 0
    first = [float(row["rate"]) for row in read(tmp_path / "0.csv")]
    assert 0.005 <= min(first) <= max(first) <= 0.1
    assert read(tmp_path / "7.csv") != read(tmp_path / "0.csv")
    assert export(run_file, "losses", tmp_path / "l.csv", "--step", "7") == 0
    assert read(tmp_path / "l.csv")[-1]["outer_step"] == "7"


def test_points_of_ones_own(run_file, tmp_path):
    points = tmp_path / "points.csv"
    points.write_text("x,y\n-1.5,2\n0,0.25\n3,-1\n")
    to = tmp_path / "adapt.csv"
    assert export(run_file, "adapt", to, "--points", str(points)) == 0
    rows = read(to)
    support = [(row["x"], row["y"]) for row in rows if row["part"] == "support"]
    assert support == [("-1.5", "2"), ("0", "0.25"), ("3", "-1")]
    # Nobody knows a curve behind them.
    assert not [row for row in rows if row["part"] == "true curve"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no points"),
        ("x,y\n1,2,3\n", "line 2 is '1,2,3', 3 values; allowed: two numbers, x and y"),
        ("1,2\n1,nan\n", "line 2 is '1,nan'"),
        (None, "cannot be read: No such file"),
    ],
)
def test_points_that_are_none_are_refused(run_file, tmp_path, capsys, text, message):
    points = tmp_path / "points.csv"
    if text is not None:
        points.write_text(text)
    to = tmp_path / "adapt.csv"
    assert export(run_file, "adapt", to, "--points", str(points)) == 2
    assert message in capsys.readouterr().err
    assert not to.exists()


def test_nothing_is_replaced_unasked(run_file, tmp_path, capsys):
    """A script comes with a CSV, which may be somebody's own."""
    data = tmp_path / "losses.csv"
    data.write_text("mine")
    assert export(run_file, "losses", tmp_path / "losses.py") == 2
    message = f"metalab: {data} exists already; choose another name, or --force"
    assert capsys.readouterr().err.strip() == message
    assert data.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["losses.csv"]
    assert export(run_file, "losses", tmp_path / "losses.py", "--force") == 0
    assert data.read_text() != "mine"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--width", "10"], "width is 10; allowed: 40 to 600"),
        (["--font", "Helvetca"], "font is 'Helvetca', which is not installed here"),
        (["--font-size", "50"], "font_size is 50; allowed at a width of 89 mm"),
        (["--line-width", "0"], "line_width is 0; allowed: 0.2 to 10"),
        (["--smoothing", "2"], "smoothing is 2.0; allowed: 0 to 0.5"),
        (["--x", "wall-time"], "x is 'wall time'; allowed: outer step"),
        (["--legend", "left"], "legend is 'left'; allowed: above, right, none"),
        (["--surface", "loss"], "surface is 'loss'; allowed: support"),
        (["--zoom", "9"], "zoom is 9; allowed: -4 to 4"),
        (["--step", "21"], "has no outer step 21; allowed: 0 to 20"),
    ],
)
def test_a_bad_option_is_named(run_file, tmp_path, capsys, options, message):
    assert export(run_file, "losses", tmp_path / "a.pdf", *options) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_x_axis_and_the_smoothing_can_be_chosen(run_file, tmp_path):
    options = ["--x", "tasks-seen", "--smoothing", "0", "--legend", "right"]
    assert export(run_file, "losses", tmp_path / "a.py", *options) == 0
    text = (tmp_path / "a.py").read_text(encoding="utf-8")
    assert "'Tasks seen'" in text
    assert "outside center right" in text
    rows = read(tmp_path / "a.csv")
    raw = [row["outer_loss [y²]"] for row in rows]
    assert [row["outer_loss_smoothed [y²]"] for row in rows] == raw


def test_the_help_names_every_figure(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    assert run(["export", "--help"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    for name in figure_names():
        assert name in told


def test_text_too_small_to_read_is_told_with_the_width_that_would_do(
    run_file, tmp_path, capsys
):
    assert export(run_file, "structure", tmp_path / "a.svg", "--width", "89mm") == 0
    told = capsys.readouterr().err
    width = re.search(r"points, below the 5 .* a width of (\d+) mm would do$", told)[1]
    assert export(run_file, "structure", tmp_path / "b.svg", "--width", width) == 0
    assert export(run_file, "structure", tmp_path / "c.csv", "--width", "89") == 0
    assert capsys.readouterr().err == ""


def test_a_width_is_a_number_of_millimetres(run_file, tmp_path, capsys):
    assert export(run_file, "losses", tmp_path / "a.svg", "--width", "8.9cm") == 2
    error = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert "'--width': '8.9cm'; allowed: a number of mm, such as 89" in error


def test_adapt_shows_as_many_inner_steps_as_its_page(run_file, tmp_path, capsys):
    shown = open_run(run_file).history.config_at().num_shown_steps
    for options, last in (([], shown), (["--inner-step", str(shown + 6)], shown + 6)):
        assert export(run_file, "adapt", tmp_path / f"{last}.csv", *options) == 0
        steps = {row["inner_step"] for row in read(tmp_path / f"{last}.csv")} - {""}
        assert {int(float(step)) for step in steps} == set(range(last + 1))
    assert export(run_file, "adapt", tmp_path / "x.csv", "--inner-step", "1001") == 2
    assert "inner_step is 1001; allowed: 0 to 1000" in capsys.readouterr().err
