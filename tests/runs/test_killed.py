"""Kills at every moment of a run, and copies of its file while it is written."""

import functools
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from metalab.runs.record.file_format import RunFileError
from metalab.runs.record.reader import open_run
from tests.bench.install_peers import ROOT
from tests.support.stored import assert_same_run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

SHORT, LONG = 5_000, 30_000
"""Outer steps of a run: a fraction of a second, and several."""

MOST_LOST_SECONDS = 2.0


class Server:
    """The process whose children are killed."""

    def __init__(self, process):
        self._process = process
        assert self._answer() == {"ready": True}

    def ask(self, **request):
        self.begin(**request)
        return self._answer()

    def begin(self, **request):
        request["path"] = str(request["path"])
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()

    def _answer(self):
        line = self._process.stdout.readline()
        assert line, self._process.stderr.read()
        return json.loads(line)

    answer = _answer


@pytest.fixture(scope="module")
def server():
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.kill_server"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield Server(process)
    process.stdin.close()
    process.wait()
    for stream in (process.stdout, process.stderr):
        stream.close()


@pytest.fixture(scope="module")
def straight(server, tmp_path_factory):
    """The file of a run of some length that nothing disturbed."""

    @functools.cache
    def made(num_steps):
        path = tmp_path_factory.mktemp("straight") / f"{num_steps}.metalab"
        assert server.ask(do="run", path=path, num_steps=num_steps)["status"] == 0
        return path

    return made


@pytest.fixture
def facts(straight):
    run = open_run(straight(SHORT))
    values = {
        "config": run.history.config_at().to_mapping(),
        "environment": dict(run.environment),
        "created": run.created,
        "status": "running",
    }
    return json.dumps({key: json.dumps(value) for key, value in values.items()})


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.sampled(2)
def test_a_kill_at_any_call_of_making_and_closing_leaves_a_whole_file_or_none(
    server, facts, tmp_path, after
):
    rows = []
    for call in range(1, 100):
        path = tmp_path / f"{call}.metalab"
        found = server.ask(do="write", path=path, call=call, after=after, facts=facts)
        if found["status"] != 9:
            assert found["status"] >> 8 == 3, "the child died of something else"
            break
        assert "error" not in found, (call, found)
        rows.append(found.get("rows", -1))
    assert len(rows) > 20
    # From no file over an empty one to the last: what was written stays written.
    assert rows == sorted(rows)
    assert set(rows) == {-1, 0, 1, 2}


def kills(seed: int, seconds: float):
    """Yield moments: a quarter in the first 200 ms, a quarter in the last, half between.

    Args:
        seed: Of the moments.
        seconds: How long a run takes.
    """
    chance = random.Random(seed)
    while True:
        yield {"from": "start", "delay": chance.uniform(0, 0.2)}
        # Behind the last step, the file is written for the last time and closed.
        steps = chance.choice([0, 0, 1000])
        delay = chance.uniform(0, 0.1)
        yield {"from": "end", "steps_before_end": steps, "delay": delay}
        for _ in range(2):
            yield {"from": "start", "delay": chance.uniform(0.2, 0.2 + seconds)}


def killed_runs(server, folder: Path, count: int, *, num_steps: int, seed: int = 0):
    """Kill so many runs; return what each left, with those that ended before."""
    left, killed = [], 0
    began = time.monotonic()
    server.ask(do="run", path=folder / "timed.metalab", num_steps=num_steps)
    for kill in kills(seed, time.monotonic() - began):
        path = folder / f"{len(left)}.metalab"
        found = server.ask(do="run", path=path, num_steps=num_steps, kill=kill)
        assert found["status"] in (0, 9), found
        assert "error" not in found, (kill, found)
        if "step" in found:
            assert found["rows"] == found["step"], kill
            assert found["lost"] <= MOST_LOST_SECONDS, (kill, found)
        left.append((path, found))
        killed += found["status"] == 9
        if killed == count:
            return left
    raise AssertionError("unreachable")


def check_resumed(server, straight: Path, left, count: int, *, num_steps: int) -> None:
    """Go on with some of the files that are not finished: equal to a straight run."""
    unfinished = [
        path for path, found in left if -1 < found.get("step", -1) < num_steps
    ]
    assert len(unfinished) >= count
    for path in unfinished[:count]:
        found = server.ask(do="run", path=path, resume=True)
        assert found["status"] == 0, found
        assert_same_run(path, straight)


