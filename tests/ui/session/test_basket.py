"""Tests of the basket of runs to compare."""

from pathlib import Path

import pytest

from metalab.ui.session.basket import Basket

A, B, C = (Path(f"/runs/{name}.metalab") for name in "abc")


@pytest.fixture
def told(qapp):
    basket = Basket()
    heard: list[tuple[Path, ...]] = []
    basket.changed.connect(lambda: heard.append(basket.paths))
    return basket, heard


def test_runs_stand_in_the_order_of_their_coming_each_once(told):
    basket, heard = told
    basket.add([B, A])
    basket.add([A, C])
    assert basket.paths == (B, A, C)
    assert heard == [(B, A), (B, A, C)]
    assert A in basket


def test_what_changes_nothing_is_not_told(told):
    basket, heard = told
    basket.set_paths([A])
    basket.add([A])
    basket.remove([B])
    basket.set_paths([A, A])
    assert heard == [(A,)]


def test_a_run_is_one_whatever_way_its_path_is_written(told, monkeypatch, tmp_path):
    basket, _ = told
    monkeypatch.chdir(tmp_path)
    basket.add([Path("a.metalab"), tmp_path / "a.metalab"])
    assert basket.paths == (tmp_path / "a.metalab",)
    assert Path("a.metalab") in basket
    basket.remove([Path("a.metalab")])
    assert basket.paths == ()
