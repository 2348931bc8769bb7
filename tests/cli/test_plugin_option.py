"""`--plugin FILE` before and after a command, and what is told of a bad one."""

from pathlib import Path

import pytest

from metalab.catalog.plugin_files import PluginError
from metalab.cli.plugin_option import split_plugins
from tests.contracts.test_plugin_examples import metalab, surroundings

__all__ = ["surroundings"]

BATCH_NORM = """
from torch import nn

class Normal(nn.Module):
    def __init__(self, input_dim: int, output_dim: int, width: int = 3):
        super().__init__()
        self.all = nn.Sequential(
            nn.Linear(input_dim, width), nn.BatchNorm1d(width), nn.Linear(width, 1)
        )

    def forward(self, x):
        return self.all(x)
"""

UNFIT = """
from torch import nn

class Fine(nn.Module):
    def __init__(self, input_dim: int, output_dim: int):
        super().__init__()
        self.out = nn.Linear(input_dim, output_dim)

    def forward(self, x):
        return self.out(x)


class Unsaid(Fine):
    def __init__(self, input_dim: int, output_dim: int, width=3):
        super().__init__(input_dim, output_dim)
"""

FIGURE_AND_RECIPE = """
from metalab.catalog.recipes import Preset, Recipe
from metalab.figures.base import FigureSpec
from metalab.figures.kinds.losses import FIGURE as LOSSES

MINE = FigureSpec(name="mine", title="Mine", heeds=LOSSES.heeds, draw=LOSSES.draw,
                  over_training=True)
RECIPE = Recipe(
    name="own", title="Own", source="Here", summary="First order.",
    parts={"hypergradient": {"kind": "first-order"}},
    presets=(Preset(name="own-sine", title="Own", source="Here",
                    settings={"outer": {"num_steps": 2},
                              "evaluation": {"num_tasks": 16}}),),
)
"""

CIRCULAR = (
    "import metalab.core\nfrom metalab.experiment.config import ExperimentConfig\n"
)


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "mine.py"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    ("arguments", "rest", "files"),
    [
        (["train"], ["train"], []),
        (["--plugin", "a.py", "train", "--json"], ["train", "--json"], ["a.py"]),
        (["train", "--plugin=a.py", "--plugin", "b.py"], ["train"], ["a.py", "b.py"]),
        (["run.metalab", "--plugin", "a.py"], ["run.metalab"], ["a.py"]),
        (["--", "--plugin", "a.py"], ["--", "--plugin", "a.py"], []),
    ],
)
def test_it_is_taken_from_anywhere(arguments, rest, files):
    assert split_plugins(arguments) == (rest, [Path(name) for name in files])


def test_without_a_file_it_is_refused():
    with pytest.raises(PluginError, match="--plugin is without a file"):
        split_plugins(["train", "--plugin"])


def refusal(surroundings, *arguments):
    done = metalab(surroundings, *arguments, code=2)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


def test_a_bad_file_is_one_line_and_exit_code_2(surroundings, written):
    path = written("x = 1\n\nx.y\n")
    told = refusal(surroundings, "presets", "--plugin", path)
    assert told.startswith(f"metalab: plug-in {path}, line 3: AttributeError: ")
    told = refusal(surroundings, "--plugin", written(UNFIT), "doctor")
    assert told == (
        f"metalab: plug-in {path}, line 13: Unsaid is left out: argument 'width' of "
        "__init__ has no annotation; allowed: int, float, bool, Literal of texts, "
        "tuple[int, ...]"
    )
    told = refusal(surroundings, "doctor", "--plugin", written("x = 1\n"))
    assert f"plug-in {path} defines nothing that metalab takes" in told
    told = refusal(surroundings, "doctor", "--plugin", written(CIRCULAR))
    assert f"plug-in {path}, line 2: ImportError: " in told


def test_help_runs_no_plugin(surroundings, written):
    path = written("raise SystemExit('it was run')\n")
    done = metalab(surroundings, "--plugin", path, "train", "--help")
    assert "--plugin FILE" in done.stdout
    assert "it was run" not in done.stdout + done.stderr


def test_a_module_with_batch_statistics_is_refused_with_the_reason(
    surroundings, written
):
    options = ("--plugin", written(BATCH_NORM), "--set", "model.kind=normal")
    told = refusal(surroundings, "train", *options)
    assert told.startswith("metalab: model.kind is 'normal': all.1 (BatchNorm1d) has ")
    assert told.endswith("nearest valid choice: model.kind = 'mlp'")
    checked = metalab(surroundings, "check", options[1], code=1)
    assert "FAIL" in checked.stdout


def test_check_names_the_line_of_a_broken_file(surroundings, written):
    done = metalab(surroundings, "check", written("x = (\n"), code=1)
    assert "line 1: SyntaxError" in done.stderr
    done = metalab(surroundings, "check", written("x = 1\nx.y\n"), "--json", code=1)
    assert "line 2: AttributeError" in done.stdout


def test_a_figure_and_a_recipe_join_too(surroundings, written, tmp_path):
    plugin = ("--plugin", written(FIGURE_AND_RECIPE))
    run, figure = tmp_path / "run.metalab", tmp_path / "mine.csv"
    metalab(surroundings, *plugin, "train", "--preset", "own-sine", "--out", run)
    metalab(surroundings, *plugin, "export", run, "mine", "--to", figure)
    assert figure.is_file()
    metalab(surroundings, *plugin, "check", plugin[1])
