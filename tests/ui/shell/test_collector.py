"""Cycle collection on the window's thread."""

import gc
import threading
import weakref

import pytest

from metalab.ui.shell.collector import CycleCollector


class Node:
    """Something that can be in a cycle."""


def cycle() -> weakref.ref:
    node = Node()
    node.itself = node
    return weakref.ref(node)


@pytest.fixture
def collector(qapp):
    collector = CycleCollector()
    collector.start()
    yield collector
    collector.stop()
    assert gc.isenabled()


def test_no_other_thread_collects(collector):
    ref = cycle()
    kept = []

    def allocate() -> None:
        kept.extend([] for _ in range(10_000))

    thread = threading.Thread(target=allocate)
    thread.start()
    thread.join()
    assert ref() is not None
    collector.collect()
    assert ref() is None


def test_the_timer_collects(collector, qtbot):
    ref = cycle()
    kept = [[] for _ in range(2_000)]
    qtbot.waitUntil(lambda: ref() is None, timeout=5_000)
    assert len(kept) == 2_000


def test_stopping_twice_and_starting_twice_is_harmless(collector):
    collector.start()
    assert not gc.isenabled()
    collector.stop()
    collector.stop()
    assert gc.isenabled()


def test_what_was_left_before_the_start_is_collected_then(qapp):
    ref = cycle()
    collector = CycleCollector()
    collector.start()
    assert ref() is None
    collector.stop()


def test_settle_leaves_what_is_loaded_alone(collector):
    ref = cycle()
    collector.settle()
    assert gc.get_freeze_count() > 0
    collector.collect()
    assert ref() is not None
    gc.unfreeze()
    gc.collect()
    assert ref() is None
