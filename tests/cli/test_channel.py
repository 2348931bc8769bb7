"""What stands between what is printed and the process's descriptors."""

import errno
import io
import os
import subprocess
import sys
import threading

import pytest

from metalab.cli import channel
from metalab.cli.channel import Channel, lost_output
from metalab.cli.output import console, delivered


class Raw(io.RawIOBase):
    """A descriptor that takes a few bytes at a time, until it fails."""

    def __init__(self, *, most: int = 7, fails_after: int | None = None) -> None:
        self.taken = b""
        self._most = most
        self._fails_after = fails_after

    def writable(self):
        return True

    def write(self, data):
        if self._fails_after is not None and len(self.taken) >= self._fails_after:
            raise OSError(errno.ENOSPC, "No space left on device")
        part = bytes(data[: self._most])
        self.taken += part
        return len(part)


def stream_to(raw, **more) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedWriter(raw), **more)


@pytest.fixture
def own_stdout(monkeypatch):
    """Put a stream in stdout's place, and have it replaced as `metalab` does."""

    def replace(stream):
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", io.StringIO())
        channel.open_channels()
        return stream

    monkeypatch.setattr(channel, "_fill_descriptors", lambda: None)
    yield replace
    sys.stdout.flush()


def test_everything_arrives_however_little_is_taken_at_once():
    raw = Raw()
    out = Channel(stream_to(raw))
    assert out.write(b"one thing after another") == 23
    assert raw.taken == b"one thing after another"
    assert out.problem is None


def test_what_is_taken_no_more_is_noted_and_nothing_follows_it():
    raw = Raw(most=3, fails_after=6)
    out = Channel(stream_to(raw))
    assert out.write(b"123456789") == 9
    assert raw.taken == b"123456"
    assert out.problem.strerror == "No space left on device"
    assert out.write(b"abc") == 3
    assert raw.taken == b"123456"


def test_a_closed_descriptor_is_noted():
    reader, writer = os.pipe()
    os.close(reader)
    raw = io.FileIO(writer, "w")
    out = Channel(stream_to(raw))
    raw.close()
    assert out.write(b"x") == 1
    assert out.problem.errno == errno.EBADF


@pytest.mark.skipif(os.name == "nt", reason="pipes are not polled there")
def test_a_pipe_that_does_not_wait_is_waited_for():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    out = Channel(stream_to(io.FileIO(writer, "w")))
    received = []

    def read() -> None:
        while part := os.read(reader, 65536):
            received.append(part)

    thread = threading.Thread(target=read)
    data = b"x" * 1_000_000
    thread.start()
    assert out.write(data) == len(data)
    out._stream.close()
    thread.join()
    os.close(reader)
    assert b"".join(received) == data


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", "1.0+-0.2 x 3... \\u5b9e \\xe9 \\U0001f600 \\udcff"),
        ("cp1252", "1.0±0.2 × 3… \\u5b9e é \\U0001f600 \\udcff"),
        ("utf-8", "1.0±0.2 × 3… 实 é 😀 \\udcff"),
    ],
)
def test_signs_that_an_encoding_lacks_are_spelt(own_stdout, encoding, shown):
    raw = Raw()
    own_stdout(stream_to(raw, encoding=encoding))
    print("1.0±0.2 × 3… 实 é 😀 \udcff", end="")
    sys.stdout.flush()
    assert raw.taken.decode(encoding) == shown
    assert delivered() == 0


def test_full_is_a_loss_and_a_reader_that_has_left_is_none(own_stdout):
    own_stdout(stream_to(Raw(fails_after=0)))
    print("x")
    assert lost_output() == "No space left on device"
    assert delivered() == 1
    sys.stdout.buffer.raw.problem = OSError(errno.EPIPE, "Broken pipe")
    assert lost_output() is None
    assert delivered() == 0


def test_somebody_elses_stream_is_left_alone(own_stdout):
    notebook = own_stdout(io.StringIO())
    assert sys.stdout is notebook
    assert lost_output() is None


@pytest.mark.parametrize("text", ["[/b]", "[red]x", ":smile:", "\\[x]"])
def test_people_are_shown_names_as_they_are(capsys, text):
    console().print(f"Run file: {text}")
    assert capsys.readouterr().out == f"Run file: {text}\n"


@pytest.mark.parametrize("columns", ["0", "1", "none", ""])
def test_a_strange_width_hides_nothing(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    console().print("Run file: x")
    assert capsys.readouterr().out == "Run file: x\n"


@pytest.mark.parametrize("option", [[], ["-u"]])
def test_a_process_prints_in_order_with_and_without_a_buffer(option):
    code = (
        "import sys; from metalab.cli.channel import open_channels; open_channels();"
        "print('out'); print('err', file=sys.stderr); print('x' * 100_000)"
    )
    done = subprocess.run(
        [sys.executable, *option, "-c", code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "out\n" + "x" * 100_000 + "\n"
    assert done.stderr == "err\n"
