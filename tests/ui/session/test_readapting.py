"""Between the plot where points move and the thread that adapts to them."""

import threading
from dataclasses import replace

import pytest

from metalab.analysis import adaptation
from metalab.analysis.moved import EditedSupport
from metalab.engine.trainer import Trainer
from metalab.experiment.config_history import ConfigHistory
from metalab.ui.session import readapting as module
from metalab.ui.session.readapting import SupportEditController
from tests.support.fake_worker import small_config
from tests.support.histories import make_history

TIMEOUT = 60.0


@pytest.fixture
def history():
    """A run with the tasks and the meta-parameters of a real one."""
    config = small_config(run__provider="autodiff")
    trainer = Trainer(config)
    tasks = next(trainer.run()).held_out_tasks
    return make_history(config=config, held_out_tasks=tasks, curves=trainer.curves())


@pytest.fixture
def patient(monkeypatch):
    """Every move waits for its answer, however busy the machine."""
    monkeypatch.setattr(module, "ANSWER_SECONDS", TIMEOUT)


@pytest.fixture
def gate(monkeypatch):
    """Hold every answer back until the gate is opened; nobody waits for it."""
    opened = threading.Event()
    original = adaptation.HeldOutAdapter.adapt

    def adapt(*arguments, **options):
        assert opened.wait(TIMEOUT)
        return original(*arguments, **options)

    monkeypatch.setattr(adaptation.HeldOutAdapter, "adapt", adapt)
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.001)
    return opened


@pytest.fixture
def readapting(qapp, history):
    made = SupportEditController()
    made.follow(history)
    answers = []
    made.readapted.connect(answers.append)
    made.answers = answers
    yield made
    made.close()
    assert not [t for t in threading.enumerate() if t.name == "readapter"]


def moved(history, y: float = 3.0) -> EditedSupport:
    return EditedSupport.own(history.held_out_tasks, 1).with_point(0, 0.5, y)


def test_a_quick_answer_comes_with_the_move(readapting, history, patient):
    points = moved(history)
    readapting.set_points(points)
    assert [answer.points for answer in readapting.answers] == [points]
    assert not readapting._timer.isActive()


def test_a_slow_answer_comes_later(readapting, history, gate, qtbot):
    points = moved(history)
    readapting.set_points(points)
    assert readapting.answers == []
    with qtbot.waitSignal(readapting.readapted) as answered:
        gate.set()
    assert answered.args[0].points is points
    assert not readapting._timer.isActive()


def test_new_meta_parameters_adapt_the_points_anew(readapting, history, patient, qtbot):
    readapting.set_points(moved(history))
    newer = replace(history.curves, step=7, phi=0.5 * history.curves.phi)
    with qtbot.waitSignal(readapting.readapted) as answered:
        readapting.follow(replace(history, curves=newer))
    assert answered.args[0].step == 7
    assert (answered.args[0].curves != readapting.answers[0].curves).any()


def test_the_same_meta_parameters_do_not(readapting, history, patient):
    readapting.set_points(moved(history))
    readapting.follow(replace(history, step=9))
    assert not readapting._readapter.waiting


def test_points_that_are_put_back_are_not_answered(readapting, history, gate, qtbot):
    readapting.set_points(moved(history))
    with qtbot.assertNotEmitted(readapting.readapted, wait=50):
        readapting.set_points(None)
        gate.set()
    readapting.follow(replace(history, curves=replace(history.curves)))
    assert not readapting._readapter.waiting


def test_another_experiment_forgets_what_was_asked(readapting, history, gate, qtbot):
    readapting.set_points(moved(history))
    other = small_config(run__seed=5)
    with qtbot.assertNotEmitted(readapting.readapted, wait=50):
        readapting.follow(replace(history, configs=ConfigHistory(other), curves=None))
        gate.set()


def test_points_wait_for_the_first_curves(readapting, history, patient, qtbot):
    readapting.follow(replace(history, curves=None))
    readapting.set_points(moved(history))
    assert readapting.answers == []
    with qtbot.waitSignal(readapting.readapted):
        readapting.follow(history)


def test_an_error_reaches_whoever_moves(readapting, history, patient):
    curves = replace(history.curves, phi=history.curves.phi[:3])
    readapting.follow(replace(history, curves=curves))
    with pytest.raises(RuntimeError):
        readapting.set_points(moved(history))
