"""Every command with strange paths, homes and outputs: a sentence, never a traceback.

What is asked for here has rights of its own: it runs in a process that has given up what
lets root read and write everything, and devices are made in a folder of the test.
"""

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes cannot be forked")

CHILD = Path(__file__).with_name("strange_child.py")
GIVE_UP_RIGHTS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--")
SECONDS = 30
"""After which a command counts as one that hangs; they take less than one."""

SMALL = [
    "--set", "run.provider=autodiff",
    "--set", "outer.num_steps=10",
    "--set", "outer.num_tasks=4",
    "--set", "model.hidden_sizes=[8]",
    "--set", "evaluation.num_tasks=16",
]  # fmt: skip
QUICK = ["--num-inner-steps", "1", "--num-batches", "2", "--estimators", "unrolled"]

DEVICES = {"zero": 5, "full": 7, "null": 3}
"""Minor numbers of the devices of that name; the major one is 1."""


@dataclass(frozen=True)
class Done:
    """What became of a command."""

    code: int
    out: str
    err: str
    seconds: float

    def check_refused(self) -> None:
        """Make sure that it said what is wrong, in a sentence, and did nothing else."""
        assert self.code == 2, self
        assert self.out == "", self
        assert "Traceback" not in self.err, self
        # The parser of the command line has a frame of its own for what it finds.
        assert self.err.startswith(("metalab: ", "Usage: ")), self
        if self.err.startswith("metalab: "):
            assert len(self.err.splitlines()) == 1, self


