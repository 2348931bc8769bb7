"""Where problems are shown."""

from metalab.experiment.fields import FieldProblem
from metalab.ui.forms.problems import placed

PATHS = (
    "tasks.family.phase_min",
    "tasks.family.phase_max",
    "tasks.num_shots",
    "inner.inner_batch_size",
    "inner.inner_lr",
)


def test_a_field_s_problem_goes_to_the_field() -> None:
    shown = placed([FieldProblem("tasks.num_shots", "is 0; allowed: 1")], PATHS)
    assert shown.of_field == {"tasks.num_shots": "is 0; allowed: 1"}
    assert not shown.of_group
    assert not shown.of_experiment
    assert not shown.suspects


def test_a_section_s_problem_goes_to_its_group_and_marks_the_fields_it_names() -> None:
    message = "phase_max is 1; it must be at least phase_min, 2"
    shown = placed([FieldProblem("tasks.family", message)], PATHS)
    assert shown.of_group == {"tasks": [message]}
    assert shown.suspects == {"tasks.family.phase_min", "tasks.family.phase_max"}


def test_the_experiment_s_problem_stands_alone_and_marks_the_fields_it_names() -> None:
    message = "inner.inner_batch_size is 50; allowed: at most tasks.num_shots, 10"
    shown = placed([FieldProblem("", message)], PATHS)
    assert shown.of_experiment == [message]
    assert shown.suspects == {"inner.inner_batch_size", "tasks.num_shots"}


def test_a_problem_of_an_unknown_place_is_not_lost() -> None:
    shown = placed([FieldProblem("name", "is ''; allowed: a word")], PATHS)
    assert shown.of_experiment == ["name is ''; allowed: a word"]
