"""Processes that are measured in turns: told how long, they answer with numbers."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.bench.install_peers import ROOT


class Child:
    """A way that runs in a process of its own.

    Attributes:
        said: What it says of itself once it is ready.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Wait until a process is ready.

        Raises:
            RuntimeError: It ended instead.
        """
        self._process = process
        self.said = self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(self._process.stderr.read()[-1000:])
        return json.loads(line)

    def rate(self, seconds: float) -> float:
        """Have it work for about so many seconds; return its rate."""
        self._process.stdin.write(json.dumps(seconds) + "\n")
        self._process.stdin.flush()
        return self._answer()["rate"]


@contextmanager
def started(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Start a child and end it."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
