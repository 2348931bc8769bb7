"""Carries out commands in forked copies of one process that has loaded everything.

Starting Python and torch anew for each of some hundred commands would take minutes. Each
line on stdin is a case in JSON, each line on stdout what became of it:

    python strange_child.py  <cases  >results
"""

import contextlib
import io
import json
import os
import signal
import sys
import time
from pathlib import Path

MODULES = (
    "metalab.cli.main",
    "metalab.cli.config_source",
    "metalab.cli.report",
    "metalab.cli.study_runs",
    "metalab.cli.estimator_table",
    "metalab.engine.trainer",
    "metalab.figures.render",
    "metalab.figures.estimators",
    "metalab.figures.animation.file",
    "metalab.runs.running.run",
    "metalab.analysis.evaluate",
    "metalab.analysis.estimators",
    "metalab.runs.services.snapshots",
    "metalab.runs.running.resume",
    "metalab.studies.files",
    "metalab.studies.registry",
)


def main() -> None:
    for name in MODULES:
        __import__(name)
    for line in sys.stdin:
        print(json.dumps(carried_out(json.loads(line))), flush=True)


def carried_out(case: dict) -> dict:
    """Return exit code, text and time of a command; a hang ends with -SIGALRM."""
    out, err = (Path(case["notes"]) / name for name in ("out", "err"))
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = _in_child(case, out, err)
        finally:
            os._exit(code)
    status = os.waitpid(pid, 0)[1]
    return {
        "code": os.waitstatus_to_exitcode(status),
        "out": out.read_bytes().decode("utf-8", "replace"),
        "err": err.read_bytes().decode("utf-8", "replace"),
        "seconds": round(time.monotonic() - began, 2),
    }


def _in_child(case: dict, out: Path, err: Path) -> int:
    import metalab.__main__  # noqa: PLC0415

    signal.alarm(case["limit"])
    os.environ.update(case["environment"])
    os.chdir(case["cwd"])
    sys.argv = ["metalab", *map(os.fsdecode, map(os.fsencode, case["arguments"]))]
    for number, usual, name in ((1, out, "stdout"), (2, err, "stderr")):
        usual.write_bytes(b"")
        _redirect(number, case[name] or str(usual), name, case["encoding"])
    try:
        code = metalab.__main__.main()
    except SystemExit as request:
        code = request.code if isinstance(request.code, int) else 1
    except BaseException:  # noqa: BLE001 - as the interpreter itself would
        import traceback  # noqa: PLC0415

        with contextlib.suppress(OSError, AttributeError):
            os.write(2, traceback.format_exc().encode("utf-8", "replace"))
        code = 1
    return _flushed(code)


def _redirect(number: int, target: str, name: str, encoding: str) -> None:
    """Give the process another stdout or stderr, as a shell would before it starts."""
    if target == "closed":
        os.close(number)
        setattr(sys, name, None)
        return
    if target == "left":  # a pipe whose reader has gone
        reader, writer = os.pipe()
        os.close(reader)
    else:
        writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(writer, number)
    os.close(writer)
    raw = io.FileIO(number, "w", closefd=False)
    errors = "strict" if number == 1 else "backslashreplace"
    setattr(
        sys,
        name,
        io.TextIOWrapper(
            io.BufferedWriter(raw), encoding=encoding, errors=errors,
            line_buffering=number == 2,
        ),
    )  # fmt: skip


def _flushed(code: int) -> int:
    """Return the exit code that the interpreter's last flush leaves."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            return 120
    return code


if __name__ == "__main__":
    main()
