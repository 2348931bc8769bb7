"""Whether a window can open, found out without Qt."""

import socket

import pytest

from metalab.cli import display


@pytest.fixture(autouse=True)
def _on_linux(monkeypatch):
    monkeypatch.setattr(display.sys, "platform", "linux")


def test_no_display_variable():
    assert "no display" in display.display_problem({})


def test_a_display_that_does_not_answer():
    problem = display.display_problem({"DISPLAY": ":9876"})
    assert ":9876" in problem


@pytest.mark.parametrize("value", ["nonsense", ":x", ""])
def test_a_display_variable_without_sense(value):
    assert display.display_problem({"DISPLAY": value}) is not None


def test_a_display_over_tcp_that_answers(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1] - 6000
        environment = {"DISPLAY": f"127.0.0.1:{number}.0"}
        assert display.display_problem(environment) is None


def test_platforms_without_a_display_server():
    assert display.display_problem({"QT_QPA_PLATFORM": "offscreen"}) is None
    assert display.display_problem({"WAYLAND_DISPLAY": "wayland-0"}) is None


def test_other_systems_bring_their_own_display(monkeypatch):
    monkeypatch.setattr(display.sys, "platform", "darwin")
    assert display.display_problem({}) is None
    assert display.missing_libraries() == {}


def test_missing_libraries_name_the_package(monkeypatch):
    monkeypatch.setattr(
        display, "SYSTEM_LIBRARIES", {"libnobody.so.7": "libnobody7", "libc.so.6": "c"}
    )
    missing = display.missing_libraries()
    assert missing == {"libnobody.so.7": "libnobody7"}
    assert display.install_line(missing) == "sudo apt-get install libnobody7"
