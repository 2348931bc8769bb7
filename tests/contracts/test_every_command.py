"""Every command, and what the window asks for, with every preset.

One more experiment has nothing to learn, as oracle-sine has: no phi at all.
"""

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from metalab.analysis.adapt_request import AdaptRequest, CustomTask, Start
from metalab.analysis.adaptation import HeldOutAdapter, TaskAdapter
from metalab.analysis.comparison import ComparisonRequest
from metalab.analysis.comparison_steps import comparison_steps
from metalab.analysis.edited_support import EditedSupport
from metalab.analysis.estimator_selection import select
from metalab.analysis.gallery import Gallery
from metalab.analysis.landscape import LandscapeSampler
from metalab.analysis.landscape_request import AXES, SURFACES, LandscapeRequest
from metalab.analysis.starts import joint_start, random_start
from metalab.catalog.recipes import presets
from metalab.catalog.slots import HYPERGRADIENTS
from metalab.cli.main import app, run
from metalab.core.errors import UserError
from metalab.engine.providers import AUTODIFF
from metalab.engine.trainer import Trainer
from metalab.experiment.compatibility import valid_estimators
from metalab.experiment.config import ExperimentConfig, preset_config
from metalab.experiment.fields import with_overrides
from metalab.experiment.share_code import experiment_of_code, share_code
from metalab.figures.registry import figures
from metalab.runs.record.reader import open_run
from metalab.runs.record.status import RunStatus
from metalab.runs.services.snapshots import load_history

FIXED_RIDGE = {"model.hidden_sizes": [], "meta.strength_is": "fixed"}
EXPERIMENTS = {name: (name, {}) for name in presets()} | {
    "ridge-fixed": ("ridge-sine", FIXED_RIDGE)
}
NOTHING = ("oracle-sine", "ridge-fixed", "least-squares-gapminder")
"""Those without meta-parameters."""

SMALL = {
    "outer.num_steps": 3,
    "outer.num_tasks": 2,
    "tasks.num_shots": 5,
    "tasks.num_queries": 4,
    "evaluation.num_tasks": 16,
    "evaluation.num_queries": 4,
    "evaluation.num_inner_steps": 2,
    "evaluation.every": 3,
    "diagnostics.every": 3,
}


def settings_of(name) -> dict[str, object]:
    preset, changes = EXPERIMENTS[name]
    config = preset_config(preset)
    small = dict(SMALL)
    if "hidden_sizes" in config.model.options():
        small["model.hidden_sizes"] = [3]
    if config.num_inner_steps > 3:
        small["inner.num_inner_steps"] = 3
    if config.inner.options().get("inner_batch_size"):
        small["inner.inner_batch_size"] = 5
    return small | changes


def config_of(name) -> ExperimentConfig:
    preset, _ = EXPERIMENTS[name]
    return with_overrides(preset_config(preset), list(settings_of(name).items()))


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """A folder with a run of each experiment: trained in two parts."""
    return tmp_path_factory.mktemp("runs")


def run_file(files: Path, name: str) -> Path:
    path = files / f"{name}.metalab"
    if not path.exists():
        preset, _ = EXPERIMENTS[name]
        sets = [f"{key}={value}" for key, value in settings_of(name).items()]
        given = [part for text in sets for part in ("--set", text)]
        begun = ["train", "--preset", preset, *given, "--out", str(path)]
        assert run([*begun, "--stop-at", "2"]) == 0
        assert run(["resume", str(path)]) == 0
        assert open_run(path).history.status is RunStatus.FINISHED
    return path


@dataclass(frozen=True)
class Command:
    """A command line without its file.

    Attributes:
        words: With `{file}`, `{preset}` and `{out}` to fill in.
        nothing: What is said instead where there are no meta-parameters; "" if it works.
        writes: Suffix of the file that it writes; "" for none.
        may_lack: Parts of what is said where a method has nothing of the kind; then the
            exit code is 2, and nothing is written.
    """

    words: str
    nothing: str = ""
    writes: str = ""
    may_lack: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.words.replace("{file} ", "").replace(" --to {out}", self.writes)


LACKS = {
    "learned-rates": ("which learns no rates; allowed: learned-descent",),
    "adapt": ("a point drawn in a plot has one", "is told the numbers of a task"),
    "landscape": ("a plane needs two parameters",),
    "diagnostics": ("choose size double, or legend none",),
    "estimators": ("learns no meta-parameters",),
}
"""What is said by figure where a method has nothing of the kind."""