def command_cp(path: Path, copy: Path) -> None:
    subprocess.run(["cp", path, copy], check=True, stderr=subprocess.DEVNULL)


def copy_again_and_again(path: Path, running: threading.Event) -> None:
    """Copy a file at random moments, beside it, while it is written."""
    chance, number = random.Random(0), 0
    while running.is_set():
        try:
            way = chance.choice([shutil.copyfile, command_cp])
            way(path, path.with_name(f"copy{number}.metalab"))
            number += 1
        except (FileNotFoundError, subprocess.CalledProcessError):
            pass  # no run is going on just now
        time.sleep(chance.uniform(0, 0.05))


def copies_open(
    server, folder: Path, count: int, *, num_steps: int, flush_seconds: float
) -> list[int]:
    """Copy the files of runs that go on; return the steps that the copies hold."""
    folder.mkdir()
    path = folder / "run.metalab"
    running = threading.Event()
    running.set()
    with ThreadPoolExecutor(1) as pool:
        copying = pool.submit(copy_again_and_again, path, running)
        try:
            while len(list(folder.glob("copy*"))) <= count and not copying.done():
                found = server.ask(
                    do="run",
                    path=path,
                    num_steps=num_steps,
                    flush_seconds=flush_seconds,
                )
                assert found["status"] == 0, found
                path.unlink()
        finally:
            running.clear()
        copying.result()
    steps = []
    for file in folder.glob("copy*"):
        history = open_run(file).history
        assert history.steps.tolist() == list(range(1, history.step + 1))
        steps.append(history.step)
    return steps


def test_what_a_kill_leaves_opens_and_goes_on(server, straight, tmp_path):
    left = killed_runs(server, tmp_path, 6, num_steps=SHORT)
    check_resumed(server, straight(SHORT), left, 2, num_steps=SHORT)


def test_copies_of_a_file_that_is_written_open(server, tmp_path):
    # Written at every event, so that most copies meet a write.
    steps = copies_open(server, tmp_path / "c", 20, num_steps=SHORT, flush_seconds=0.0)
    assert len(set(steps)) > 3


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_three_hundred_kills(server, straight, tmp_path):
    left = killed_runs(server, tmp_path, 300, num_steps=LONG, seed=1)
    killed = [found for _, found in left if found["status"] == 9]
    lost = sorted(found["lost"] for found in killed if "lost" in found)
    print(
        f"{len(killed)} of {len(left)} killed; {sum('step' in f for f in killed)} left a "
        f"file, each opened; median {lost[len(lost) // 2]:.2f} s, at most {lost[-1]:.2f} s "
        f"lost"
    )
    check_resumed(server, straight(LONG), left, 30, num_steps=LONG)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("flush_seconds", [0.0, 1.0])
def test_a_hundred_copies(server, tmp_path, flush_seconds):
    steps = copies_open(
        server, tmp_path / "c", 100, num_steps=LONG, flush_seconds=flush_seconds
    )
    print(f"{len(steps)} copies opened, of {len(set(steps))} different steps")
    assert len(steps) >= 100


STRACED = """
import sys
from pathlib import Path
from metalab.runs.record.log import Additions
from metalab.runs.record.writer import RunWriter
facts = {facts}
writer = RunWriter.create(Path(sys.argv[1]), Additions(facts=facts))
writer.append(Additions())
writer.close()
"""
SYSTEM_CALLS = ("fdatasync", "fsync", "unlink", "link", "rename", "pwrite64", "write")


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize("name", SYSTEM_CALLS)
def test_a_kill_at_any_system_call_leaves_a_whole_file_or_none(facts, tmp_path, name):
    code = STRACED.format(facts=json.loads(facts))
    killed = 0
    for when in range(1, 1000):
        path = tmp_path / f"{when}.metalab"
        done = subprocess.run(
            [
                "strace", "-f", "-qq", "-o", os.devnull, "-e",
                f"inject={name}:signal=SIGKILL:when={when}",
                sys.executable, "-c", code, str(path),
            ],
            check=False, cwd=ROOT, capture_output=True, text=True,
        )  # fmt: skip
        if path.exists():
            try:
                open_run(path)
            except RunFileError as error:
                pytest.fail(f"{name} {when}: {error}")
        if done.returncode == 0:
            break
        assert done.returncode in (-9, 137), done.stderr
        killed += 1
    print(f"{name}: {killed} kills")
