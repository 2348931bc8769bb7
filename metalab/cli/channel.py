"""The process's stdout and stderr: whoever prints, nothing printed fails.

A command's work is done before it is told. A reader that has gone away, a disk that is
full, a terminal that was closed or one that knows no Chinese must not turn a saved run
into a traceback and an exit code of 1.
"""

import codecs
import errno
import io
import os
import select
import sys
from pathlib import Path
from typing import Any, TextIO

_ERRORS = "metalab"
"""Name under which Python finds `_in_known_letters`."""

_IN_LETTERS = {
    "±": "+-",
    "×": "x",
    "·": ".",
    "…": "...",
    "–": "-",
    "—": "-",
    "−": "-",
    "≤": "<=",
    "≥": ">=",
    "→": "->",
    "’": "'",
    "“": '"',
    "”": '"',
    "\N{NO-BREAK SPACE}": " ",
}
"""What typographic signs become where the encoding has none of them."""

_OFTEN_ENOUGH_S = 1.0


class Channel(io.RawIOBase):
    """Passes bytes on to a file descriptor until it takes no more, and never raises.

    Attributes:
        problem: Why what was printed last is lost; None while nothing is.
    """

    def __init__(self, stream: io.TextIOWrapper) -> None:
        """Take the place of a stream of Python's own, which nobody uses any more."""
        # Kept, or the descriptor would be closed with it.
        self._stream = stream
        self._raw = _raw_of(stream)
        self.problem: OSError | None = None

    def writable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the descriptor, for whoever asks how wide the terminal is."""
        return self._raw.fileno()

    def isatty(self) -> bool:
        """Return whether a person reads it."""
        return self._raw.isatty()

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Write all of it, or note why not; what follows would have a gap before it."""
        rest = memoryview(data).cast("B")
        try:
            while rest and self.problem is None:
                written = self._raw.write(rest)
                if written is None:
                    # Somebody shares the pipe and has told it not to wait.
                    select.select([], [self._raw], [], _OFTEN_ENOUGH_S)
                rest = rest[written or 0 :]
        except OSError as error:
            self.problem = error
        except ValueError as error:
            self.problem = OSError(errno.EBADF, str(error))
        return len(data)


def open_channels() -> None:
    """Have everything that prints go through a `Channel`, from now on.

    Descriptors that the process was started without lead nowhere: the next file to be
    opened would have their numbers, and be printed into.
    """
    codecs.register_error(_ERRORS, _in_known_letters)
    _fill_descriptors()
    sys.stdout = _through_channel(sys.stdout)
    sys.stderr = _through_channel(sys.stderr)


def lost_output() -> str | None:
    """Return why what was printed on stdout is lost; None if nothing is.

    Somebody who has read enough (`| head -1`) has lost nothing.
    """
    if not isinstance(sys.stdout, io.TextIOWrapper):
        return None
    sys.stdout.flush()
    channel = _raw_of(sys.stdout)
    problem = channel.problem if isinstance(channel, Channel) else None
    if problem is None or problem.errno == errno.EPIPE:
        return None
    return problem.strerror or str(problem)


def _fill_descriptors() -> None:
    if os.name == "nt":
        return
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:  # stderr
        os.set_inheritable(number, True)
    os.close(number)


def _through_channel(stream: TextIO | None) -> TextIO:
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    if not isinstance(stream, io.TextIOWrapper):
        # Of a notebook, or of whoever else has put their own there.
        return stream
    channel = Channel(stream)
    # Without a buffer (python -u) there is none in between.
    unbuffered = _raw_of(stream) is stream.buffer
    return io.TextIOWrapper(
        channel if unbuffered else io.BufferedWriter(channel),  # pyright: ignore[reportArgumentType]
        encoding=stream.encoding,
        errors=_ERRORS,
        line_buffering=stream.line_buffering,
        write_through=unbuffered,
    )


def _raw_of(stream: io.TextIOWrapper) -> Any:
    return getattr(stream.buffer, "raw", stream.buffer)


def _in_known_letters(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    refused = error.object[error.start : error.end]
    plain = (_IN_LETTERS.get(sign) or _escaped(sign) for sign in refused)
    return "".join(plain), error.end


def _escaped(sign: str) -> str:
    return sign.encode("ascii", "backslashreplace").decode()
