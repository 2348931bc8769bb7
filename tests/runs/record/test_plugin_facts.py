"""What a run file says of plug-ins, and what is said where one is missing."""

from pathlib import Path

import pytest

from metalab.catalog.plugin_files import PluginFile
from metalab.catalog.slots import LOSSES
from metalab.experiment.config import ExperimentConfig
from metalab.runs.record.plugin_facts import (
    changed_plugins,
    missing_plugins,
    plugin_facts,
)

FILE = PluginFile(path=Path("/somewhere/mine.py"), digest="0123456789abcdef" * 4)
WORDS = "mine.py (sha256 0123456789abcdef)"


@pytest.fixture
def from_file(monkeypatch):
    """Pretend that the squared error comes from a file."""
    found = {"squared-error": FILE}
    components, problems, _ = LOSSES._found
    monkeypatch.setitem(LOSSES.__dict__, "_found", (components, problems, found))


def test_a_run_of_our_own_parts_says_nothing():
    assert plugin_facts(ExperimentConfig()) == {}


@pytest.mark.usefixtures("from_file")
def test_a_run_names_file_and_content():
    config = ExperimentConfig()
    facts = plugin_facts(config)
    assert facts == {"plug-in of loss": WORDS}
    assert changed_plugins(facts, config) == ()
    other = {"plug-in of loss": "mine.py (sha256 ffff)"}
    assert changed_plugins(other, config) == (
        "loss.kind 'squared-error' was of plug-in mine.py (sha256 ffff), and is of "
        f"{WORDS} now",
    )


def test_what_is_missing_is_named_with_its_file():
    facts = {"torch": "2", "plug-in of loss": WORDS, "plug-in of model": "net.py"}
    content = {"loss": {"kind": "log-cosh"}, "model": {"kind": "mlp"}}
    assert missing_plugins(facts, content) == (
        f"loss.kind 'log-cosh' of plug-in {WORDS}, which is not loaded; add it by "
        "--plugin FILE, or in the window by File > Add plug-in…"
    )
    content["model"] = {"kind": "net"}
    assert "and" not in missing_plugins({}, content)
    told = missing_plugins(facts, content)
    assert "model.kind 'net' of plug-in net.py, which are not loaded" in told


@pytest.mark.parametrize(
    "content", [{}, {"loss": 3}, {"loss": {}}, {"loss": {"kind": 5}}]
)
def test_a_damaged_experiment_is_left_to_others(content):
    assert missing_plugins({"plug-in of loss": WORDS}, content) == ""
    assert missing_plugins({"plug-in of nowhere": WORDS}, content) == ""
