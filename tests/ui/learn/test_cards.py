"""The cards' experiments and pictures."""

import numpy as np
import pytest

from metalab.ui.learn.cards import all_cards, load_cards
from metalab.ui.learn.content import ContentError
from metalab.ui.learn.experiments import config_of, overrides_of


def test_there_are_five():
    keys = ["maml", "reptile", "first-order", "break-it", "gapminder"]
    assert list(all_cards()) == keys


@pytest.mark.parametrize("card", all_cards().values(), ids=all_cards())
def test_a_card_gives_an_experiment_that_differs_as_told(card):
    config = config_of(card)
    assert overrides_of(config, card.preset) == card.overrides


@pytest.mark.parametrize("card", all_cards().values(), ids=all_cards())
def test_a_picture_fits_its_drawing(card):
    arrays = card.thumbnail()
    assert all(np.isfinite(values).all() for values in arrays.values())
    if card.drawing.kind == "lines":
        assert arrays["y"].shape == (len(card.drawing.lines), len(arrays["x"]))
        assert (np.diff(arrays["x"]) > 0).all()
    else:
        assert arrays["curves"].shape[1:] == arrays["grid"].shape
        config = config_of(card)
        shots = config.tasks.num_shots
        assert arrays["support_x"].shape == arrays["support_y"].shape == (shots,)
        if "truth" in arrays:
            assert arrays["truth"].shape == arrays["grid"].shape
        else:
            queries = config.tasks.num_queries
            assert arrays["query_x"].shape == arrays["query_y"].shape == (queries,)


def test_the_pictures_show_what_the_cards_say():
    cards = all_cards()
    exact, first_order = cards["first-order"].thumbnail()["y"]
    assert (exact == 1).all()
    assert first_order[0] > 0.99
    assert first_order[-1] < 0.3
    good, broken = cards["break-it"].thumbnail()["y"]
    assert 10 ** good[-1] < 0.2 * 10 ** good[0]
    assert 10 ** broken[-1] > 0.9 * 10 ** broken[0]
    maml = cards["maml"].thumbnail()
    off = np.abs(maml["curves"] - maml["truth"]).mean(axis=1)
    assert off[1] < 0.6 * off[0]
    country = cards["gapminder"].thumbnail()
    misses = [
        np.interp(country["query_x"], country["grid"], curve) - country["query_y"]
        for curve in country["curves"]
    ]
    assert np.abs(misses[-1]).mean() < 0.3 * np.abs(misses[0]).mean()


def test_bad_cards_are_refused(tmp_path):
    card = (
        '[[cards]]\nkey = "a"\ntitle = "T"\nsentence = "S."\npreset = "maml-sine"\n'
        'workspace = "live"\ndrawing = {{ kind = "{}" }}\n'
    )
    file = tmp_path / "cards.toml"
    file.write_text(card.format("lines"))
    with pytest.raises(ContentError, match="has 0 lines; allowed: some in kind lines"):
        load_cards(file)
    file.write_text(2 * card.format("adaptation"))
    with pytest.raises(ContentError, match="key 'a' is in two cards"):
        load_cards(file)
