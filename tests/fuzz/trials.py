"""One spoilt input at a time: made, given to everything that reads it, and judged."""

import contextlib
import io
import json
import random
import re
import shutil
import time
import traceback
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import tomli_w

from metalab.core.errors import UserError
from metalab.experiment.config import preset_config
from metalab.experiment.fields import parse_assignment, with_overrides
from metalab.experiment.share_code import PREFIX, experiment_of_code
from tests.fuzz.odd_values import as_json, changed, damaged, odd_json, odd_value
from tests.fuzz.spoilt_runs import RUN_SPOILS
from tests.support.memory import peak_bytes

LONGEST_MESSAGE = 1500
"""Letters of what is told: a sentence, or a line for each of some settings."""

READ, REFUSED = "read", "refused"


class WrongError(Exception):
    """What must not happen: says what did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one input.

    Attributes:
        index: Its number.
        kind: How it was spoilt.
        outcome: "read", "refused", or what went wrong.
        details: A traceback or a message.
        seconds: Of the processor, for the slowest reader.
        peak: Most memory that the process has held so far, in bytes.
    """

    index: int
    kind: str
    outcome: str
    details: str
    seconds: float
    peak: int


class Target(Protocol):
    """Something that is read.

    Attributes:
        always: The readers that are given every input; the others, most of those that
            the first one has read, and some of those that it has refused.
    """

    always: frozenset[str]

    def make(self, rng: random.Random, folder: Path) -> str:
        """Put a spoilt input into a folder; return how it was spoilt."""
        ...

    def readers(self, folder: Path) -> Mapping[str, Callable[[], str]]:
        """Return what reads it: each returns "read" or "refused", or raises."""
        ...


