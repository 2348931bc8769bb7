"""Importing the engine in the background."""

import importlib
import threading

import pytest

from metalab.runs.preload import ENGINE, Preload


def test_imports_the_modules_in_order(monkeypatch):
    seen = []
    monkeypatch.setattr("metalab.runs.preload.import_module", seen.append)
    preload = Preload()
    preload.start()
    assert preload.join(10)
    assert preload.done
    preload.check()
    assert seen == list(ENGINE)


def test_every_module_exists():
    for module in ENGINE:
        importlib.import_module(module)


def test_tells_its_stage_and_stops_when_cancelled(monkeypatch):
    reached, go_on = threading.Event(), threading.Event()
    seen = []

    def slow_import(module):
        seen.append(module)
        reached.set()
        assert go_on.wait(10)

    monkeypatch.setattr("metalab.runs.preload.import_module", slow_import)
    preload = Preload(["first", "second"])
    assert preload.stage == "first"
    preload.start()
    assert reached.wait(10)
    assert not preload.done
    preload.cancel()
    go_on.set()
    assert preload.join(10)
    assert seen == ["first"]


def test_tells_why_the_engine_cannot_be_used():
    preload = Preload(["metalab.there_is_no_such_module"])
    preload.start()
    assert preload.join(10)
    with pytest.raises(ModuleNotFoundError, match="there_is_no_such_module"):
        preload.check()
