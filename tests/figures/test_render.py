"""Figures as files: each format opens, says what it is, and is all there or not at all."""

import csv
import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

from metalab import __version__
from metalab.figures.base import FigureChoices
from metalab.figures.errors import FigureError
from metalab.figures.formats import FORMATS
from metalab.figures.intervals import INTERVAL
from metalab.figures.registry import figures
from metalab.figures.render import encode, render
from metalab.figures.sizes import MM_PER_INCH, SIZES
from tests.figures.histories import make_history, without_rows
from tests.figures.sights import sight_for

SVG = "{http://www.w3.org/2000/svg}"
DC = "{http://purl.org/dc/elements/1.1/}"
LABELS = {
    "losses": ("Outer step", "Query loss (y²)", "Before adaptation"),
    "adaptation": ("Input x", "Output y", "Support set"),
    "diagnostics": ("Outer step", "Hessian eigenvalue (y²)", "Layer 1"),
    "inner-loss": ("Inner step", "Held-out loss (y²)", INTERVAL),
    "gallery": ("Input x", "Output y", "After K = 2"),
    "learned-rates": ("Learned rate", "Before training: 0.005 to 0.1"),
    "adapt": ("Input x", "Output y", "Random start"),
    "landscape": ("Direction u", "Query loss after adaptation (y²)", "Outer loop"),
    "estimators": ("Inner steps K", "Relative error", "First-order"),
    "structure": ("Meta-parameters φ", "Hypergradient h", "Meta-learned"),
}

each_figure = pytest.mark.parametrize("name", figures())
each_size = pytest.mark.parametrize("size", SIZES)


def check_provenance(text, history, name):
    """What is embedded is enough to make the figure again."""
    known = json.loads(text)
    assert known["metalab"] == __version__
    assert known["figure"] == name
    assert known["config"] == history.config_at().to_mapping()
    assert known["config_digest"] == history.config_at().digest()
    assert known["outer_step"] == history.step
    assert known["caption"].endswith(".")
    assert set(known["choices"]) == figures()[name].heeds


@each_size
@each_figure
@pytest.mark.sampled(5)
def test_png_has_the_size_in_dots_and_says_so(history, tmp_path, name, size):
    path = tmp_path / "figure.png"
    render(name, sight_for(name, history), path, size=size, dpi=120)
    preset = SIZES[size]
    with Image.open(path) as image:
        image.load()
        for dots, mm in zip(image.size, (preset.width, preset.height), strict=True):
            assert dots == pytest.approx(mm / MM_PER_INCH * 120, abs=1)
        assert image.info["dpi"] == pytest.approx((120, 120), abs=0.1)
        check_provenance(image.info["Description"], history, name)
        assert history.config_at().digest() in image.info["Keywords"]
        pixels = np.asarray(image.convert("RGB"))
    # White paper with something on it.
    assert (pixels[0] == 255).all()
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50


@each_size
@each_figure
@pytest.mark.sampled(3)
def test_svg_is_vector_and_says_what_it_is(history, tmp_path, name, size):
    path = tmp_path / "figure.svg"
    render(name, sight_for(name, history), path, size=size)
    text = path.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert not list(root.iter(f"{SVG}image"))
    assert not list(root.iter(f"{SVG}text"))  # Letters are outlines.
    for label in LABELS[name]:
        assert f"<!-- {label} -->" in text
    for side, mm in (("width", SIZES[size].width), ("height", SIZES[size].height)):
        points = float(root.get(side).removesuffix("pt"))
        assert points == pytest.approx(mm / MM_PER_INCH * 72, abs=1e-3)
    check_provenance(root.find(f".//{DC}description").text, history, name)
    assert root.find(f"{SVG}title").text == figures()[name].title
    assert f"{DC}date" not in {element.tag for element in root.iter()}


