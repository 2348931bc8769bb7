"""An experiment as one line of text."""

import base64
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metalab.catalog.recipes import presets
from metalab.experiment.config import preset_config
from metalab.experiment.fields import ConfigError, with_overrides
from metalab.experiment.share_code import (
    MOST_BYTES,
    PREFIX,
    experiment_of_code,
    share_code,
)


def packed(content: bytes) -> str:
    return PREFIX + base64.urlsafe_b64encode(zlib.compress(content)).decode()


@pytest.mark.parametrize("name", presets())
def test_every_preset_comes_back(name):
    code = share_code(preset_config(name))
    assert experiment_of_code(code) == preset_config(name)
    assert len(code.splitlines()) == 1
    assert len(code) < 1200


def test_changes_name_and_seed_come_back():
    changes = [
        ("name", "the one, of Tuesday"),
        ("run.seed", 41),
        ("inner.inner_lr", 0.1),
    ]
    config = with_overrides(preset_config("maml-sine"), changes)
    assert experiment_of_code(share_code(config)) == config


def test_a_message_may_wrap_it():
    code = share_code(preset_config("maml-sine"))
    wrapped = "\n  ".join(code[i : i + 60] for i in range(0, len(code), 60))
    assert experiment_of_code(f" {wrapped}\r\n") == preset_config("maml-sine")


CODE = share_code(preset_config("maml-sine"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "share code is ''; a code begins with metalab1:"),
        ("a letter to a friend " * 90, "share code is 'a letter to a friend"),
        (PREFIX, "its end is missing"),
        (CODE[:-20], "its end is missing"),
        (PREFIX + "?!", "damaged"),
        (CODE[:30] + "AAAA" + CODE[34:], "damaged"),
        (packed(b"{"), "damaged"),
        (packed(b"[" * 100_000), "damaged"),
        (packed(b"[1, 2]"), "holds no experiment"),
        (packed(b" " * (MOST_BYTES + 1)), "holds more than 1,000,000 bytes"),
        (
            packed(b'{"model": {"kind": "brain"}}'),
            "model.kind is 'brain'; allowed: hilbert-basis, mlp",
        ),
        (packed(b'{"coffee": 2}'), "coffee"),
    ],
)
def test_what_is_no_code_is_refused_in_a_line(text, message):
    with pytest.raises(ConfigError) as refusal:
        experiment_of_code(text)
    assert message in str(refusal.value)
    assert len(str(refusal.value)) < 300


def test_a_setting_that_is_not_allowed_is_named():
    content = preset_config("maml-sine").to_mapping()
    content["outer"]["num_tasks"] = -3
    with pytest.raises(ConfigError, match=r"outer\.num_tasks is -3"):
        experiment_of_code(packed(json.dumps(content).encode()))


@given(st.text(max_size=200) | st.binary(max_size=200).map(packed))
def test_any_text_is_an_experiment_or_a_config_error(text):
    for candidate in (text, PREFIX + text):
        try:
            experiment_of_code(candidate)
        except ConfigError:
            continue