EXPORTED = {name: LACKS.get(name, ()) for name, f in figures().items() if not f.costly}
COSTLY = {name: LACKS.get(name, ()) for name, f in figures().items() if f.costly}

LIGHT = (
    Command("eval {file} --num-tasks 4 --num-inner-steps 2 --num-queries 4"),
    Command("eval {file} --num-tasks 2 --num-inner-steps 0 --json"),
    Command("eval {file} --step 1 --num-tasks 2 --num-queries 4 --json"),
    Command("curves {file} --step best --task 1 --to {out}", writes=".csv"),
    Command("metrics {file} --format csv --to {out}", writes=".csv"),
    Command("weights {file} --step best --to {out}", writes=".weights"),
    Command("presets {preset}"),
    Command("show {preset}"),
    Command("show {file} --diff maml-sine --json"),
    Command("copy {file} {out}", writes=".metalab"),
    Command(
        "estimators {file} --estimators unrolled --num-inner-steps 1 --num-tasks 1 "
        "--num-batches 2 --json",
        nothing="learns no meta-parameters",
    ),
    *(
        Command(f"export {{file}} {figure} --to {{out}}", writes=".csv", may_lack=lack)
        for figure, lack in EXPORTED.items()
    ),
)
DRAWING = (
    *(
        Command(
            f"export {{file}} {figure} --to {{out}} --dpi 30 --force",
            writes=".png",
            may_lack=lack,
        )
        for figure, lack in (EXPORTED | COSTLY).items()
    ),
    *(
        Command(
            f"animate {{file}} {figure} --sweep {sweep} --num-frames 2 --dpi 30 "
            "--to {out}",
            writes=".gif",
        )
        for figure, sweep in itertools.product(
            ("adaptation", "inner-loss", "losses"), ("inner", "outer")
        )
        if (figure, sweep) != ("losses", "inner")
    ),
    Command(
        "estimators {file} --num-inner-steps 1,2 --num-tasks 2 --num-batches 2 --out {out}",
        nothing="learns no meta-parameters",
        writes=".pdf",
    ),
)
"""What matplotlib draws, and every estimator, takes a second each and more: with every
preset in `make slow`."""


def works(command: Command, files: Path, name: str, out: Path, capsys) -> None:
    file = run_file(files, name)
    capsys.readouterr()
    written = out / f"written{command.writes}"
    written.unlink(missing_ok=True)
    filled = {"file": file, "preset": EXPERIMENTS[name][0], "out": written}
    code = run([word.format(**filled) for word in command.words.split()])
    said = capsys.readouterr()
    if name in NOTHING and command.nothing:
        assert code == 2
        assert command.nothing in said.err
        assert not written.exists() or not command.writes
        return
    if code == 2 and any(words in said.err for words in command.may_lack):
        assert not written.exists()
        return
    assert code == 0, said.err
    assert said.out
    if command.writes:
        assert written.stat().st_size > 0


@pytest.mark.parametrize("name", EXPERIMENTS)
@pytest.mark.sampled(3)
def test_every_command_works(name, files, tmp_path, capsys):
    for command in LIGHT:
        works(command, files, name, tmp_path, capsys)


@pytest.mark.parametrize("command", DRAWING, ids=str)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == "oracle-sine" else pytest.mark.slow)
        for name in EXPERIMENTS
    ],
)
@pytest.mark.sampled(5)
def test_so_does_every_drawing(name, command, files, tmp_path, capsys):
    works(command, files, name, tmp_path, capsys)


def test_no_command_is_left_out():
    """Those that take neither a run nor a preset, or many runs, have tests of their own."""
    alone = {"reproduce", "doctor", "kernels", "adapt", "check", "compare-baselines"}
    alone |= {"sweep", "compare", "sweep-new", "worker", "report"}
    registered = {c.name or c.callback.__name__ for c in app.registered_commands}
    tried = {str(command).split()[0] for command in (*LIGHT, *DRAWING)}
    assert registered - alone == tried | {"train", "resume"}
    count = 2 + len(LIGHT) + len(DRAWING)
    print(
        f"{count} command lines of {len(registered - alone)} commands with "
        f"{len(EXPERIMENTS)} experiments, {len(presets())} of them presets"
    )


