"""Words on a long command: a line that changes on a terminal, else one now and then."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from metalab.cli.output import console, warn

EVERY_S = 10.0
"""Between two lines where nobody sees one change: a log, a pipe."""

Tell = Callable[[str], None]


@contextmanager
def told_status(first: str) -> Generator[Tell, None, None]:
    """Tell on stderr what is being done; yields what takes the next words.

    Args:
        first: What is done at first.
    """
    screen = console(json_output=True)
    if screen.is_terminal:
        with screen.status(first) as status:
            yield status.update
        return
    last = time.monotonic()

    def tell(words: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= EVERY_S:
            last = now
            warn(words)

    yield tell
