"""Sweep files: what they mean, and what is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metalab.experiment.fields import ConfigError
from metalab.experiment.sweep_file import SweepError, points_of, read_sweep


def sweep_of(tmp_path, text):
    path = tmp_path / "sweep.toml"
    path.write_text(text, encoding="utf-8")
    return read_sweep(path)


def test_every_combination_is_run_seeds_last(tmp_path):
    sweep = sweep_of(
        tmp_path,
        """
        name = "rates"
        seeds = [3, 5]
        [settings]
        "outer.num_steps" = 100
        [axes]
        method = ["maml-sine", "fomaml-sine"]
        "inner.inner_lr" = { log = [0.001, 0.1], num = 3 }
        """,
    )
    points = list(points_of(sweep))
    assert (sweep.num_runs, len(points)) == (12, 12)
    assert [p.config.run.seed for p in points] == [3] * 6 + [5] * 6
    assert [p.values["inner.inner_lr"] for p in points[:3]] == [0.001, 0.01, 0.1]
    assert [p.config.preset or p.config.name for p in points[:6:3]] == [
        "maml-sine",
        "fomaml-sine",
    ]
    assert {p.config.outer.num_steps for p in points} == {100}
    assert points[1].config.inner.inner_lr == 0.01


def test_random_values_are_the_same_every_time(tmp_path):
    text = """
    name = "random"
    base = "maml-sine"
    [axes]
    "inner.inner_lr" = { log_uniform = [0.001, 0.1], num = 4, seed = 7 }
    """
    one, two = (sweep_of(tmp_path, text).axis_values() for _ in range(2))
    assert one == two
    values = one["inner.inner_lr"]
    assert len(set(values)) == 4
    assert all(0.001 <= value <= 0.1 for value in values)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('name = "a"', "either base"),
        (
            'name = "a"\nbase = "maml-sine"\n[axes]\nmethod = ["anil-sine"]',
            "either base",
        ),
        ('name = "a"\nbase = "maml-sine"\nseeds = 0', "seeds"),
        ('name = "a"\nbase = "maml-sine"\nseeds = [1, 1]', "each of them once"),
        ('name = "a"\nbase = "maml-sine"\ncolour = 3', "colour"),
        ('name = "../a"\nbase = "maml-sine"', "name"),
        ('name = "a"\nbase = "maml-sine"\n[axes]\n"inner.inner_lr" = []', "no values"),
        (
            'name = "a"\nbase = "maml-sine"\n[axes]\n'
            '"inner.inner_lr" = { log = [0, 1], num = 3 }',
            "ends above 0",
        ),
        (
            'name = "a"\nbase = "maml-sine"\n[axes]\n"inner.inner_lr" = { num = 3 }',
            "both or neither",
        ),
        (
            'name = "a"\nbase = "maml-sine"\nseeds = 10000\n[axes]\n"run.seed" = [1, 2]',
            "20,000 runs",
        ),
        ("name = ", "cannot be read"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, words):
    with pytest.raises(SweepError, match=words):
        sweep_of(tmp_path, text)


def test_a_path_that_is_no_setting_is_refused_before_anything_runs(tmp_path):
    sweep = sweep_of(
        tmp_path, 'name = "a"\nbase = "maml-sine"\n[axes]\n"inner.inner_rl" = [1]'
    )
    with pytest.raises(ConfigError, match="inner_rl"):
        list(points_of(sweep))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SweepError, match="cannot be read"):
        read_sweep(tmp_path / "none.toml")


@given(content=st.text(max_size=60))
def test_any_text_is_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("sweep") / "s.toml"
    path.write_text(content, encoding="utf-8", errors="replace")
    with pytest.raises(SweepError):
        read_sweep(path)


def test_the_readmes_sweep_is_one(tmp_path):
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    section = readme[readme.index("### Sweeps") :]
    text = section[section.index("```toml") + 8 :]
    sweep = sweep_of(tmp_path, text[: text.index("```")])
    assert sweep.num_runs == len(list(points_of(sweep))) == 30
