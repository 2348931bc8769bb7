"""The tutorial notebook runs, and shows what its text says."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

TUTORIAL = (
    Path(__file__).parents[2] / "assets" / "examples" / "notebooks" / "tutorial.ipynb"
)


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cells):
    """Return every text, and the kinds of every output, of some cells."""
    outputs = [output for cell in cells for output in cell.outputs]
    texts = [output.get("text", "") for output in outputs]
    kinds = {kind for output in outputs for kind in output.get("data", ())}
    return "".join(texts), kinds


def numbers_in(line):
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", line)]


@pytest.fixture(scope="module")
def tutorial():
    return nbformat.read(TUTORIAL, as_version=4)


def test_it_is_kept_without_outputs(tutorial):
    nbformat.validate(tutorial)
    assert not any(cell.outputs or cell.execution_count for cell in code_of(tutorial))


def test_it_runs_from_its_first_cell_to_its_last(tutorial, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    NotebookClient(tutorial, timeout=120, kernel_name="python3").execute()
    cells = code_of(tutorial)
    text, kinds = shown(cells)
    assert {"image/png", "text/html", "text/markdown"} <= kinds
    assert "3,000 of 3,000 outer steps" in text
    implicit, by_hand = numbers_in(text.splitlines()[-1])
    assert implicit == pytest.approx(by_hand, rel=1e-8)
    (errors,) = (line for line in text.splitlines() if "on the grid" in line)
    late, early, _ = numbers_in(errors)
    assert late < early < 0.2
