"""Errors from any thread, collected."""

import threading

import pytest

from metalab.runs.system.faults import MAX_FAULTS, FaultLog, one_line, watch_threads


def raised(message: str) -> Exception:
    def fail():
        raise ValueError(message)

    try:
        fail()
    except ValueError as error:
        return error


def test_equal_faults_are_counted_and_move_to_the_end():
    log = FaultLog()
    log.add("a", "details")
    log.add("b")
    log.add("a", "details")
    log.add("a", "other details")
    faults = log.snapshot()
    assert [(f.message, f.details, f.count) for f in faults] == [
        ("b", "", 1),
        ("a", "details", 2),
        ("a", "other details", 1),
    ]


def test_an_error_is_one_line_with_its_traceback():
    log = FaultLog()
    log.add_error(raised("first line\nsecond line"))
    (fault,) = log.snapshot()
    assert fault.message == "ValueError: first line"
    assert "second line" in fault.details
    assert "raise ValueError" in fault.details


def test_an_error_that_says_nothing_is_its_kind():
    assert one_line(ZeroDivisionError()) == "ZeroDivisionError"


def test_the_same_error_again_is_counted():
    log = FaultLog()
    for _ in range(3):
        log.add_error(raised("again"))
    assert [fault.count for fault in log.snapshot()] == [3]


def test_the_version_grows_with_every_change():
    log = FaultLog()
    versions = [log.version]
    log.add("a")
    versions.append(log.version)
    log.add("a")
    versions.append(log.version)
    log.clear()
    versions.append(log.version)
    assert versions == sorted(set(versions))
    assert log.snapshot() == ()


def test_the_oldest_go_first():
    log = FaultLog()
    for number in range(MAX_FAULTS + 5):
        log.add(str(number))
    faults = log.snapshot()
    assert len(faults) == MAX_FAULTS
    assert faults[0].message == "5"


def test_many_threads_at_once_lose_nothing():
    log = FaultLog()

    def add():
        for _ in range(200):
            log.add("same")

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [fault.count for fault in log.snapshot()] == [800]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_escapes_from_a_thread_arrives():
    log = FaultLog()
    told = []
    before = threading.excepthook
    threading.excepthook = told.append
    try:
        restore = watch_threads(log)

        def work():
            raise RuntimeError("escaped")

        thread = threading.Thread(target=work)
        thread.start()
        thread.join(10)
        restore()
        assert threading.excepthook == told.append
    finally:
        threading.excepthook = before
    assert [fault.message for fault in log.snapshot()] == ["RuntimeError: escaped"]
    assert len(told) == 1


def test_a_thread_that_leaves_by_itself_is_no_fault():
    log = FaultLog()
    told = []
    before = threading.excepthook
    threading.excepthook = told.append
    try:
        restore = watch_threads(log)
        threading.excepthook(
            threading.ExceptHookArgs((SystemExit, SystemExit(0), None, None))
        )
        restore()
    finally:
        threading.excepthook = before
    assert log.snapshot() == ()
    assert len(told) == 1