def tried(target: Target, index: int, seed: int, folder: Path) -> Verdict:
    """Make one input, have it read, and judge what came of it."""
    rng = random.Random(f"{seed}/{index}")
    folder.mkdir()
    kind, outcome, details, slowest = "", REFUSED, "", 0.0
    try:
        kind = target.make(rng, folder)
        for name, read in target.readers(folder).items():
            if name not in target.always and outcome == REFUSED and rng.random() < 0.8:
                continue  # the same boundary refuses again
            began = time.process_time()
            try:
                found = read()
            except WrongError as fault:
                outcome, details = f"{name}: {fault}", ""
                break
            except Exception as error:  # noqa: BLE001 - this is what is looked for
                last = traceback.extract_tb(error.__traceback__)[-1]
                place = f"{Path(last.filename).name}:{last.lineno}"
                outcome = f"{name}: {type(error).__name__} at {place}"
                details = "".join(traceback.format_exception(error))[-3000:]
                break
            finally:
                slowest = max(slowest, time.process_time() - began)
            if found == READ:
                outcome = READ
    finally:
        shutil.rmtree(folder)
    return Verdict(
        index=index,
        kind=kind,
        outcome=outcome,
        details=details,
        seconds=slowest,
        peak=peak_bytes(),
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def judged(message: str) -> str:
    """Return "refused" for what is told in a sentence that any terminal can show."""
    message.encode()
    if not message.strip() or len(message) > LONGEST_MESSAGE or "Traceback" in message:
        raise WrongError(f"told as {message[:200]!r}")
    return REFUSED


def refusing(work: Callable[[], object]) -> str:
    """Do some work; what a person can mend is a refusal, anything else is raised."""
    try:
        work()
    except UserError as error:
        return judged(str(error))
    return READ


class RunFiles:
    """Run files, read by every command that takes one."""

    always = frozenset({"eval"})

    def __init__(self, base: Path) -> None:
        """Take a run file that is whole."""
        self._base = base

    def make(self, rng: random.Random, folder: Path) -> str:
        path = folder / "a run.metalab"
        shutil.copyfile(self._base, path)
        kind = rng.choice(list(RUN_SPOILS))
        RUN_SPOILS[kind](rng, path)
        if rng.random() < 0.1:
            # What is spoilt once cannot always be opened to be spoilt again.
            with contextlib.suppress(Exception):
                RUN_SPOILS[rng.choice(list(RUN_SPOILS))](rng, path)
        return kind

    def readers(self, folder: Path) -> Mapping[str, Callable[[], str]]:
        path, out = folder / "a run.metalab", folder.with_suffix(".out")
        few = ["--num-tasks", "2", "--num-queries", "2", "--num-inner-steps", "1"]

        def eval_it() -> str:
            return self._command(folder, ["eval", str(path), *few])

        def estimate() -> str:
            from metalab.runs.record.reader import open_run  # noqa: PLC0415
            from metalab.runs.services.snapshots import state_at  # noqa: PLC0415

            return refusing(lambda: state_at(open_run(path), 7))

        def export_it() -> str:
            try:
                to = ["--to", str(out / "losses.csv")]
                out.mkdir()
                return self._command(folder, ["export", str(path), "losses", *to])
            finally:
                shutil.rmtree(out)

        def resume_it() -> str:
            return self._command(folder, ["resume", str(path), "--stop-at", "32"])

        return {
            "eval": eval_it,
            "snapshot": estimate,
            "export": export_it,
            "resume": resume_it,
        }

    def _command(self, folder: Path, arguments: list[str]) -> str:
        from metalab.cli.main import run  # noqa: PLC0415 - torch

        before, told = contents(folder), io.StringIO()
        with (
            contextlib.redirect_stderr(told),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            code = run(arguments)
        # A run whose numbers were spoilt may explode in its next step.
        diverged = code == 1 and "kept the last good state" in told.getvalue()
        if code not in (0, 2) and not diverged:
            raise WrongError(f"exit code {code}: {told.getvalue()[:300]}")
        if (code == 2 or arguments[0] != "resume") and contents(folder) != before:
            changed_files = set(contents(folder).items()) ^ set(before.items())
            raise WrongError(f"changed {sorted({name for name, _ in changed_files})}")
        # What an experiment asks for and is not here has another subject.
        named = re.search(r"a run\.metalab|^metalab: (run\.|figure )", told.getvalue())
        if code == 2 and not named:
            raise WrongError(f"file not named: {told.getvalue()[:300]}")
        return judged(told.getvalue()) if code == 2 else READ


PRESETS = ("maml-sine", "imaml-sine", "meta-sgd-sine", "alpaca-sine")


class ShareCodes:
    """Experiments as one line of text."""

    always = frozenset({"code"})

    def make(self, rng: random.Random, folder: Path) -> str:
        content = preset_config(rng.choice(PRESETS)).to_mapping()
        kind = rng.choice(["values", "json", "bytes", "letters", "bomb"])
        text = {
            "values": lambda: as_json(rng, changed(rng, content)),
            "json": lambda: odd_json(rng),
            "bomb": lambda: " " * rng.choice([10**6, 10**8]),
        }.get(kind, lambda: json.dumps(content))()
        packed = zlib.compress(text.encode("utf-8", "surrogatepass"))
        if kind == "bytes":
            packed = damaged(rng, packed)
        code = PREFIX + urlsafe_b64encode(packed).decode().rstrip("=")
        if kind == "letters":
            code = damaged(rng, code.encode()).decode("latin-1") * rng.choice(
                [1, 1, 500]
            )
        (folder / "code.txt").write_text(code, encoding="utf-8")
        return kind

    def readers(self, folder: Path) -> Mapping[str, Callable[[], str]]:
        code = (folder / "code.txt").read_text(encoding="utf-8")
        return {"code": lambda: refusing(lambda: experiment_of_code(code))}


def odd_toml(rng: random.Random, content: dict[str, Any]) -> bytes:
    """Return a TOML text with something in it that does not belong there."""
    whole = tomli_w.dumps(content, multiline_strings=True).encode()
    act = rng.random()
    if act < 0.25:
        return damaged(rng, whole)
    if act < 0.4:
        text = rng.choice(
            [
                "a." * 60_000 + "a = 1", "a = " + "[" * 60_000, "a = " + "9" * 5000,
                "a = 0x" + "f" * 5000, "[[a]]\n" * 10_000, "a = 1979-02-30", "a = nan",
                'a = "\\ud800"', "a = {b." * 30, "\x00", "[tasks]\n" * 2, "tasks = 1\n",
                "outer.num_tasks = 1e999", "model.hidden_sizes = " + str([1] * 5000),
            ]
        )  # fmt: skip
        return rng.choice([text.encode(), whole + b"\n" + text.encode()])
    for _ in range(20):
        try:
            return tomli_w.dumps(changed(rng, content)).encode()
        except (TypeError, ValueError, AttributeError, RecursionError):
            continue  # TOML has no such value
    return damaged(rng, whole)


class Experiments:
    """Experiment files, and what is given with `--set`."""

    always = frozenset({"experiment"})

    def make(self, rng: random.Random, folder: Path) -> str:
        kind = rng.choice(["file", "file", "file", "set"])
        config = preset_config(rng.choice(PRESETS))
        if kind == "file":
            (folder / "a.toml").write_bytes(odd_toml(rng, config.to_mapping()))
            return kind
        from metalab.experiment.fields import fields_of  # noqa: PLC0415

        path = rng.choice(
            [info.path for info in fields_of(config)] + ["", "a.b", "x" * 9999]
        )
        value = rng.choice([as_json(rng, odd_value(rng)), odd_json(rng), "a." * 3000])
        (folder / "set.txt").write_text(
            f"{path}={value}", encoding="utf-8", errors="surrogatepass"
        )
        return kind

    def readers(self, folder: Path) -> Mapping[str, Callable[[], str]]:
        from metalab.cli.config_source import resolve_config  # noqa: PLC0415

        def from_file() -> object:
            return resolve_config(
                folder / "a.toml", preset=None, assignments=[], seed=None
            )

        def from_text() -> object:
            text = (folder / "set.txt").read_text("utf-8", errors="surrogatepass")
            return with_overrides(preset_config("maml-sine"), [parse_assignment(text)])

        one = from_file if (folder / "a.toml").exists() else from_text
        return {"experiment": lambda: refusing(one)}


class Lessons:
    """Lessons as files."""

    always = frozenset({"lesson"})

    def make(self, rng: random.Random, folder: Path) -> str:
        from metalab.ui.learn.lesson import own_lessons  # noqa: PLC0415

        lesson = rng.choice(list(own_lessons().values()))
        content = lesson.model_dump(mode="json", exclude_none=True)
        (folder / "a.lesson.toml").write_bytes(odd_toml(rng, content))
        return "lesson"

    def readers(self, folder: Path) -> Mapping[str, Callable[[], str]]:
        from metalab.ui.learn.experiments import config_of  # noqa: PLC0415
        from metalab.ui.learn.lesson import load_lesson  # noqa: PLC0415

        path = folder / "a.lesson.toml"
        return {"lesson": lambda: refusing(lambda: config_of(load_lesson(path)))}


def odd_kept(rng: random.Random, content: dict[str, Any]) -> bytes:
    """Return a kept file of which something is not as it was written."""
    whole = json.dumps(content).encode()
    act = rng.random()
    if act < 0.2:
        return damaged(rng, whole)
    if act < 0.3:
        return odd_json(rng).encode("utf-8", "surrogatepass")
    return as_json(rng, changed(rng, content)).encode("utf-8", "surrogatepass")


class KeptPreferences:
    """Preferences: whatever they are, a window opens with them."""

    always = frozenset({"window"})

    def make(self, rng: random.Random, folder: Path) -> str:
        content = {
            "theme": "light",
            "preset": "maml-sine",
            "step_size": 10,
            "close_without_asking": False,
            "folder": "/runs",
            "folds": {"tasks": True, "model.advanced": True},
            "recent_commands": ["toggle_run"],
            "export": {"figure": "losses", "dpi": 300, "folder": "/", "fit": True},
            "workspaces": {
                "shown": rng.choice(["live", "adapt", "landscape", "estimators"]),
                "live": {"rows": [3, 2], "log_y": True, "smoothing": 0.9, "x": "steps",
                         "sort": "index", "top": [1, 2]},
                "adapt": {"extra": 3, "fan": True},
                "landscape": {"surface": "support", "zoom": 1, "num_tasks": 3},
                "estimators": {"seed": 3},
                "structure": {"compare": True},
            },
        }  # fmt: skip
        (folder / "preferences.json").write_bytes(odd_kept(rng, content))
        return "preferences"

    def readers(self, folder: Path) -> Mapping[str, Callable[[], str]]:
        from metalab.runs.system.faults import FaultLog  # noqa: PLC0415
        from metalab.ui.shell.preferences import PreferenceStore  # noqa: PLC0415
        from tests.fuzz.window import opened_with  # noqa: PLC0415

        def read() -> str:
            path, faults = folder / "preferences.json", FaultLog()
            store = PreferenceStore(faults, path)
            opened_with(store.current)
            told = [fault.message for fault in faults.snapshot()]
            for message in told:
                judged(message)
            # What was changed since is written: it must be readable again.
            again = FaultLog()
            store.change("step_size", 1 if store.current.step_size != 1 else 100)
            if (
                PreferenceStore(again, path).current != store.current
                or again.snapshot()
            ):
                raise WrongError("what is written is not read again")
            return REFUSED if told else READ

        return {"window": read}


class KeptBookmarks:
    """Bookmarks of runs, as metalab 0.6 and earlier kept them."""

    always = frozenset({"bookmarks"})

    def make(self, rng: random.Random, folder: Path) -> str:
        marks = [{"step": i, "inner_step": 1, "note": "here"} for i in range(3)]
        data = odd_kept(rng, {"/runs/a.metalab": marks, "/runs/b.metalab": marks})
        (folder / "bookmarks.json").write_bytes(data)
        return "bookmarks"

    def readers(self, folder: Path) -> Mapping[str, Callable[[], str]]:
        from metalab.ui.session.earlier_bookmarks import EarlierBookmarks  # noqa: PLC0415

        def read() -> str:
            marks = EarlierBookmarks(folder / "bookmarks.json")
            told = judged(marks.warning) if marks.warning else READ
            steps = [mark.step for mark in marks.of(Path("/runs/a.metalab"))]
            if steps != sorted(set(steps)):
                raise WrongError("bookmarks are not in order")
            return told

        return {"bookmarks": read}


class Texts:
    """A little of everything but run files."""

    always = frozenset({"code", "experiment", "lesson", "window", "bookmarks"})

    def __init__(self) -> None:
        self._targets = {
            "code.txt": ShareCodes(),
            "a.toml": Experiments(),
            "a.lesson.toml": Lessons(),
            "preferences.json": KeptPreferences(),
            "bookmarks.json": KeptBookmarks(),
        }

    def make(self, rng: random.Random, folder: Path) -> str:
        return rng.choice(list(self._targets.values())).make(rng, folder)

    def readers(self, folder: Path) -> Mapping[str, Callable[[], str]]:
        (file,) = folder.iterdir()
        one = self._targets.get(file.name, self._targets["a.toml"])
        return one.readers(folder)