@each_size
@each_figure
@pytest.mark.sampled(5)
def test_pdf_embeds_its_fonts_and_says_what_it_is(history, tmp_path, name, size):
    path = tmp_path / "figure.pdf"
    render(name, sight_for(name, history), path, size=size)
    reader = PdfReader(path)
    (page,) = reader.pages
    fonts = page["/Resources"]["/Font"].values()
    assert fonts
    for font in fonts:
        (descendant,) = font.get_object()["/DescendantFonts"]
        descriptor = descendant.get_object()["/FontDescriptor"].get_object()
        assert descriptor["/FontFile2"].get_object().get_data()  # TrueType
    assert not page.images
    # Text is text: it can be searched and read aloud.
    for label in LABELS[name]:
        assert label in page.extract_text()
    sides = (float(page.mediabox.width), float(page.mediabox.height))
    mm = (SIZES[size].width, SIZES[size].height)
    assert sides == pytest.approx([side / MM_PER_INCH * 72 for side in mm], abs=1e-3)
    check_provenance(reader.metadata.subject, history, name)
    assert history.config_at().digest() in reader.metadata["/Keywords"]
    assert reader.metadata.creator == f"metalab {__version__}"
    assert "/CreationDate" not in reader.metadata


@each_figure
def test_csv_is_the_table_of_the_figure(history, tmp_path, name):
    path = tmp_path / "figure.csv"
    render(name, sight_for(name, history), path)
    content = path.read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n") > 5
    rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
    assert len({len(row) for row in rows}) == 1
    assert not rows[0][0].startswith("#")


def test_csv_values_are_those_of_the_history(history, tmp_path):
    path = tmp_path / "losses.csv"
    render("losses", history, path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "outer_step",
        "training_time [s]",
        "tasks_seen",
        "outer_loss_before [y²]",
        "outer_loss_before_smoothed [y²]",
        "outer_loss [y²]",
        "outer_loss_smoothed [y²]",
        "held_out_query_loss [y²]",
        "held_out_query_loss_low [y²]",
        "held_out_query_loss_high [y²]",
        "held_out_query_loss_median [y²]",
        "held_out_query_loss_iqm [y²]",
        "held_out_tasks_exploded",
        "interval_piece",
    ]
    trained = [row for row in rows if row["outer_loss [y²]"]]
    assert [int(row["outer_step"]) for row in trained] == history.steps.tolist()
    losses = [float(row["outer_loss [y²]"]) for row in trained]
    assert losses == history.metrics["outer_loss"].tolist()
    evaluated = [row for row in rows if row["held_out_query_loss [y²]"]]
    held_out = [float(row["held_out_query_loss [y²]"]) for row in evaluated]
    assert held_out == history.evaluations.query_mean[:, 2].tolist()
    for name, values in (
        ("held_out_query_loss_iqm [y²]", history.evaluations.query_iqm),
        ("held_out_tasks_exploded", history.evaluations.query_exploded),
    ):
        assert [float(row[name]) for row in evaluated] == values[:, 2].tolist()
    assert rows[0]["outer_loss [y²]"] == ""


@pytest.mark.parametrize("suffix", FORMATS)
@each_figure
@pytest.mark.sampled(7)
def test_equal_histories_make_equal_files(name, suffix):
    first, second = (
        encode(name, sight_for(name, make_history()), suffix) for _ in range(2)
    )
    assert first == second
    # The numbers are in the CSV beside the script: the script itself need hold none.
    if suffix != ".py":
        other = sight_for(name, make_history(seed=1), seed=1)
        assert encode(name, other, suffix) != first


@pytest.mark.slow
def test_files_are_the_same_in_every_process():
    # Python shuffles the order of sets anew in each process.
    code = """
import hashlib
from metalab.figures.render import encode
from tests.figures.histories import make_history
for suffix in (".svg", ".pdf", ".png"):
    print(hashlib.sha256(encode("adaptation", make_history(), suffix)).hexdigest())
"""
    printed = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert printed[0] == printed[1] != ""


