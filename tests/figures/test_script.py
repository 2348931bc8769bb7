"""The script that redraws a figure is a program, and draws the same figure."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from metalab.figures.base import FigureChoices
from metalab.figures.registry import figures
from metalab.figures.render import render
from tests.figures.histories import make_history
from tests.figures.sights import sight_for


def run(script, *arguments):
    return subprocess.run(
        [sys.executable, "-W", "error", str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("name", "size", "choices"),
    [
        ("losses", "single", FigureChoices()),
        ("losses", "slide", FigureChoices(legend="right", log_y=False, smoothing=0)),
        ("adaptation", "double", FigureChoices(task=2)),
        ("diagnostics", "single", FigureChoices()),
        ("inner-loss", "square", FigureChoices(legend="none")),
        ("adapt", "single", FigureChoices()),
        ("landscape", "slide", FigureChoices()),
        ("landscape", "single", FigureChoices(log_y=False)),
        ("estimators", "double", FigureChoices()),
        ("structure", "double", FigureChoices()),
        ("learned-rates", "single", FigureChoices()),
        ("gallery", "double", FigureChoices(sort="loss")),
    ],
)
@pytest.mark.sampled(5)
def test_the_script_draws_the_same_picture(history, tmp_path, name, size, choices):
    sight = sight_for(name, history)
    script, data = render(
        name, sight, tmp_path / "redraw.py", size=size, choices=choices
    )
    assert (script.name, data.name) == ("redraw.py", "redraw.csv")
    done = run(script, tmp_path / "again.png")
    assert done.stdout == done.stderr == ""
    (drawn,) = render(
        name, sight, tmp_path / "drawn.png", size=size, choices=choices, dpi=300
    )
    with Image.open(drawn) as first, Image.open(tmp_path / "again.png") as second:
        np.testing.assert_array_equal(
            np.asarray(first.convert("RGB")), np.asarray(second.convert("RGB"))
        )


def test_the_script_writes_a_pdf_beside_itself_from_any_folder(history, tmp_path):
    folder = tmp_path / "a folder"
    folder.mkdir()
    script, _ = render("adaptation", history, folder / "my figure.py")
    run(script)
    assert (folder / "my figure.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("name", figures())
def test_the_script_stands_alone_and_is_readable(history, tmp_path, name):
    script, _ = render(name, sight_for(name, history), tmp_path / "figure.py")
    text = script.read_text(encoding="utf-8")
    compile(text, "figure.py", "exec")
    imports = [line for line in text.splitlines() if "import" in line.split()]
    assert not any("metalab" in line for line in imports)
    assert history.config_at().digest() in text
    assert text.endswith("fig.savefig(OUTPUT, dpi=300)\n")


def test_an_odd_name_does_not_end_the_docstring(tmp_path):
    odd = make_history(name='"""; raise SystemExit("no") #')
    script, _ = render("losses", odd, tmp_path / "odd.py", size="slide")
    run(script)
