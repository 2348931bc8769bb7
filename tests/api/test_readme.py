"""The examples of README's section on Python run as they are written."""

import re
from pathlib import Path

import pytest
import torch

README = Path(__file__).parents[2] / "README.md"
SECTION = README.read_text(encoding="utf-8").split("\n## Python\n")[1].split("\n## ")[0]
BLOCKS = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)


def test_there_are_two():
    assert len(BLOCKS) == 2


@pytest.fixture
def shown(capsys):
    def run(block):
        names = {}
        exec(compile(block, str(README), "exec"), names)
        return names, capsys.readouterr().out.splitlines()

    return run


def test_a_run(shown):
    names, lines = shown(BLOCKS[0])
    assert names["curve"].shape == (100,)
    assert names["early"].shape == (3,)
    assert names["adapted"].support_loss[-1] < names["adapted"].support_loss[0]
    assert "status finished" in lines[-1]
    assert "500 of 500" in lines[-1]


def test_a_hypergradient(shown):
    with torch.random.fork_rng():
        names, lines = shown(BLOCKS[1])
    assert isinstance(names["w"], torch.Tensor)
    of_solution, of_steps = (float(re.search(r"\((.*?)\)", x)[1]) for x in lines)
    assert of_steps == pytest.approx(of_solution, rel=1e-2, abs=2e-4)
