"""Settings in which several experiments differ."""

from metalab.experiment.changes import differing_settings
from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides


def settings(*configs):
    return {row.key: row.values for row in differing_settings(configs)}


def test_only_what_differs_is_there_and_seeds_are_not():
    maml = preset_config("maml-sine")
    other = with_overrides(maml, [("inner.inner_lr", 0.05), ("run.seed", 3)])
    assert settings(maml, other, maml) == {"inner.inner_lr": ("0.01", "0.05", "0.01")}
    assert settings(maml, maml) == {}


def test_options_that_only_one_has_stand_with_their_component():
    maml, implicit = preset_config("maml-sine"), preset_config("imaml-sine")
    rows = differing_settings([maml, implicit])
    keys = [row.key for row in rows]
    strength = next(row for row in rows if row.values[0] == "\N{EN DASH}")
    kind = f"{strength.key.rsplit('.', 1)[0]}.kind"
    assert keys.index(kind) < keys.index(strength.key)
    assert {row.title for row in rows} >= {"Hypergradient", "Inner loop"}


def test_values_that_print_alike_are_told_apart():
    maml = preset_config("maml-sine")
    close = with_overrides(maml, [("inner.inner_lr", 0.010000001)])
    assert "inner.inner_lr" in settings(maml, close)
