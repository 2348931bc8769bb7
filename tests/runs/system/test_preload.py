"""Importing the engine in the background."""

import importlib
import threading

import pytest

from metalab.runs.system.kernels import Readiness
from metalab.runs.system.preload import ENGINE, Preload


def test_imports_the_modules_in_order(monkeypatch):
    seen = []
    monkeypatch.setattr("metalab.runs.system.preload.import_module", seen.append)
    preload = Preload(kernels=False)
    preload.start()
    assert preload.join(10)
    assert preload.done
    preload.check()
    assert seen == list(ENGINE)


@pytest.fixture
def compiled(monkeypatch):
    """What was done about kernels, in order; `hold` keeps the compiler at work."""
    done = []
    monkeypatch.setattr(
        "metalab.runs.system.kernels.load_kept", lambda p: done.append(f"load {p}")
    )

    def play(hold=bool):
        def compile_ahead(precision, *, cancelled, idle=False):
            hold(cancelled)
            if not cancelled():
                done.append(f"{precision}{' at leisure' if idle else ''}")
            return Readiness(ready=not cancelled())

        monkeypatch.setattr("metalab.runs.system.kernels.compile_ahead", compile_ahead)
        return done

    return play


def test_makes_the_kernels_ready_beside_it_without_holding_up(compiled):
    asked, go_on = threading.Event(), threading.Event()

    def hold(cancelled):
        asked.set()
        assert go_on.wait(10)

    done = compiled(hold)
    preload = Preload(["json"])
    preload.start()
    assert asked.wait(10)
    while not preload.done:
        threading.Event().wait(0.001)
    go_on.set()
    assert preload.join(10)
    assert done == [
        "float32",
        "load float32",
        "float32 at leisure",
        "float64 at leisure",
    ]


def test_loads_no_kernels_before_everything_is_imported(compiled, monkeypatch):
    reached, go_on = threading.Event(), threading.Event()

    def slow_import(module):
        if module == "first":
            reached.set()
            assert go_on.wait(10)
        return importlib.import_module("metalab.runs.system.kernels")

    done = compiled()
    monkeypatch.setattr("metalab.runs.system.preload.import_module", slow_import)
    preload = Preload(["first"])
    preload.start()
    assert reached.wait(10)
    while "float32" not in done:
        threading.Event().wait(0.001)
    assert done == ["float32"]
    go_on.set()
    assert preload.join(10)
    assert done[1] == "load float32"


def test_a_cancelled_one_stops_the_compiler(compiled):
    asked = threading.Event()

    def hold(cancelled):
        asked.set()
        while not cancelled():
            threading.Event().wait(0.001)

    done = compiled(hold)
    preload = Preload(["json"])
    preload.start()
    assert asked.wait(10)
    preload.cancel()
    assert preload.join(10)
    assert done == []


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

    monkeypatch.setattr("metalab.runs.system.preload.import_module", slow_import)
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
    preload = Preload(["metalab.there_is_no_such_module"], kernels=False)
    preload.start()
    assert preload.join(10)
    with pytest.raises(ModuleNotFoundError, match="there_is_no_such_module"):
        preload.check()
