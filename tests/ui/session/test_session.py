"""What the window is about, without a window and without a thread."""

from dataclasses import replace

import pytest

from metalab.experiment.config import preset_config
from metalab.experiment.config_history import ConfigHistory
from metalab.experiment.fields import ConfigError
from metalab.runs.record.file_format import RunFileError
from metalab.runs.record.history import RunHistory
from metalab.runs.record.status import RunStatus
from metalab.runs.running.manager import RunManager
from metalab.runs.system.faults import FaultLog
from metalab.runs.system.home import runs_folder
from metalab.ui.session import engine_access
from metalab.ui.session.phase import Phase
from metalab.ui.session.session import Session
from tests.support.fake_worker import Workshop, small_config


@pytest.fixture
def faults():
    return FaultLog()


@pytest.fixture
def workshop():
    return Workshop()


@pytest.fixture
def session(qapp, faults, workshop):
    session = Session(faults, slot=RunManager(workshop))
    session.set_loading()
    session.set_config(small_config())
    yield session
    session.stop()
    assert session.join(10)


def listen(session) -> list[Phase]:
    """Return the phases that are announced from now on."""
    heard = []
    session.state_changed.connect(lambda: heard.append(session.phase))
    return heard


def test_does_nothing_before_there_is_an_experiment(qapp, faults, workshop):
    session = Session(faults, slot=RunManager(workshop))
    assert session.phase is Phase.LOADING
    session.set_loading("Loading something")
    assert session.loading_text == "Loading something"
    session.set_loading()
    assert session.phase is Phase.IDLE
    session.toggle_run()
    session.step(1)
    session.start()
    session.reset()
    assert workshop.workers == []


def test_run_pause_step_resume_stop(session, workshop):
    heard = listen(session)
    session.toggle_run()
    worker = workshop.worker
    assert session.phase is Phase.RUNNING
    assert worker.live.path.parent == runs_folder()
    worker.play(4)
    session.poll()
    session.toggle_run()
    assert session.phase is Phase.PAUSED
    assert worker.control.paused
    session.step(10)
    assert worker.control.turn().num_steps == 10
    assert session.phase is Phase.RUNNING
    worker.control.made(10)
    session.poll()
    assert session.phase is Phase.PAUSED
    session.toggle_run()
    assert session.phase is Phase.RUNNING
    assert worker.control.turn().num_steps is None
    session.stop()
    assert session.phase is Phase.STOPPING
    worker.end(RunStatus.STOPPED)
    session.poll()
    assert session.phase is Phase.IDLE
    assert session.history.status is RunStatus.STOPPED
    assert len(workshop.workers) == 1
    assert [heard[0], heard[-1]] == [Phase.RUNNING, Phase.IDLE]


def test_state_changed_is_not_a_clock(session, workshop):
    session.toggle_run()
    workshop.worker.play(3)
    session.poll()
    heard = listen(session)
    for _ in range(5):
        workshop.worker.play(1)
        session.poll()
    assert heard == []


def test_a_step_without_a_run_begins_one_that_waits(session, workshop):
    session.step(10)
    assert workshop.worker.control.turn().num_steps == 10
    workshop.worker.control.made(10)
    session.poll()
    assert session.phase is Phase.PAUSED


def test_reset_keeps_seed_and_mode_and_the_run_so_far(session, workshop):
    session.toggle_run()
    first = workshop.worker
    first.play(5)
    session.reset()
    assert first.control.stopping
    first.end(RunStatus.STOPPED)
    session.poll()
    second = workshop.worker
    assert second is not first
    assert second.live.config == first.live.config
    assert second.live.path != first.live.path
    assert session.phase is Phase.RUNNING
    session.toggle_run()
    session.reset()
    second.end(RunStatus.STOPPED)
    session.poll()
    assert session.phase is Phase.PAUSED
    assert workshop.worker.live.config.run.seed == first.live.config.run.seed


def test_reset_with_a_new_seed_differs_in_the_seed_alone(session, workshop):
    replaced = []
    session.config_replaced.connect(lambda *args: replaced.append(args))
    old = session.config
    session.toggle_run()
    session.reset(new_seed=True)
    workshop.worker.end(RunStatus.STOPPED)
    session.poll()
    new = workshop.worker.live.config
    assert new.run.seed != old.run.seed
    assert new.digest() == old.digest()
    assert replaced == [(new, preset_config("maml-sine"))]
    assert session.config == new


def test_a_drawn_seed_is_never_the_same_and_covers_all(monkeypatch):
    config = small_config(run__seed=1)
    drawn = []
    for number in range(3):
        monkeypatch.setattr("secrets.randbelow", lambda _, n=number: n)
        drawn.append(engine_access.with_other_seed(config).run.seed)
    assert drawn == [0, 2, 3]


def test_start_keeps_the_run_in_progress_and_takes_what_the_form_says(
    session, workshop
):
    session.toggle_run()
    session.set_config(small_config(inner__inner_lr=0.02))
    session.start()
    workshop.worker.end(RunStatus.STOPPED)
    session.poll()
    assert workshop.worker.live.config.inner.inner_lr == 0.02


def test_an_invalid_form_starts_nothing_but_does_not_touch_the_run(session, workshop):
    session.toggle_run()
    session.set_invalid("inner.inner_lr is -1; allowed: above 0")
    session.toggle_run()
    assert session.phase is Phase.PAUSED
    session.stop()
    workshop.worker.end(RunStatus.STOPPED)
    session.poll()
    session.toggle_run()
    session.start()
    session.reset()
    assert len(workshop.workers) == 1
    assert session.problem


