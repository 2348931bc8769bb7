"""Changing an experiment by dotted paths, and what is said about a bad one."""

import datetime
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metalab.catalog.slots import HYPERGRADIENTS, OUTER_OPTIMIZERS, SLOTS
from metalab.core.errors import UserError
from metalab.experiment.changes import default_layout
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import (
    ConfigError,
    differences,
    fields_of,
    parse_assignment,
    validated,
    with_overrides,
)
from metalab.experiment.plain_data import shortened

DEFAULT = ExperimentConfig()
KINDS = {i.path: i.value for i in fields_of(DEFAULT) if i.path.endswith(".kind")}
KNOWN_PATHS = [info.path for info in fields_of(DEFAULT)]
ESTIMATORS = ", ".join(HYPERGRADIENTS.components)
OPTIMIZERS = ", ".join(OUTER_OPTIMIZERS.components)


def complaint(*overrides):
    """Return what is said about overrides of the default experiment."""
    with pytest.raises(ConfigError) as caught:
        with_overrides(DEFAULT, overrides)
    assert isinstance(caught.value, UserError)
    return str(caught.value)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            "inner.inner_lr",
            0,
            "inner.inner_lr is 0.0; allowed: above 0, up to 10",
        ),
        (
            "inner.inner_lr",
            float("nan"),
            "inner.inner_lr is nan; allowed: a finite number",
        ),
        ("inner.inner_lr", "fast", "inner.inner_lr is 'fast'; allowed: a number"),
        ("inner.inner_lr", True, "inner.inner_lr is True; allowed: above 0, up to 10"),
        (
            "tasks.num_shots",
            0,
            "tasks.num_shots is 0; allowed: 1 to 10,000 shots",
        ),
        (
            "tasks.num_shots",
            2.5,
            "tasks.num_shots is 2.5; allowed: a whole number",
        ),
        ("run.seed", -1, "run.seed is -1; allowed: 0 to 2,147,483,647"),
        (
            "model.activation",
            "gelu",
            "model.activation is 'gelu'; allowed: relu, tanh, sine",
        ),
        (
            # Also the name of a component: it must not fall out of the path.
            "model.initialisation",
            "zero",
            "model.initialisation is 'zero'; "
            "allowed: uniform, he, glorot, truncated-normal",
        ),
        (
            "model.hidden_sizes",
            [40, 0],
            "model.hidden_sizes is 0; allowed: 1 to 4,096 units",
        ),
        (
            "model.hidden_sizes",
            [True],
            "model.hidden_sizes is [True]; allowed: 1 to 4,096 units",
        ),
        (
            "model.hidden_sizes",
            "wide",
            "model.hidden_sizes is 'wide'; allowed: whole numbers with commas between",
        ),
        ("outer", 5, "outer is 5; allowed: a table of settings"),
        ("hypergradient", 5, "hypergradient is 5; allowed: a table of settings"),
        ("name", "a/b", "name is 'a/b'; allowed: text without slashes and control"),
        ("name", 5, "name is 5; allowed: text"),
        ("version", 3, "version is 3; allowed: 2"),
        (
            "hypergradient.kind",
            "exact",
            f"hypergradient.kind is 'exact'; allowed: {ESTIMATORS}",
        ),
        (
            "outer.optimizer",
            "lion",
            f"outer.optimizer.kind is 'lion'; allowed: {OPTIMIZERS}",
        ),
        ("tasks.family.kind", "line", "tasks.family.kind is 'line'; allowed:"),
        (
            "inner.iner_lr",
            0.1,
            "inner.iner_lr is not a known setting; did you mean 'inner.inner_lr'?",
        ),
        (
            "iner.inner_lr",
            0.1,
            "iner is not a known setting; did you mean 'inner'?",
        ),
        ("outer.optimizer.momentum", 0.9, "is a setting of kind 'sgd', not of the"),
        ("zzz", 1, "zzz is not a known setting"),
        (
            "inner.inner_batch_size",
            11,
            "inner.inner_batch_size is 11; allowed: at most tasks.num_shots, 10",
        ),
        (
            "tasks.family.x_min",
            7,
            "tasks.family x_max is 5; it must exceed x_min, 7",
        ),
        ("tasks.num_shots", 10**400, "allowed: 1 to 10,000 shots"),
    ],
)
def test_a_complaint_names_the_field_the_value_and_what_is_allowed(
    path, value, message
):
    said = complaint((path, value))
    assert message in said
    assert "\n" not in said
    assert "pydantic" not in said.lower()


def test_every_fault_is_named_at_once():
    said = complaint(("inner.inner_lr", -1), ("run.sed", 3), ("tasks.num_shots", "x"))
    assert [line.split()[0] for line in said.splitlines()] == [
        "tasks.num_shots",
        "inner.inner_lr",
        "run.sed",
    ]


def test_a_long_value_is_shortened():
    assert len(complaint(("inner.inner_lr", "x" * 10_000))) < 200