# What the window asks for beside a run.


def explored(config, history, phi) -> None:
    tasks = history.held_out_tasks
    own = CustomTask(
        x=tasks.support.x[0, :, 0],
        y=tasks.support.y[0, :, 0],
        grid=tasks.grid,
        truth=tasks.true_curve(0),
        parameters=tasks.parameters[0],
    )
    start = Start(key="run", config=config, phi=phi, step=3)
    asked = AdaptRequest(task=own, starts=(start,), num_inner_steps=2, num_fan=2)
    for inner_lr in (None, 0.02):
        found = TaskAdapter(config, inner_lr=inner_lr).adapt(start, asked)
        assert len(found.curves) == 3
        assert np.isfinite(found.support_loss).all()


def readapted(config, history, phi) -> None:
    moved = EditedSupport.own(history.held_out_tasks, 1).with_point(0, 0.1, 0.2)
    HeldOutAdapter(config, provider=AUTODIFF).adapt(phi, moved, step=3)


def surveyed(config, history, phi) -> None:
    states = np.stack([snapshot.phi for snapshot in history.trail.states()])
    tried = itertools.product(SURFACES, AXES)
    surveyor = LandscapeSampler(config)
    for surface, axes in tried:
        asked = LandscapeRequest(
            config=config,
            phi=phi,
            step=3,
            tasks=(0, 2),
            num_inner_steps=2,
            surface=surface,
            axes=axes,
            outer=states,
        )
        try:
            plane = surveyor.plane(asked)
        except UserError:
            continue
        losses = surveyor.losses(asked, plane, np.array([[0.0, 0.0], [0.1, 0.2]]))
        assert np.isfinite(losses).all()


def unrolled_alone(*given, **options):
    return select(*given, **(options | {"names": ("unrolled",)}))


def estimated(config, history, phi) -> None:
    request = ComparisonRequest(
        config=config,
        phi=phi,
        step=3,
        num_inner_steps=1,
        inner_lr=0.02,
        damping=0.1,
        num_tasks=1,
        seed=0,
    )
    next(found for found in comparison_steps(request, lambda _: None) if found.rows)


def begun_elsewhere(config, history, phi) -> None:
    for start in (random_start, joint_start):
        assert len(start(config).phi) == len(phi)


def shared(config, history, phi) -> None:
    assert experiment_of_code(share_code(config)).digest() == config.digest()


def seen(config, history, phi) -> None:
    state = open_run(history.path).checkpoint
    curves = Gallery(config, provider=AUTODIFF).curves(state)
    np.testing.assert_allclose(
        curves.curves, history.curves.curves, rtol=1e-3, atol=1e-4
    )


def refusal_of(ask, *given) -> str:
    """Return what is said against a question; "" where it is answered."""
    try:
        ask(*given)
    except UserError as error:
        return str(error)
    return ""


ASKED = (explored, readapted, surveyed, estimated, begun_elsewhere, shared, seen)
"""Each answers, or refuses in a sentence."""


@pytest.mark.parametrize("name", EXPERIMENTS)
@pytest.mark.sampled(3)
def test_the_window_gets_an_answer_or_a_sentence(name, files, monkeypatch):
    monkeypatch.setattr("metalab.analysis.starts.JOINT_STEPS", 2)
    monkeypatch.setattr("metalab.analysis.comparison_steps.select", unrolled_alone)
    history = load_history(run_file(files, name))
    config, phi = history.config_at(), history.trail.at_or_before(3).phi
    refused = {ask for ask in ASKED if refusal_of(ask, config, history, phi)}
    assert not refused & {readapted, shared, seen}
    assert (estimated in refused) is (name in NOTHING)


@pytest.mark.parametrize("estimator", HYPERGRADIENTS.components)
@pytest.mark.parametrize("name", NOTHING)
def test_an_estimator_with_nothing_to_estimate_trains(name, estimator):
    config = config_of(name)
    if estimator not in valid_estimators(config):
        pytest.skip("it does not go with a ridge head")
    kind = {"kind": estimator}
    if "num_pairs" in HYPERGRADIENTS.models[estimator].model_fields:
        kind["num_pairs"] = 2
    config = with_overrides(config, [("hypergradient", kind)])
    trainer = Trainer(config)
    for _ in trainer.run():
        pass
    assert trainer.step == 3
    assert trainer.checkpoint().phi.shape == (0,)
