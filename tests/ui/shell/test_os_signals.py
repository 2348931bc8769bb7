"""SIGINT and SIGTERM in Qt's event loop."""

import signal

import pytest

from metalab.ui.shell.os_signals import SIGNALS, SignalWatch


@pytest.fixture
def received():
    return []


@pytest.fixture
def watch(qapp, received):
    before = {number: signal.getsignal(number) for number in SIGNALS}
    watch = SignalWatch(lambda: received.append("end"))
    yield watch
    watch.close()
    assert {number: signal.getsignal(number) for number in SIGNALS} == before
    assert signal.set_wakeup_fd(-1) == -1


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_arrives_in_the_event_loop(watch, received, qtbot, number):
    signal.raise_signal(number)
    assert received == []
    qtbot.waitUntil(lambda: received == ["end"], timeout=5000)


def test_the_second_signal_does_what_it_would_without_us(watch, received, qtbot):
    signal.raise_signal(signal.SIGINT)
    qtbot.waitUntil(lambda: received == ["end"], timeout=5000)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
