"""The background thread of a run: how its errors are told."""

from metalab.experiment.fields import with_overrides
from metalab.runs.record.status import RunStatus
from metalab.runs.running.worker import RunWorker


def failed(worker):
    worker.start()
    assert worker.join(30)
    assert not worker.alive
    history = worker.live.snapshot()
    assert history.status is RunStatus.FAILED
    return history.failure


def test_what_a_person_can_mend_is_told_in_plain_words(config, tmp_path):
    nowhere = tmp_path / "no" / "such" / "folder" / "run.metalab"
    failure = failed(RunWorker(config, path=nowhere))
    assert failure.message == (
        f"{nowhere} cannot be created: the folder {nowhere.parent} does not exist"
    )
    assert "RunFileError" in failure.traceback


def test_a_defect_is_told_with_its_kind(config, monkeypatch):
    def break_down(*_args, **_options):
        raise ZeroDivisionError("first line\nsecond line")

    monkeypatch.setattr("metalab.runs.running.run.run_experiment", break_down)
    failure = failed(RunWorker(config))
    assert failure.message == "ZeroDivisionError: first line"
    assert "ZeroDivisionError" in failure.traceback


def test_a_worker_that_never_started_need_not_be_waited_for(config):
    assert RunWorker(with_overrides(config, [("run.seed", 1)])).join(0)
