"""Sweeps on a Dask cluster: the same bits, whatever becomes of workers and scheduler."""

import json
import logging
import os
import signal
import threading
import time

import pytest
from distributed import LocalCluster

from metalab.cli.main import run
from metalab.core.paths import replace_file
from metalab.experiment.fields import with_overrides
from metalab.runs.batch import cluster as cluster_module
from metalab.runs.batch.batch import BatchError, Ending, PlannedRun, carry_out
from metalab.runs.batch.cluster import Cluster
from metalab.runs.batch.folder import held_folder
from metalab.runs.batch.run_queue import RunQueue, Silent
from metalab.runs.record.reader import open_run
from tests.runs.batch.test_batch import ignore, never
from tests.runs.batch.test_killed_sweep import NUM_STEPS, SWEEP, kill_often
from tests.support.stored import assert_same_run
from tests.support.sweep_kills import (
    JOURNAL,
    assert_same_folder,
    check_journal,
)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "sweep.toml"
    text = SWEEP.replace("seeds = 2", "seeds = 1")
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def whole(file, tmp_path, capsys):
    folder = tmp_path / "whole"
    assert run(["sweep", str(file), "--out", str(folder), "--jobs", "1"]) == 0
    capsys.readouterr()
    return folder


@pytest.fixture(scope="module")
def journal(tmp_path_factory):
    return tmp_path_factory.mktemp("journal") / "journal"


@pytest.fixture(scope="module")
def address(journal):
    """A cluster of two worker processes that keep a journal."""
    os.environ[JOURNAL] = str(journal)
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address=None,
        preload=["tests.support.sweep_kills"],
        silence_logs=logging.ERROR,
    ) as cluster:
        yield cluster.scheduler_address
    del os.environ[JOURNAL]


def kill_who_computes(journal) -> None:
    """Kill a process a moment after it has computed a step."""
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline:
        lines = journal.read_text().splitlines() if journal.exists() else []
        if lines and " stored " in lines[-1]:
            os.kill(int(lines[-1].split()[-1]), signal.SIGKILL)
            return
        time.sleep(0.01)


def test_a_cluster_that_loses_a_worker_gives_the_same_runs(
    file, whole, address, journal, tmp_path, capsys
):
    cut = tmp_path / "cut"
    killer = threading.Thread(target=kill_who_computes, args=(journal,))
    killer.start()
    command = ["sweep", str(file), "--out", str(cut), "--json"]
    assert run([*command, "--scheduler", address]) == 0
    killer.join()
    assert json.loads(capsys.readouterr().out)["counts"]["finished"] == 3
    assert_same_folder(whole, cut)
    check_journal(journal, NUM_STEPS)


def test_workers_that_do_not_see_the_folder_send_files_back(
    config, address, tmp_path, monkeypatch
):
    seen = []

    def keep(path, data):
        seen.append(path)
        replace_file(path, data)

    monkeypatch.setattr(cluster_module, "token_of", "{}: another folder".format)
    monkeypatch.setattr(cluster_module, "replace_file", keep)
    config = with_overrides(config, [("outer.num_steps", 6)])
    planned = [
        PlannedRun(config=config, path=tmp_path / "runs" / "a.metalab"),
        PlannedRun(config=config, path=tmp_path / "runs" / "b.metalab"),
    ]
    planned[0].path.parent.mkdir()
    with (
        Cluster(address, segment_seconds=0.0) as cluster,
        held_folder(planned[0].path.parent),
    ):
        queue = RunQueue(planned, Silent())
        cluster.run(queue)
    assert {outcome.ending for outcome in queue.outcomes()} == {Ending.FINISHED}
    # Each file was brought here, for no worker had written into the folder.
    assert set(seen) == {run.path for run in planned}
    here = PlannedRun(config=config, path=tmp_path / "here.metalab")
    assert open_run(planned[0].path).history.step == config.outer.num_steps
    carry_out(here, tell=ignore, stopping=never)
    assert_same_run(here.path, planned[1].path)


def test_an_address_where_nobody_answers_is_told(monkeypatch):
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 0.5)
    with pytest.raises(BatchError, match="no Dask scheduler answers at 'tcp://127"):
        Cluster("tcp://127.0.0.1:9")


@pytest.mark.slow
@pytest.mark.timeout(3_000)
def test_kills_of_runner_workers_and_scheduler_change_nothing(file, whole, tmp_path):
    lost = kill_often(
        file,
        whole,
        tmp_path,
        num_kills=20,
        most_seconds=2.0,
        kinds=("worker", "runner", "scheduler"),
        on_cluster=True,
    )
    print(f"{lost} steps were computed again")