class Shell:
    """Runs commands in forked copies of a child that has loaded everything.

    Attributes:
        folder: Everything happens in it.
        run: A run file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = folder / "run.metalab"
        rights = GIVE_UP_RIGHTS if os.geteuid() == 0 and shutil.which("setpriv") else ()
        self.has_rights_taken = os.geteuid() != 0 or bool(rights)
        environment = {
            **os.environ,
            "METALAB_HOME": str(folder / "home"),
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "120",
        }
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
            environment.pop(name, None)
        for name in ("cwd", "notes"):
            (folder / name).mkdir()
        self._child = subprocess.Popen(
            [*rights, sys.executable, str(CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def __call__(
        self, *arguments: object, path: object = "", home: object = "", **more: Any
    ) -> Done:
        """Run a command.

        Args:
            arguments: The command line; "{run}" and "{path}" stand for files.
            path: Of a file.
            home: METALAB_HOME.
            more: `stdout` and `stderr`: a path, "closed", or "left" for a pipe that
                nobody reads; `encoding`; `environment`.
        """
        case = {
            "arguments": [
                str(part).format(run=self.run, path=path) for part in arguments
            ],
            "environment": {"METALAB_HOME": str(home)} if home else {},
            "stdout": "",
            "stderr": "",
            "encoding": "utf-8",
            "limit": SECONDS,
            "cwd": str(self.folder / "cwd"),
            "notes": str(self.folder / "notes"),
            **more,
        }
        self._child.stdin.write(f"{json.dumps(case)}\n")
        self._child.stdin.flush()
        return Done(**json.loads(self._child.stdout.readline()))

    def close(self) -> None:
        """End the child."""
        self._child.stdin.close()
        self._child.stdout.close()
        self._child.wait()


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    shell = Shell(tmp_path_factory.mktemp("shell"))
    try:
        done = shell("train", *SMALL, "--out", shell.run, "--json")
        assert done.code == 0, done
        yield shell
    finally:
        shell.close()


@pytest.fixture
def place(tmp_path):
    """A folder for one case; what nobody may look into is opened again afterwards."""
    yield tmp_path
    for folder in tmp_path.iterdir():
        if folder.is_dir() and not folder.is_symlink():
            folder.chmod(stat.S_IRWXU)


def folder_with(place: Path, mode: int, name: str = "folder") -> Path:
    folder = place / name
    folder.mkdir()
    (folder / "there").write_text("x")
    folder.chmod(mode)
    return folder


def device(place: Path, name: str, path: Path) -> Path:
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, DEVICES[name]))
        path.open("rb").close()
    except OSError as error:
        pytest.skip(f"no device can be made here: {error.strerror}")
    return path


def bound_socket(path: Path) -> Path:
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket has at most 107 bytes
    with socket.socket(socket.AF_UNIX) as local:
        local.bind(path.name)
    os.chdir(here)
    return path


def made(path: Path, how: Callable[[Path], object]) -> Path:
    how(path)
    return path


STRANGE: dict[str, Callable[[Path, str], Path | str]] = {
    "pipe": lambda place, end: made(place / f"pipe{end}", os.mkfifo),
    "endless device": lambda place, end: device(place, "zero", place / f"zero{end}"),
    "full device": lambda place, end: device(place, "full", place / f"full{end}"),
    "link to a device": lambda place, end: made(
        place / f"link{end}",
        lambda path: path.symlink_to(device(place, "null", place / "null")),
    ),
    "folder": lambda place, end: made(place / f"folder{end}", Path.mkdir),
    "circle of links": lambda place, end: made(
        place / f"circle{end}", lambda path: path.symlink_to(path)
    ),
    "socket": lambda place, end: bound_socket(place / f"socket{end}"),
    "below a file": lambda place, end: made(place / "file", Path.touch) / f"x{end}",
    "folder nobody may look into": lambda place, end: (
        folder_with(place, 0) / f"there{end}"
    ),
    "name too long": lambda place, end: place / f"{'n' * 300}{end}",
    "path too long": lambda place, end: place / f"{'/'.join(['n' * 100] * 50)}{end}",
    "empty": lambda _place, _end: "",
}
"""Paths that can be neither read nor written, by what they are."""

ONLY_READ: dict[str, Callable[[Path, str], Path | str]] = {
    "missing": lambda place, end: place / f"missing{end}",
    "link to nowhere": lambda place, _end: made(
        place / "nowhere", lambda path: path.symlink_to(place / "missing")
    ),
    "not UTF-8": lambda place, end: f"{place}/\udcff{end}",
    "file nobody may read": lambda place, end: made(
        made(place / f"closed{end}", Path.touch), lambda path: path.chmod(0)
    ),
}
ONLY_WRITTEN: dict[str, Callable[[Path, str], Path | str]] = {
    "missing folder": lambda place, end: place / "missing" / f"x{end}",
    "read-only folder": lambda place, end: folder_with(place, 0o555) / f"x{end}",
}

READERS: dict[str, tuple[str, list[object]]] = {
    "train FILE": (".toml", ["train", "{path}", *SMALL]),
    "resume": (".metalab", ["resume", "{path}"]),
    "eval": (".metalab", ["eval", "{path}", "--num-tasks", 4]),
    "show RUN": (".metalab", ["show", "{path}"]),
    "show TOML": (".toml", ["show", "maml-sine", "--diff", "{path}"]),
    "estimators": (".metalab", ["estimators", "{path}", *QUICK]),
    "export": (".metalab", ["export", "{path}", "losses", "--to", "o.png"]),
    "animate": (".metalab", ["animate", "{path}", "inner-loss", "--to", "o.gif"]),
}
FRAMES = ["inner-loss", "--num-frames", 2, "--to"]
WRITERS: dict[str, tuple[str, list[object]]] = {
    "train --out": (".metalab", ["train", *SMALL, "--out", "{path}"]),
    "estimators --out": (".png", ["estimators", "{run}", *QUICK, "--out", "{path}"]),
    "estimators --csv": (".csv", ["estimators", "{run}", *QUICK, "--csv", "{path}"]),
    "export --to png": (".png", ["export", "{run}", "losses", "--to", "{path}"]),
    "export --to py": (".py", ["export", "{run}", "losses", "--to", "{path}"]),
    "animate --to gif": (".gif", ["animate", "{run}", *FRAMES, "{path}"]),
    "animate --to mp4": (".mp4", ["animate", "{run}", *FRAMES, "{path}"]),
    # A folder of frames, whose name has no suffix.
    "animate --to png": ("", ["animate", "{run}", *FRAMES, "{path}.png"]),
    "reproduce --out": ("", ["reproduce", "reptile", "--out", "{path}"]),
}
"""The suffix that a path has, and the command that is given it."""


def cases(commands: dict, strange: dict, *, quick: dict) -> list:
    """Return every command with every path; what `quick` does not name is slow."""
    return [
        pytest.param(
            *command, make, id=f"{name}-{kind}",
            marks=() if kind in quick.get(name, ()) else pytest.mark.slow,
        )
        for name, command in commands.items()
        for kind, make in strange.items()
        if (name, kind) not in POSSIBLE
    ]  # fmt: skip


POSSIBLE = {
    ("reproduce --out", "folder"),  # it is one
    ("reproduce --out", "missing folder"),  # is made
    ("reproduce --out", "empty"),  # the current one
}
ALL_READ = {**STRANGE, **ONLY_READ}
ALL_WRITTEN = {**STRANGE, **ONLY_WRITTEN}


@pytest.mark.parametrize(
    ("end", "command", "make"),
    cases(
        READERS,
        ALL_READ,
        quick={"train FILE": ALL_READ, "eval": ALL_READ}
        | {name: ("pipe",) for name in READERS if name not in ("train FILE", "eval")},
    ),
)
@pytest.mark.sampled(2)
def test_what_cannot_be_read_is_one_sentence(shell, place, end, command, make):
    path = make(place, end)
    skip_without_rights(shell, path)
    before = contents(place)
    shell(*command, path=path).check_refused()
    assert contents(place) == before
    assert list((shell.folder / "cwd").iterdir()) == []


@pytest.mark.parametrize(
    ("end", "command", "make"),
    cases(
        WRITERS,
        ALL_WRITTEN,
        quick={"train --out": ALL_WRITTEN, "export --to png": ALL_WRITTEN}
        | {"animate --to gif": ("pipe", "circle of links", "name too long")}
        | {"animate --to png": ("circle of links", "folder nobody may look into")}
        | {"estimators --out": ("link to a device",)}
        | {"reproduce --out": ("below a file", "read-only folder")},
    ),
)
@pytest.mark.sampled(2)
def test_what_cannot_be_written_is_one_sentence_and_stays(
    shell, place, end, command, make
):
    path = make(place, end)
    skip_without_rights(shell, path)
    before = contents(place)
    shell(*command, path=path).check_refused()
    assert contents(place) == before


def skip_without_rights(shell: Shell, path: Path | str) -> None:
    """Skip a case about rights where root cannot give its own up."""
    if not shell.has_rights_taken and os.access(path, os.F_OK) != is_open(Path(path)):
        pytest.skip("root may do everything, and setpriv is not here to take it away")


def is_open(path: Path) -> bool:
    """Return whether the rights of a path, and of its folder, let its owner in."""
    places = [place for place in (path, path.parent) if os.path.lexists(place)]
    return all(place.lstat().st_mode & stat.S_IRUSR for place in places)


def contents(place: Path) -> dict[str, tuple[int, int]]:
    """Return what a folder holds: name -> kind and rights, and device."""
    found = {path: path.lstat() for path in [place, *place.iterdir()]}
    return {str(path): (s.st_mode, s.st_rdev) for path, s in found.items()}


# ------------------------------------------------------------------ names


def test_a_name_of_eighty_chinese_letters_is_a_name(shell, tmp_path):
    name = f"name={'实' * 80}"
    done = shell("train", *SMALL, "--set", name, "--json", home=tmp_path)
    assert done.code == 0, done
    (path,) = (tmp_path / "runs").iterdir()
    assert json.loads(done.out)["file"] == str(path)
    assert "实验"[0] * 26 in path.name
    assert json.loads(done.out)["name"] == "实" * 80


@pytest.mark.parametrize("name", ["[red]x[b] :smile:", "...", "NUL", "a\x9b31m"])
def test_a_strange_name_is_a_name(shell, tmp_path, name):
    done = shell("train", *SMALL, "--set", f"name={name}", home=tmp_path)
    assert done.code == 0, done
    (path,) = (tmp_path / "runs").iterdir()
    assert f"Run file: {path}" in done.out
    done = shell("eval", path, "--num-tasks", 4)
    assert done.code == 0, done
    assert name.replace("\x9b", "") in done.out.replace("\x9b", "")


@pytest.mark.parametrize("name", ["a/b", "a\\b", "a\x1bb", "a\nb", "", "n" * 81])
def test_an_impossible_name_is_one_sentence(shell, name):
    shell("train", *SMALL, "--set", f"name={name}").check_refused()


# ------------------------------------------------------------------ homes

HOMES: dict[str, Callable[[Path], Path | str]] = {
    "a file": lambda place: made(place / "file", Path.touch),
    "a device": lambda _place: "/dev/null",
    "below a file": lambda place: made(place / "file", Path.touch) / "below",
    "read-only": lambda place: folder_with(place, 0o555),
    "nobody may look": lambda place: folder_with(place, 0) / "home",
    "a circle": lambda place: made(place / "x", lambda path: path.symlink_to(path)),
    "a link to nowhere": lambda place: made(
        place / "x", lambda path: path.symlink_to(place / "y")
    ),
    "too long a name": lambda place: place / ("n" * 300),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", HOMES)
def test_a_home_that_cannot_be_used_is_told(shell, place, kind):
    home = HOMES[kind](place)
    skip_without_rights(shell, home)
    before = contents(place)
    own_cache = {"METALAB_HOME": str(home), "METALAB_KERNELS": ""}
    done = shell("doctor", "--json", environment=own_cache)
    # A home that cannot be used stops work.
    assert (done.code, done.err) == (1, ""), done
    report = json.loads(done.out)
    assert [text.split()[0] for text in report["problems"]] == [
        "Runs",
        "Preferences",
        "Logs",
    ]
    assert report["kernels"].startswith("unavailable because ")
    done = shell("train", *SMALL, environment=own_cache)
    done.check_refused()
    assert "cannot be created: " in done.err
    # Without a display, the preset would be trained.
    done = shell(home=home)
    assert done.code == 2, done
    assert len(done.err.splitlines()) == 2, done
    assert "cannot be created: " in done.err
    shell("reproduce", "reptile", home=home).check_refused()
    # What keeps nothing needs no home.
    assert shell("eval", shell.run, "--num-tasks", 4, home=home).code == 0
    assert contents(place) == before
    shutil.rmtree(shell.folder / "cwd" / "metalab-out")


@pytest.mark.parametrize("name", ["a/b [/b]", "\udcff", "~nobody"])
def test_a_home_that_can_be_made_is_made(shell, tmp_path, name):
    home = f"{tmp_path}/{name}"
    done = shell("train", *SMALL, home=home)
    assert done.code == 0, done
    assert len(list(Path(home, "runs").iterdir())) == 1
    report = shell("doctor", "--json", home=home)
    assert json.loads(report.out)["problems"] == []


# ------------------------------------------------------------------ printing

TELLERS: dict[str, list[object]] = {
    "train": ["train", *SMALL, "--set", "name=实验", "--out", "{path}/实验.metalab"],
    "train --json": ["train", *SMALL, "--out", "{path}/实验.metalab", "--json"],
    "eval": ["eval", "{run}", "--num-tasks", 4],
    "estimators": ["estimators", "{run}", *QUICK],
    "export": ["export", "{run}", "losses", "--to", "{path}/图.csv"],
    "animate": ["animate", "{run}", *FRAMES, "{path}/图.gif"],
    "presets": ["presets"],
    "show": ["show", "maml-sine"],
    "show --diff": ["show", "maml-sine", "--diff", "{run}"],
    "presets --check": ["presets", "--check", "oracle-sine", "--num-steps", 2],
    "reproduce": ["reproduce"],
    "doctor": ["doctor"],
    "doctor --json": ["doctor", "--json"],
    "--help": ["--help"],
    "--version": ["--version"],
    "a bad option": ["train", "--实验"],
    "a bad value": ["train", "--preset", "实验"],
}
MISTAKES = ("a bad option", "a bad value")
ONLY_PRINT = ("eval", "estimators", "presets", "presets --check", "reproduce",
              "show", "show --diff",               "doctor", "doctor --json")  # fmt: skip
"""Commands whose whole work is what they print."""

OUTPUTS: dict[str, dict[str, str]] = {
    "ASCII": {"encoding": "ascii"},
    "cp1252": {"encoding": "cp1252"},
    "stdout closed": {"stdout": "closed"},
    "stderr closed": {"stderr": "closed"},
    "both closed": {"stdout": "closed", "stderr": "closed"},
    "nobody reads stdout": {"stdout": "left"},
    "nobody reads either": {"stdout": "left", "stderr": "left"},
    "stdout full": {"stdout": "/dev/full"},
    "stderr full": {"stderr": "/dev/full"},
}
QUICK_OUTPUTS = {
    "train": ("cp1252", "both closed", "nobody reads stdout", "stdout full"),
    "export": ("ASCII", "stdout full"),
    "doctor": tuple(OUTPUTS),
    "a bad value": ("ASCII", "nobody reads either", "stderr full"),
}


@pytest.mark.parametrize(
    ("teller", "kind"),
    [
        pytest.param(
            teller,
            kind,
            marks=() if kind in QUICK_OUTPUTS.get(teller, ()) else pytest.mark.slow,
        )
        for teller in TELLERS
        for kind in OUTPUTS
    ],
)
def test_what_is_printed_never_fails(shell, tmp_path, teller, kind):
    output = OUTPUTS[kind]
    if "/dev/full" in output.values() and not Path("/dev/full").is_char_device():
        pytest.skip("there is no device that is always full")
    done = shell(*TELLERS[teller], path=tmp_path, **output)
    assert "Traceback" not in done.err, done
    assert "[bold]" not in done.out, "markup is not shown"
    lost = kind == "stdout full"
    expected = 2 if teller in MISTAKES else int(lost and teller in ONLY_PRINT)
    assert done.code == expected, done
    if lost and teller not in MISTAKES:
        assert "metalab: what was printed is lost: No space left" in done.err
    elif teller not in MISTAKES:
        assert done.err == "", done
    if teller == "train" and kind in ("ASCII", "cp1252"):
        assert "\\u5b9e\\u9a8c.metalab" in done.out
    if teller == "train":
        assert (tmp_path / "实验.metalab").stat().st_size > 1000
