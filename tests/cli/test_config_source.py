"""From files, presets, codes and `--set` to one experiment."""

import pytest

from metalab.cli.config_source import resolve_config
from metalab.cli.main import run
from metalab.experiment.fields import ConfigError, with_overrides
from metalab.experiment.share_code import share_code

POINTS = ["--set", "tasks.family=points", "--set"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_a_file_that_windows_wrote_is_read(tmp_path, encoding):
    path = tmp_path / "a.toml"
    path.write_bytes('name = "größer"\r\n[outer]\r\nnum_steps = 7\r\n'.encode(encoding))
    config = resolve_config(path, preset=None, assignments=[], seed=None)
    assert (config.name, config.outer.num_steps) == ("größer", 7)


def test_points_that_can_be_read_in_two_ways_are_refused(tmp_path, capsys):
    out = tmp_path / "run.metalab"
    typed = [*POINTS, "tasks.family.points=1,5; 2,5", "--out", str(out)]
    assert run(["train", *typed]) == 2
    told = capsys.readouterr().err
    assert told.startswith(
        "metalab: tasks.family.points is '1,5; 2,5': it can be read in"
    )
    assert "(1, 5), (2, 5)" in told
    assert "(1.5, 2.5)" in told
    assert not out.exists()
    path = tmp_path / "a.toml"
    path.write_text('[tasks.family]\nkind = "points"\npoints = "1,5; 2,5"\n')
    with pytest.raises(ConfigError, match="two ways"):
        resolve_config(path, preset=None, assignments=[], seed=None)


def test_a_code_with_such_points_means_what_it_meant():
    """Whoever shared it saw the curve."""
    config = resolve_config(None, preset=None, assignments=[], seed=None)
    config = with_overrides(
        config, [("tasks.family", "points"), ("tasks.family.points", "1,5; 2,5")]
    )
    code = share_code(config)
    again = resolve_config(None, preset=None, code=code, assignments=[], seed=None)
    assert again == config


def test_train_says_how_points_were_understood(tmp_path, capsys):
    small = ["outer.num_steps=2", "outer.num_tasks=2", "evaluation.num_tasks=16"]
    few = [word for text in small for word in ("--set", text)]
    typed = [*POINTS, "tasks.family.points=1,5 2; 2,5 3; 4 4", *few]
    assert run(["train", *typed, "--out", str(tmp_path / "run.metalab"), "--json"]) == 0
    assert (
        "tasks.family.points understood as 3 points, decimal comma, separated by blanks; "
        "x from 1.5 to 4" in capsys.readouterr().err
    )
