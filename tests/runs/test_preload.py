"""Importing the engine in the background."""

import importlib
import threading

import pytest

from metalab.runs.kernels import Readiness
from metalab.runs.preload import ENGINE, Preload


def test_imports_the_modules_in_order(monkeypatch):
    seen = []
    monkeypatch.setattr("metalab.runs.preload.import_module", seen.append)
    preload = Preload(kernels=False)
    preload.start()
    assert preload.join(10)
    assert preload.done
    preload.check()
    assert seen == list(ENGINE)


def test_makes_the_kernels_ready_afterwards_without_holding_up(monkeypatch):
    asked, go_on = threading.Event(), threading.Event()
    prepared = []

    def prepare(precision, *, cancelled):
        asked.set()
        assert go_on.wait(10)
        assert not cancelled()
        prepared.append(precision)
        return Readiness(ready=True)

    monkeypatch.setattr("metalab.runs.kernels.prepare", prepare)
    preload = Preload(["json"])
    preload.start()
    assert asked.wait(10)
    while not preload.done:
        threading.Event().wait(0.001)
    go_on.set()
    assert preload.join(10)
    assert prepared == ["float32"]


def test_a_cancelled_one_stops_the_compiler(monkeypatch):
    asked = threading.Event()

    def prepare(precision, *, cancelled):
        asked.set()
        while not cancelled():
            threading.Event().wait(0.001)
        return Readiness(ready=False, reason="compiling was cancelled")

    monkeypatch.setattr("metalab.runs.kernels.prepare", prepare)
    preload = Preload(["json"])
    preload.start()
    assert asked.wait(10)
    preload.cancel()
    assert preload.join(10)


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
    preload = Preload(["first", "second"], kernels=False)
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
