"""What experiments are called, and which settings they change."""

import tomllib

import pytest

from metalab.catalog.recipes import presets
from metalab.cli.config_source import resolve_config
from metalab.experiment.changes import all_differences, changes, difference_note
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.edit import Edit
from metalab.experiment.fields import validated, with_overrides
from metalab.experiment.naming import (
    derived_name,
    experiment_name,
    has_own_name,
    named,
    reference_of,
)
from metalab.experiment.share_code import experiment_of_code, share_code
from metalab.runs.system.home import new_run_path


@pytest.mark.parametrize("name", list(presets()))
def test_a_preset_and_its_replicates_have_its_name(name):
    config = with_overrides(preset_config(name), [("run.seed", 7)])
    assert experiment_name(config) == name
    assert reference_of(config) == preset_config(name)


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ([("inner.num_inner_steps", 50)], "imaml-sine, num_inner_steps 50"),
        ([("tasks.family", "quadratic-bowl")], "imaml-sine, family quadratic-bowl"),
        (
            [("tasks.num_shots", 3), ("outer.num_steps", 9), ("inner.inner_lr", 0.03)],
            "imaml-sine, 3 changes",
        ),
        ([("diagnostics.every", 10)], "imaml-sine"),
    ],
)
def test_the_name_is_derived_from_what_differs(overrides, name):
    assert (
        experiment_name(with_overrides(preset_config("imaml-sine"), overrides)) == name
    )


def test_another_component_counts_once_and_its_options_where_they_are_set():
    base = preset_config("maml-sine")
    other = with_overrides(base, [("outer.optimizer", "sgd")])
    assert [c.info.path for c in changes(other, base)] == ["outer.optimizer.kind"]
    faster = with_overrides(other, [("outer.optimizer.outer_lr", 0.3)])
    assert experiment_name(faster) == "maml-sine, 2 changes"
    # Every setting is in the table, those too that only one of the two has.
    paths = [c.info.path for c in all_differences(faster, base)]
    assert {"outer.optimizer.kind", "outer.optimizer.beta1"} <= set(paths)


def test_a_person_s_name_stays_and_the_preset_with_it():
    mine = named(preset_config("reptile-sine"), "Monday")
    changed = with_overrides(mine, [("outer.num_tasks", 3)])
    assert experiment_name(changed) == "Monday"
    assert reference_of(changed).name == "reptile-sine"
    again = named(changed, "")
    assert experiment_name(again) == "reptile-sine, num_tasks 3"
    assert not has_own_name(again)
    for name in ("a/b", "x" * 81):
        with pytest.raises(ValueError, match="name"):
            named(mine, name)


def test_the_preset_survives_codes_and_files(tmp_path):
    mine = named(
        with_overrides(preset_config("anil-sine"), [("tasks.num_shots", 3)]), "Tuesday"
    )
    for copy in (
        experiment_of_code(share_code(mine)),
        validated(mine.to_mapping()),
        ExperimentConfig.model_validate_json(
            mine.model_dump_json(serialize_as_any=True)
        ),
    ):
        assert copy == mine
        assert reference_of(copy).name == "anil-sine"
        assert derived_name(copy) == "anil-sine, num_shots 3"
    assert mine.digest() == named(mine, "").digest(), "names change no run"


@pytest.mark.parametrize("name", ["maml-sine", "cavia-sine", "imaml-sine"])
def test_old_files_without_a_preset_find_it(name):
    """By the name that they have, else by the fewest changes."""
    content = with_overrides(
        preset_config(name), [("evaluation.num_tasks", 64)]
    ).to_mapping()
    del content["preset"]
    assert experiment_name(validated(content)) == f"{name}, num_tasks 64"
    own = validated(content | {"name": "Wednesday"})
    assert experiment_name(own) == "Wednesday"
    assert reference_of(own).name == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "preset = 'reptile-sine'\n[outer]\nnum_tasks = 2",
            "reptile-sine, num_tasks 2",
        ),
        ("preset = 'reptile-sine'\nname = 'mine'", "mine"),
        ("name = 'mine'", "mine"),
    ],
)
def test_a_file_names_its_preset(tmp_path, text, name):
    assert tomllib.loads(text)
    path = tmp_path / "experiment.toml"
    path.write_text(text)
    config = resolve_config(path, preset=None, assignments=[], seed=None)
    assert experiment_name(config) == name
    given = resolve_config(path, preset="anil-sine", assignments=[], seed=None)
    assert reference_of(given).name == "anil-sine"


def test_an_unknown_preset_in_a_file_is_refused(tmp_path):
    path = tmp_path / "experiment.toml"
    path.write_text("preset = 'nobody'")
    with pytest.raises(ValueError, match="preset is 'nobody'; allowed: "):
        resolve_config(path, preset=None, assignments=[], seed=None)


def test_live_edits_are_told():
    config = preset_config("maml-sine")
    one = (Edit(step=0, path="inner.inner_lr", value=0.05),)
    assert experiment_name(config, one) == "maml-sine, inner_lr 0.05 from step 0"
    two = (*one, Edit(step=1200, path="outer.clip_norm", value=10.0))
    assert experiment_name(config, two) == "maml-sine, 2 edits from step 0"


def test_names_of_run_files_are_safe_and_unique():
    config = with_overrides(
        preset_config("maml-sine"),
        [("tasks.num_shots", 3), ("outer.num_steps", 9), ("run.seed", 4)],
    )
    name = new_run_path(config).name
    assert "-maml-sine-2-changes-seed4-" in name
    assert not set(name) & set('/\\ ,:*?"<>|')
    assert new_run_path(config) != new_run_path(config)


def test_a_note_tells_what_the_other_one_does_otherwise():
    maml, imaml = preset_config("maml-sine"), preset_config("imaml-sine")
    note = difference_note(maml, imaml)
    assert note.startswith("Meta-learned anchor (not initialisation), ")
    assert note.endswith("more")
    assert difference_note(maml, maml) == ""