def test_a_missing_kind_is_named():
    with pytest.raises(ConfigError, match=r"outer.optimizer.kind is missing; allowed"):
        validated({"outer": {"optimizer": {"outer_lr": 0.1}}})


def test_a_combination_that_precision_forbids_is_refused():
    said = complaint(("run.device", "mps"), ("run.precision", "float64"))
    assert said == "run.precision is 'float64'; allowed on run.device 'mps': float32"


def test_overrides_apply_in_order():
    config = with_overrides(
        DEFAULT, [("outer.num_steps", 5), ("run.seed", 3), ("outer.num_steps", 7)]
    )
    assert (config.outer.num_steps, config.run.seed) == (7, 3)
    assert DEFAULT.outer.num_steps == 10_000


@pytest.mark.parametrize("path", ["outer.optimizer", "outer.optimizer.kind"])
def test_a_new_kind_resets_the_options_of_the_old_one(path):
    config = with_overrides(DEFAULT, [("outer.optimizer.outer_lr", 0.5), (path, "sgd")])
    assert config.outer.optimizer.kind == "sgd"
    assert config.outer.optimizer.outer_lr == 0.01


def test_the_same_kind_keeps_its_options():
    config = with_overrides(
        DEFAULT, [("outer.optimizer.outer_lr", 0.5), ("outer.optimizer.kind", "adam")]
    )
    assert config.outer.optimizer.outer_lr == 0.5


def test_differences_are_those_that_were_made():
    config = with_overrides(
        DEFAULT, [("outer.optimizer", "sgd"), ("model.hidden_sizes", [3])]
    )
    assert differences(DEFAULT, DEFAULT) == {}
    assert differences(config, DEFAULT) == {
        "model.hidden_sizes": ((3,), (40, 40)),
        "outer.optimizer.kind": ("sgd", "adam"),
        "outer.optimizer.outer_lr": (0.01, 0.001),
        "outer.optimizer.momentum": (0.0, None),
        "outer.optimizer.beta1": (None, 0.9),
        "outer.optimizer.beta2": (None, 0.999),
        "outer.optimizer.epsilon": (None, 1e-8),
    }


def test_fields_follow_the_experiment():
    config = preset_config("reptile-sine")
    fields = {info.path: info for info in fields_of(config)}
    assert len(fields) == len(fields_of(config))
    assert fields["inner.inner_lr"].value == 0.02
    assert fields["inner.inner_lr"].value_type is float
    assert fields["model.hidden_sizes"].value_type is tuple
    assert fields["outer.optimizer.kind"].group == "outer"
    assert "outer.optimizer.momentum" in fields
    assert "outer.optimizer.beta1" not in fields
    for prefix, registry in SLOTS.items():
        info = fields[f"{prefix}.kind"]
        assert [name for name, _ in info.choices] == list(registry.components)
        assert info.value in registry.components


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("outer.num_steps=500", ("outer.num_steps", 500)),
        (" inner.inner_lr = 1e-3 ", ("inner.inner_lr", 1e-3)),
        ("model.hidden_sizes=[40, 40]", ("model.hidden_sizes", [40, 40])),
        ("outer.optimizer=sgd", ("outer.optimizer", "sgd")),
        ('name="a = b"', ("name", "a = b")),
        ("name=a = b", ("name", "a = b")),
        ("name=", ("name", "")),
        ("a=true", ("a", True)),
        ("a=2020-13-40", ("a", "2020-13-40")),
        ("a=" + "1" * 5000, ("a", "1" * 5000)),
        ("a=" + "[" * 5000, ("a", "[" * 5000)),
        ("a={b = 1}", ("a", {"b": 1})),
        ("a=1\nb=2", ("a", "1\nb=2")),
    ],
)
def test_an_assignment_is_toml_or_a_bare_word(text, expected):
    assert parse_assignment(text) == expected


@pytest.mark.parametrize("text", ["", "outer.num_steps", "=5", "  = 5"])
def test_an_assignment_needs_a_path_and_a_sign(text):
    with pytest.raises(ConfigError, match=r"allowed: SECTION\.FIELD=VALUE"):
        parse_assignment(text)


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_any_assignment_is_parsed_or_refused(path, value):
    try:
        parsed, _ = parse_assignment(f"{path}={value}")
    except ConfigError:
        return
    assert parsed == parsed.strip() != ""


plain_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**300, max_value=10**310)
    | st.floats()
    | st.text(max_size=20)
    | st.dates()
    | st.just(datetime.time(1, 2))
    | st.sampled_from(["sgd", "mlp", "reptile", "relu", "cuda", "10", "1e-3"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=5) | st.sampled_from(["kind", "optimizer", "outer_lr"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)

paths = (
    st.sampled_from([*KNOWN_PATHS, *SLOTS, *ExperimentConfig.model_fields])
    | st.text(max_size=20)
    | st.tuples(st.sampled_from(KNOWN_PATHS), st.text(max_size=5)).map(".".join)
)


@settings(deadline=None)
@given(st.lists(st.tuples(paths, plain_values), max_size=3))
def test_any_override_is_taken_or_refused_in_words(overrides):
    try:
        config = with_overrides(DEFAULT, overrides)
    except ConfigError as error:
        problems = error.problems
    else:
        assert validated(config.to_mapping()) == config
        return
    assert problems
    assert all(problem.message for problem in problems)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*ExperimentConfig.model_fields, "x"]), plain_values
    )
)
def test_any_mapping_is_an_experiment_or_refused_in_words(content):
    try:
        config = validated(content)
    except ConfigError:
        return
    assert isinstance(config, ExperimentConfig)


