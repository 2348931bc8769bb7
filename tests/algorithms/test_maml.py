"""MAML's presets have the settings of the papers that they name."""

import pytest

from metalab.engine.build import build_family
from metalab.experiment.config import preset_config
from tests.support.oracles import FLOAT64, generator


@pytest.mark.parametrize(("name", "shots"), [("maml-sine-5", 5), ("maml-sine-20", 20)])
def test_the_sines_of_other_shots_differ_from_maml_sine_in_the_shots_alone(name, shots):
    usual, other = preset_config("maml-sine"), preset_config(name)
    assert (other.tasks.num_shots, other.tasks.num_queries) == (shots, shots)
    sections = [(n, s) for n, s in usual if n not in ("name", "preset", "tasks")]
    assert all(getattr(other, name) == section for name, section in sections)
    assert other.tasks.family == usual.tasks.family


def test_sines_and_lines_are_noisy():
    family = build_family(preset_config("maml-sine-or-line"))
    assert (family.name, family.noise, family.line_share) == ("sine-or-line", 0.3, 0.5)


@pytest.mark.parametrize("name", ["maml-multimodal", "mmaml-multimodal"])
def test_the_two_modes_are_sines_and_lines(name):
    config = preset_config(name)
    family = build_family(config)
    drawn = family.sample_parameters(200, generator=generator(), dtype=FLOAT64)
    assert set(drawn[:, 0].tolist()) == {0.0, 1.0}
    assert family.noise == 0.3
    assert (config.tasks.num_shots, config.tasks.num_queries) == (5, 5)
    assert config.model.options()["hidden_sizes"] == (100, 100, 100)
    assert (config.num_inner_steps, config.inner.options()["inner_lr"]) == (5, 0.001)
    assert config.outer.num_tasks == 50
