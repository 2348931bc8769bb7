"""Between the plot where points move and the thread that adapts to them."""

import threading
from dataclasses import replace

import pytest
from PySide6.QtCore import QTimer

from metalab.analysis import adaptation
from metalab.analysis.edited_support import EditedSupport
from metalab.engine.trainer import Trainer
from metalab.experiment.config_history import ConfigHistory
from metalab.ui.session.support_edits import SupportEditController
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
def gate(monkeypatch):
    """Hold every answer back until the gate is opened."""
    opened = threading.Event()
    original = adaptation.HeldOutAdapter.adapt

    def adapt(*arguments, **options):
        assert opened.wait(TIMEOUT)
        return original(*arguments, **options)

    monkeypatch.setattr(adaptation.HeldOutAdapter, "adapt", adapt)
    return opened


@pytest.fixture
def controller(qapp, history):
    made = SupportEditController()
    made.follow(history)
    answers = []
    made.readapted.connect(answers.append)
    made.answers = answers
    yield made
    made.close()
    made.join()
    assert not [t for t in threading.enumerate() if t.name == "support edits"]


def moved(history, y: float = 3.0) -> EditedSupport:
    return EditedSupport.own(history.held_out_tasks, 1).with_point(0, 0.5, y)


def answer(qtbot, controller, act):
    """Do something and return the answer to it."""
    with qtbot.waitSignal(controller.readapted) as answered:
        act()
    return answered.args[0]


def test_an_answer_comes_without_a_timer(controller, history, qtbot):
    points = moved(history)
    found = answer(qtbot, controller, lambda: controller.set_points(points))
    assert found.points is points
    assert not controller.findChildren(QTimer)


def test_a_move_does_not_wait_for_its_answer(controller, history, gate, qtbot):
    points = moved(history)
    controller.set_points(points)
    assert controller.answers == []
    assert answer(qtbot, controller, gate.set).points is points


def test_new_meta_parameters_adapt_the_points_anew(controller, history, qtbot):
    first = answer(qtbot, controller, lambda: controller.set_points(moved(history)))
    curves = replace(history.curves, step=7, phi=0.5 * history.curves.phi)
    newer = replace(history, curves=curves)
    second = answer(qtbot, controller, lambda: controller.follow(newer))
    assert second.step == 7
    assert (second.curves != first.curves).any()


def test_the_same_meta_parameters_do_not(controller, history, qtbot):
    answer(qtbot, controller, lambda: controller.set_points(moved(history)))
    controller.follow(replace(history, step=9))
    assert not controller._service.waiting


def test_points_that_are_put_back_are_not_answered(controller, history, gate, qtbot):
    controller.set_points(moved(history))
    with qtbot.assertNotEmitted(controller.readapted, wait=50):
        controller.set_points(None)
        gate.set()
    controller.follow(replace(history, curves=replace(history.curves)))
    assert not controller._service.waiting


def test_another_experiment_forgets_what_was_asked(controller, history, gate, qtbot):
    controller.set_points(moved(history))
    other = small_config(run__seed=5)
    with qtbot.assertNotEmitted(controller.readapted, wait=50):
        controller.follow(replace(history, configs=ConfigHistory(other), curves=None))
        gate.set()


def test_points_wait_for_the_first_curves(controller, history, qtbot):
    controller.follow(replace(history, curves=None))
    controller.set_points(moved(history))
    assert controller.answers == []
    with qtbot.waitSignal(controller.readapted):
        controller.follow(history)


def test_an_error_reaches_the_windows_hook(controller, history, qtbot):
    curves = replace(history.curves, phi=history.curves.phi[:3])
    controller.follow(replace(history, curves=curves))
    with qtbot.captureExceptions() as raised:
        controller.set_points(moved(history))
        qtbot.waitUntil(lambda: bool(raised))
    assert [kind for kind, _, _ in raised] == [RuntimeError]
    assert controller.answers == []
    # It goes on.
    controller.follow(history)
    answer(qtbot, controller, lambda: controller.set_points(moved(history)))
