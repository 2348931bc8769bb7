"""Compiled kernels in the cache; the compiler's process is played by a short script."""

import gc
import os
import subprocess
import sys
import threading

import pytest

from metalab.cli.main import run
from metalab.core.fused.availability import WORK
from metalab.runs.system import kernels
from metalab.runs.system.kernels import (
    KEPT_SECONDS,
    KernelError,
    compile_here,
    kernel_report,
    prepare,
    readiness,
)


def never() -> bool:
    return False


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, and its folder for what is installed here."""
    monkeypatch.setenv("METALAB_KERNELS", str(tmp_path / "kernels"))
    return tmp_path / "kernels" / kernels.digest()


@pytest.fixture
def loaded(monkeypatch):
    """The precisions that were loaded into this process."""
    found = []
    monkeypatch.setattr(kernels, "load", lambda precision, *_: found.append(precision))
    monkeypatch.setattr(kernels, "_compile", kernels.load)
    return found


@pytest.fixture
def compiler(monkeypatch):
    """Let a script stand for the compiler; count how often it is started."""
    started = []

    def play(code):
        def command(precision):
            started.append(precision)
            return [sys.executable, "-c", code, precision]

        monkeypatch.setattr(kernels, "_command", command)
        return started

    return play


COMPILES = """
import os, pathlib, sys
from metalab.core.fused.availability import digest
folder = pathlib.Path(os.environ["METALAB_KERNELS"]) / digest()
folder.mkdir(parents=True)
(folder / f"{sys.argv[1]}.ready").touch()
"""


def test_compiles_in_a_child_once_and_loads(compiler, loaded):
    started, told = compiler(COMPILES), []
    assert readiness("float64").reason == "not compiled yet"
    for _ in range(2):
        found = prepare("float64", cancelled=never, on_compiling=told.append)
        assert found.ready
    assert started == ["float64"]
    assert {compiling.share for compiling in told} == {0.0}
    assert loaded == ["float64", "float64"]
    assert not readiness("float32").ready


SLOW = """
import os, pathlib, sys, time
from metalab.core.fused.availability import digest
folder = pathlib.Path(os.environ["METALAB_KERNELS"]) / digest()
folder.mkdir(parents=True)
(folder / f"{sys.argv[1]}.progress").write_text("begin\\n" * 34 + "update\\n")
while True: time.sleep(1)
"""


def test_tells_how_far_the_compiler_is(compiler, loaded):
    compiler(SLOW)
    told = []
    prepare(
        "float32",
        cancelled=lambda: bool(told) and told[-1].share > 0,
        on_compiling=told.append,
    )
    assert told[0].seconds_left is None
    last = told[-1]
    work = sum(WORK.values())
    assert last.share == pytest.approx(35 / work)
    assert last.name == "update"
    assert last.seconds_left == pytest.approx((work - 35) / 35 * last.seconds)


def test_what_is_compiled_at_leisure_comes_last(compiler, loaded):
    commands = []

    class Remembered(subprocess.Popen):
        def __init__(self, command, **options):
            commands.append(command)
            super().__init__(command, **options)

    compiler(COMPILES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", Remembered)
        found = kernels.compile_ahead("float64", cancelled=never, idle=True)
    assert found.ready
    assert commands[0][-1] == "--idle"
    assert loaded == []


def test_a_helper_ends_with_whom_it_helps(monkeypatch):
    code = (
        "import sys, time; from metalab.runs.system import kernels\n"
        "kernels.load = lambda *_: print('begins', flush=True) or time.sleep(1000)\n"
        "kernels.help_compiling('float32')"
    )
    helper = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with helper:
        assert helper.stdout.readline() == b"begins\n"
        helper.stdin.close()
        assert helper.wait(30) == 1


def test_what_a_helper_does_not_do_is_done_all_the_same(monkeypatch, cache):
    parts = []
    monkeypatch.setattr(
        kernels, "_command", lambda _: [sys.executable, "-c", "raise SystemExit(1)"]
    )
    seen = []
    monkeypatch.setattr(
        kernels, "load", lambda _, *w: (parts.append(w), seen.append(gc.isenabled()))
    )
    compile_here("float32")
    assert parts == [("steps",), ()]
    assert seen == [False, True]
    assert gc.isenabled()
    assert readiness("float32").ready


@pytest.mark.slow
def test_both_parts_are_as_much_work_as_they_are_said_to_be(cache):
    code = (
        "import collections, torch; from metalab.core.fused import availability, warm\n"
        "from metalab.runs.system.kernels import use_cache\n"
        "use_cache()\n"
        "for part in availability.PARTS:\n"
        "    names = []\n"
        "    warm.warm(torch.float32, (part,), tell=names.append)\n"
        "    print(part, len(names) / availability.WORK[part])\n"
    )
    for part in (0, 1):
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                code.replace(".PARTS", f".PARTS[{part}:{part + 1}]"),
            ],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "METALAB_KERNELS": str(cache.parent / str(part))},
        )
        assert 0.7 <= float(done.stdout.split()[1]) <= 1.0


def test_a_stop_ends_the_compiler_at_once(compiler, loaded, monkeypatch):
    children = []

    class Remembered(subprocess.Popen):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            children.append(self)

    monkeypatch.setattr(subprocess, "Popen", Remembered)
    compiler("import time; time.sleep(100)")
    found = prepare("float32", cancelled=lambda: bool(children))
    assert found.reason == "compiling was cancelled"
    assert children[0].returncode is not None
    assert loaded == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise ImportError('numba is broken')", "ImportError: numba is broken"),
        ("import sys; sys.exit('metalab: the disk is full')", "the disk is full"),
        ("import os; os._exit(3)", "the compiler ended with 3"),
        ("", "the compiler ended with 0"),
    ],
)
def test_a_failure_is_told(compiler, loaded, code, words):
    compiler(code)
    found = prepare("float32", cancelled=never)
    assert found.reason == f"compiling failed: {words}"
    assert loaded == []


def test_a_compiler_that_cannot_be_started_is_told(monkeypatch):
    monkeypatch.setattr(kernels, "_command", lambda _: ["/no/such/program"])
    found = prepare("float32", cancelled=never)
    assert found.reason.startswith("the compiler did not start: ")


def test_without_compiler_nothing_is_tried(compiler, monkeypatch):
    started = compiler(COMPILES)
    monkeypatch.setattr(kernels, "missing_compiler", lambda: "numba is not installed")
    found = prepare("float32", cancelled=never)
    assert found.reason == "numba is not installed (pip install numba)"
    assert started == []
    assert kernel_report() == f"unavailable because {found.reason}"
    with pytest.raises(KernelError, match="numba is not installed"):
        compile_here("float32")


def test_a_folder_that_cannot_be_written_is_told(compiler, cache):
    started = compiler(COMPILES)
    cache.parent.write_text("in the way")
    found = prepare("float32", cancelled=never)
    assert found.reason == f"{cache.parent} is not a folder that can be written to"
    assert started == []


def test_code_that_cannot_be_loaded_is_told(cache, monkeypatch):
    def load(_precision):
        raise RuntimeError("cannot cache function\nfor some reason")

    monkeypatch.setattr(kernels, "load", load)
    cache.mkdir(parents=True)
    (cache / "float32.ready").touch()
    found = prepare("float32", cancelled=never)
    assert found.reason == "they cannot be loaded: RuntimeError: cannot cache function"


def test_the_command_compiles_what_is_not_there(cache, loaded):
    assert run(["kernels", "--precision", "float32"]) == 0
    assert run(["kernels"]) == 0
    assert loaded == ["float32", "float64"]
    assert kernel_report() == f"float32 cached, float64 cached ({cache})"


def test_the_commands_of_two_processes_take_turns(cache, monkeypatch):
    at_work, go_on = threading.Event(), threading.Event()
    order = []

    def load(precision):
        order.append(f"{precision} begins")
        at_work.set()
        assert go_on.wait(10)
        order.append(f"{precision} ends")

    monkeypatch.setattr(kernels, "_compile", load)
    first = threading.Thread(target=compile_here, args=("float32",))
    second = threading.Thread(target=compile_here, args=("float64",))
    first.start()
    assert at_work.wait(10)
    second.start()
    second.join(0.1)
    assert order == ["float32 begins"]
    go_on.set()
    first.join(10)
    second.join(10)
    assert order[1:] == ["float32 ends", "float64 begins", "float64 ends"]


def test_the_lock_of_a_process_that_died_holds_up_nobody(cache, loaded):
    cache.mkdir(parents=True)
    code = (
        "import os, pathlib, sys; from metalab.runs.system.file_lock import locked\n"
        "with locked(pathlib.Path(sys.argv[1])): os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(cache / "lock")], check=True)
    compile_here("float32")
    assert loaded == ["float32"]


def test_what_other_versions_left_long_ago_is_removed(cache, loaded):
    names = {"old": KEPT_SECONDS + 60, "new": KEPT_SECONDS - 60, "used": 0.0}
    for name, age in names.items():
        folder = cache.parent / name
        folder.mkdir(parents=True)
        marker = folder / "float32.ready"
        marker.touch()
        made = marker.stat().st_mtime
        os.utime(folder, (made - KEPT_SECONDS - 60,) * 2)
        os.utime(marker, (made - age,) * 2)
    compile_here("float32")
    left = {path.name for path in cache.parent.iterdir()}
    assert left == {"new", "used", cache.name}


def test_without_a_variable_the_cache_is_in_the_home(monkeypatch, tmp_path):
    monkeypatch.delenv("METALAB_KERNELS")
    assert kernels.cache_folder() == tmp_path / "home" / "cache" / "kernels"


@pytest.mark.parametrize("frozen", [False, True])
def test_an_installed_application_is_its_own_command(monkeypatch, frozen):
    monkeypatch.setattr(sys, "frozen", frozen, raising=False)
    module = [] if frozen else ["-m", "metalab"]
    arguments = [sys.executable, *module, "kernels", "--precision", "float32"]
    assert kernels._command("float32") == arguments