def stopped(session, workshop) -> RunHistory:
    session.toggle_run()
    workshop.worker.play(6)
    session.stop()
    workshop.worker.end(RunStatus.STOPPED)
    session.poll()
    return session.history


def finish_reading(session):
    assert session.join(10)
    session.poll()


def test_a_stopped_run_goes_on_from_its_file(session, workshop, monkeypatch):
    history = stopped(session, workshop)
    assert session.resumable
    monkeypatch.setattr(engine_access, "past_of", lambda _: history)
    session.toggle_run()
    assert session.phase is Phase.STOPPING
    session.toggle_run()
    finish_reading(session)
    assert workshop.worker.past is history
    assert workshop.worker.live.path == history.path
    assert session.phase is Phase.RUNNING
    assert len(workshop.workers) == 2


def test_a_step_goes_on_too_and_then_waits(session, workshop, monkeypatch):
    history = stopped(session, workshop)
    monkeypatch.setattr(engine_access, "past_of", lambda _: history)
    session.step(1)
    finish_reading(session)
    assert workshop.worker.past is history
    assert workshop.worker.control.turn().num_steps == 1


def test_after_an_edit_a_new_run_begins_instead(session, workshop):
    stopped(session, workshop)
    session.set_config(small_config(outer__num_tasks=5))
    assert not session.resumable
    session.toggle_run()
    assert workshop.worker.past is None


def test_a_file_that_has_vanished_is_told_in_a_notice(
    session, workshop, monkeypatch, faults
):
    def vanish(_):
        raise RunFileError("gone.metalab cannot be read")

    stopped(session, workshop)
    monkeypatch.setattr(engine_access, "past_of", vanish)
    session.toggle_run()
    finish_reading(session)
    assert session.notice.text == "gone.metalab cannot be read"
    assert faults.snapshot() == ()
    assert session.phase is Phase.IDLE
    session.dismiss_notice()
    assert session.notice is None


def test_a_defect_while_reading_is_a_fault_too(session, monkeypatch, faults, tmp_path):
    def break_down(_):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(engine_access, "stored_history", break_down)
    session.open_file(tmp_path / "run.metalab")
    finish_reading(session)
    assert session.notice is not None
    assert [f.message for f in faults.snapshot()] == ["ZeroDivisionError: oh"]


def test_an_opened_file_is_shown_with_its_experiment(
    session, workshop, monkeypatch, tmp_path
):
    history = stopped(session, workshop)
    other = replace(history, configs=ConfigHistory(small_config(run__seed=9)))
    monkeypatch.setattr(engine_access, "stored_history", lambda _: other)
    replaced = []
    session.config_replaced.connect(lambda *args: replaced.append(args))
    session.open_file(tmp_path / "run.metalab")
    assert session.reading
    session.start()
    assert len(workshop.workers) == 1
    finish_reading(session)
    assert session.history is other
    # Told from the preset that it comes from, not from itself.
    assert replaced == [(other.next_config, preset_config("maml-sine"))]
    assert session.resumable


def test_a_stop_while_a_file_is_read_begins_nothing(session, workshop, monkeypatch):
    history = stopped(session, workshop)
    monkeypatch.setattr(engine_access, "past_of", lambda _: history)
    session.toggle_run()
    session.stop()
    finish_reading(session)
    assert len(workshop.workers) == 1
    assert not session.busy


def test_a_preset_leaves_the_run_alone(session, workshop):
    session.toggle_run()
    session.open_preset("reptile-sine")
    assert session.reference == preset_config("reptile-sine")
    assert session.config == preset_config("reptile-sine")
    assert session.phase is Phase.RUNNING
    with pytest.raises(ValueError, match="no-such"):
        session.open_preset("no-such")


def test_divergence_can_be_mended_or_accepted(session, workshop):
    session.toggle_run()
    worker = workshop.worker
    worker.play(4)
    worker.diverge()
    session.poll()
    assert session.phase is Phase.PAUSED
    session.go_on_anyway()
    assert not worker.control.paused
    session.halve("inner.inner_lr")
    worker.end(RunStatus.STOPPED)
    session.poll()
    assert workshop.worker.live.config.inner.inner_lr == 0.005
    assert session.config.inner.inner_lr == 0.005
    assert session.phase is Phase.RUNNING


def test_half_of_too_little_is_refused_in_words(session, workshop, monkeypatch):
    def refuse(_config, _path):
        raise ConfigError([])

    session.toggle_run()
    monkeypatch.setattr(engine_access, "with_half", refuse)
    session.halve("inner.inner_lr")
    assert session.notice is not None
    assert len(workshop.workers) == 1


def test_a_failed_run_is_tried_again_afresh_or_from_its_file(
    session, workshop, monkeypatch
):
    session.toggle_run()
    workshop.worker.fail()
    session.poll()
    assert session.phase is Phase.IDLE
    session.retry()
    assert workshop.worker.past is None
    workshop.worker.play(6)
    workshop.worker.fail()
    session.poll()
    history = session.history
    monkeypatch.setattr(engine_access, "past_of", lambda _: history)
    session.retry()
    finish_reading(session)
    assert workshop.worker.past is history


def test_runs_need_not_be_kept(qapp, faults, workshop):
    session = Session(faults, slot=RunManager(workshop), keep_runs=False)
    session.set_loading()
    session.set_config(small_config())
    session.toggle_run()
    assert workshop.worker.live.path is None