def test_choices_and_size_reach_the_file(history):
    plain = encode("losses", history, ".svg")
    choices = FigureChoices(log_y=False)
    assert encode("losses", history, ".svg", choices=choices) != plain
    assert encode("losses", history, ".svg", size="square") != plain
    assert encode(figures()["losses"], history, ".svg") == plain


@pytest.mark.parametrize(
    ("figure", "file", "options", "message"),
    [
        ("loss", "a.pdf", {}, "figure is 'loss'; allowed: adapt, adaptation"),
        ("losses", "a.jpg", {}, "'.jpg'; allowed: .pdf, .svg, .png, .csv, .py"),
        ("losses", "a", {}, "suffix of 'a' is ''; allowed: .pdf"),
        ("losses", "a.pdf", {"size": "A4"}, "size is 'A4'; allowed: single, double"),
        ("losses", "a.png", {"dpi": 5}, "dpi is 5; allowed: 30 to 1200"),
        ("losses", "no/a.pdf", {}, "no does not exist"),
    ],
)
def test_bad_values_are_named_and_nothing_is_written(
    history, tmp_path, figure, file, options, message
):
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(FigureError, match=message):
        render(figure, history, folder / file, **options)
    assert list(folder.iterdir()) == []


def test_a_history_that_lacks_data_writes_nothing(history, tmp_path):
    path = tmp_path / "losses.pdf"
    path.write_text("old")
    with pytest.raises(FigureError, match="needs outer steps"):
        render("losses", without_rows(history), path)
    assert path.read_text() == "old"


def test_suffixes_may_be_upper_case(history, tmp_path):
    (path,) = render("losses", history, tmp_path / "FIGURE.PDF")
    assert path.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("broken", ["write_bytes", "replace"])
def test_a_failure_in_the_middle_leaves_what_was_there(
    history, tmp_path, monkeypatch, broken
):
    folder = tmp_path / "out"
    folder.mkdir()
    kept = folder / "losses.pdf"
    kept.write_text("old")
    write = Path.write_bytes

    def fail(path, *arguments):
        if broken == "write_bytes":
            write(path, arguments[0][:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, broken, fail)
    for name in ("losses.pdf", "new.pdf"):
        with pytest.raises(FigureError, match=f"cannot write .*{name}: No space left"):
            render("losses", history, folder / name)
    assert [path.name for path in folder.iterdir()] == ["losses.pdf"]
    assert kept.read_text() == "old"


def test_a_script_never_stands_without_its_data(history, tmp_path, monkeypatch):
    folder = tmp_path / "out"
    folder.mkdir()
    replace_file = Path.replace

    def fail_for_csv(path, target):
        if target.suffix == ".csv":
            raise OSError(13, "Permission denied")
        return replace_file(path, target)

    monkeypatch.setattr(Path, "replace", fail_for_csv)
    with pytest.raises(FigureError, match=r"losses\.csv: Permission denied"):
        render("losses", history, folder / "losses.py")
    assert list(folder.iterdir()) == []


def test_a_file_has_ordinary_permissions(history, tmp_path):
    (path,) = render("losses", history, tmp_path / "losses.csv")
    plain = tmp_path / "plain"
    plain.touch()
    mode = stat.S_IMODE(plain.stat().st_mode)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_a_link_stays_a_link(history, tmp_path):
    target = tmp_path / "target.csv"
    target.write_text("old")
    link = tmp_path / "link.csv"
    link.symlink_to(target)
    render("losses", history, link)
    assert link.is_symlink()
    assert target.read_bytes().startswith(b"outer_step")


@pytest.mark.slow
def test_odd_names_of_experiments_are_harmless(tmp_path):
    odd = make_history(name='"""a $x$ <b>&amp; ü {0}')
    for name in figures():
        for suffix in FORMATS:
            for size in ("single", "slide"):
                encode(name, sight_for(name, odd), suffix, size=size, dpi=40)
    root = ElementTree.fromstring(encode("losses", odd, ".svg"))
    check_provenance(root.find(f".//{DC}description").text, odd, "losses")