def test_the_toml_reader_gives_what_validation_takes():
    content = tomllib.loads(
        "[outer]\nnum_steps = 3\n[model]\nkind = 'mlp'\nhidden_sizes = [2, 3]"
    )
    config = validated(content)
    assert (config.outer.num_steps, config.model.hidden_sizes) == (3, (2, 3))


def test_a_configuration_in_which_everything_is_wrong_is_told_in_a_few_lines():
    content = {f"key {n}": n for n in range(1000)} | {"preset": "x" * 5000}
    with pytest.raises(ConfigError) as caught:
        validated(content)
    lines = str(caught.value).splitlines()
    assert len(lines) == 9
    assert lines[-1] == "and 993 more"
    assert len(str(caught.value)) < 1300
    assert len(caught.value.problems) == 1001


def test_of_a_long_text_beginning_and_end_are_told():
    assert shortened("short", 20) == "short"
    assert shortened("a" * 50 + "; allowed: b", 30).endswith("; allowed: b")
    assert len(shortened("a" * 500, 30)) == 30


@pytest.mark.parametrize(
    ("written", "sizes"),
    [
        ("40,40", (40, 40)),
        (" 40, 30 ,20", (40, 30, 20)),
        ("40", (40,)),
        ("[40, 40]", (40, 40)),
        ("[]", ()),
    ],
)
def test_a_list_of_numbers_is_written_as_people_write_it(written, sizes):
    change = parse_assignment(f"model.hidden_sizes={written}")
    assert with_overrides(ExperimentConfig(), [change]).model.hidden_sizes == sizes


@pytest.mark.parametrize("written", ["40;40", "40,,40", "true", "1.5", "40 40", "-3"])
def test_what_is_no_list_of_numbers_is_refused_in_our_words(written):
    with pytest.raises(ConfigError, match=r"hidden_sizes is .*; allowed: "):
        with_overrides(
            ExperimentConfig(), [parse_assignment(f"model.hidden_sizes={written}")]
        )


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *(("name", name) for name in ("", "x" * 81, "a/b", 3)),
        *(("version", version) for version in (3, "1")),
        *(("tasks", value) for value in (3, [1])),
        *(("outer.num_steps", value) for value in ("many", 1.5, None, [1])),
        *(("inner.inner_lr", value) for value in ("much", None, float("nan"))),
    ],
)
def test_no_library_speaks_in_a_refusal(path, value):
    with pytest.raises(ConfigError) as refusal:
        with_overrides(ExperimentConfig(), [(path, value)])
    said = str(refusal.value)
    for foreign in (
        "Input should",
        "String should",
        "valid ",
        "Field required",
        "dict",
    ):
        assert foreign not in said
    assert "allowed: " in said


def test_off_is_nought_where_the_form_says_so():
    config = with_overrides(ExperimentConfig(), [("outer.clip_norm", 2.0)])
    assert with_overrides(config, [("outer.clip_norm", "off")]).outer.clip_norm == 0.0
    inner = with_overrides(config, [("inner.inner_batch_size", "all shots")]).inner
    assert inner.options()["inner_batch_size"] == 0
    with pytest.raises(ConfigError, match="outer_lr"):
        with_overrides(config, [("outer.optimizer.outer_lr", "off")])


@pytest.mark.parametrize("name", ["off", "all shots", "as training", "set K"])
def test_a_word_for_nought_stands_where_nought_is_allowed(name):
    found = []
    for slot, registry in SLOTS.items():
        for kind in registry.components:
            layout = default_layout({**KINDS, f"{slot}.kind": kind})
            found += [info for info in layout if info.spec.at_zero == name]
    assert found
    for info in found:
        info.spec.check(0)
        assert info.spec.low == 0


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ("learning rate", "outer.optimizer.outer_lr"),
        ("learning rate", "inner.inner_lr"),
        ("epochs", "outer.num_steps"),
        ("ALPaCA", "meta.kind"),
        ("Weight decay", "outer.optimizer.weight_decay"),
        ("hidden layers", "model.hidden_sizes"),
        ("number of tasks", "outer.num_tasks"),
        ("meta-batch size", "outer.num_tasks"),
        ("Bayesian linear head", "meta.kind"),
        ("inner.kind", "inner.kind"),
    ],
)
def test_a_setting_knows_what_people_call_it(words, path):
    (info,) = (info for info in fields_of(ExperimentConfig()) if info.path == path)
    assert words in info.names
