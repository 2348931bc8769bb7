"""A run that was edited while it ran is read as one that started so, by every reader."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from metalab.analysis import comparison_steps as steps_module
from metalab.analysis import estimators
from metalab.analysis.adapt_request import AdaptRequest, CustomTask
from metalab.analysis.comparison import ComparisonRequest
from metalab.analysis.edited_support import EditedSupport
from metalab.analysis.landscape import LandscapeSampler
from metalab.cli.main import run as command
from metalab.engine.events import RunStarted, StepsDone
from metalab.experiment.edit import Edit
from metalab.experiment.edits import EditError
from metalab.figures.animation.animation import Animation
from metalab.figures.animation.choices import AnimationChoices
from metalab.runs.record.live import LiveRun
from metalab.runs.record.reader import open_run
from metalab.runs.running.control import RunControl
from metalab.runs.running.run import run_experiment
from metalab.runs.services.snapshots import load_history
from metalab.runs.services.state_replayer import StateReplayer, rewind_request
from metalab.runs.services.support_edits import SupportEditRequest, SupportEditService
from metalab.runs.services.task_adaptation import TaskAdaptationService
from metalab.ui.session import engine_access as engine
from metalab.ui.session.moment import Moment
from metalab.ui.workspaces.landscape.choices import Choices, slice_of
from tests.support.experiments import small
from tests.support.services import Waited
from tests.support.stored import StopAfter

BEFORE, AFTER = 0.001, 0.05
LAST = 40


class EditAt:
    """Edits the inner lr of a run at a step."""

    def __init__(self, control: RunControl, step: int) -> None:
        self._control, self._step = control, step

    def on_event(self, event, seconds):
        made = getattr(event, "last_step", 0)
        if isinstance(event, RunStarted | StepsDone) and made == self._step:
            self._control.edit("inner.inner_lr", AFTER)

    def flush(self, trainer, *, force=False):
        pass


def config_with(rate: float):
    return small(
        inner__inner_lr=rate,
        run__provider="autodiff",
        outer__num_steps=2 * LAST,
        evaluation__every=10,
    )


def made(path: Path, rate: float, edited_at: int | None) -> Path:
    control = RunControl()
    sinks = [StopAfter(control, LAST)]
    if edited_at is not None:
        sinks.append(EditAt(control, edited_at))
    control.step(LAST)
    run_experiment(LiveRun(config_with(rate), path=path), control, sinks=sinks)
    return path


def as_if_started_so(path: Path, to: Path) -> Path:
    """Copy a run file, with its last configuration in the place of edits and start."""
    shutil.copy(path, to)
    config = open_run(path).history.next_config.to_mapping()
    with closing(sqlite3.connect(to)) as database, database:
        database.execute("DELETE FROM facts WHERE key = 'edits'")
        database.execute(
            "UPDATE facts SET value = ? WHERE key = 'config'", (json.dumps(config),)
        )
    return to


@pytest.fixture(scope="module", params=[0, 20], ids=["at 0", "at 20"])
def pair(request, tmp_path_factory) -> tuple[Path, Path]:
    """Return an edited run, and the same states in a file that knows of no edit."""
    folder = tmp_path_factory.mktemp("edited")
    edited = made(folder / "edited.metalab", BEFORE, request.param)
    assert [e.step for e in open_run(edited).history.configs.edits] == [request.param]
    return edited, as_if_started_so(edited, folder / "so.metalab")


def moment_of(path: Path) -> Moment:
    history = load_history(path)
    return Moment(
        history=history,
        shown=history,
        step=history.step,
        phi=history.curves.phi,
        wanted_step=history.step,
        inner_step=1,
        task=0,
        following=True,
    )


def answer(make, request):
    service = Waited(make)
    try:
        service.request(request)
        return service.take(timeout=120)
    finally:
        service.close()


def printed(capsys, *arguments) -> dict:
    assert command([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def reopened_curves(path, capsys):
    curves = load_history(path).curves
    return curves.curves, curves.query_loss, curves.support_loss


def evaluated(path, capsys):
    return printed(capsys, "eval", path, "--num-tasks", 50)["loss"]


def evaluated_rate(path, capsys):
    return printed(capsys, "eval", path, "--num-tasks", 2)["inner_lr"]


def estimators_command(path, capsys):
    names = ("unrolled", "first-order")
    found = printed(
        capsys, "estimators", path, "--estimators", ",".join(names), "--num-batches", 2
    )
    for block in found["blocks"]:
        for row in block["rows"]:
            for timed in [key for key in row if "second" in key or "byte" in key]:
                del row[timed]
    return found["blocks"]


def exported(figure: str) -> Callable:
    def read(path, capsys):
        to = path.with_suffix(f".{figure}.csv")
        assert command(["export", str(path), figure, "--to", str(to)]) == 0
        capsys.readouterr()
        return to.read_text()

    read.__name__ = f"export_{figure}"
    return read


def provenance(path, capsys):
    to = path.with_suffix(".py")
    assert command(["export", str(path), "losses", "--to", str(to)]) == 0
    capsys.readouterr()
    text = to.read_text()
    return open_run(path).history.config_at().digest() in text


def animated(path, capsys):
    choices = AnimationChoices(figure="adaptation", sweep="outer")
    animation = Animation(load_history(path), choices)
    return animation.frame(len(animation) - 1).history.curves.curves


def visited(path, capsys):
    visit = answer(StateReplayer, rewind_request(open_run(path).history, LAST))
    return visit.state.phi, visit.curves.curves


def grabbed_point(path, capsys):
    moment = moment_of(path)
    points = EditedSupport.own(moment.history.held_out_tasks, 0)
    request = SupportEditRequest(
        config=moment.config, points=points, phi=moment.phi, step=LAST
    )
    found = answer(SupportEditService, request)
    # Nothing was moved: the run's own curves, not merely the same from both files.
    own = moment.history.curves
    np.testing.assert_allclose(found.query_loss, own.query_loss[0], rtol=1e-5)
    return found.curves, found.query_loss


def adapted(path, capsys):
    from metalab.analysis.adapt_request import Start  # noqa: PLC0415

    moment, grid = moment_of(path), np.linspace(-5, 5, 20)
    task = CustomTask(
        x=grid[::4], y=np.sin(grid[::4]), grid=grid, truth=None, parameters=None
    )
    start = Start(key="run", config=moment.config, phi=moment.phi, step=LAST)
    asked = AdaptRequest(task=task, starts=(start,), num_inner_steps=3)
    (found,) = answer(TaskAdaptationService, asked)
    return found.curves


def sliced(path, capsys):
    asked = slice_of(moment_of(path), Choices(num_tasks=1))
    return LandscapeSampler(asked.config).plane(asked).paths


def compared(path, capsys):
    moment = moment_of(path)
    request = ComparisonRequest(
        config=moment.config,
        phi=moment.phi,
        step=LAST,
        num_inner_steps=2,
        inner_lr=None,
        damping=None,
        num_tasks=4,
        seed=0,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps_module, "NUM_BATCHES", 2)
        patch.setattr(estimators, "TIMED_ROUNDS", 1)
        made = steps_module.comparison_steps(request, lambda _: None)
        first = next(found for found in made if found.rows)
    return [(row.name, row.cosine, row.relative_error) for row in first.rows]


def resumed(path, capsys):
    copy = shutil.copy(path, path.with_name(f"resumed {path.name}"))
    assert command(["resume", str(copy), "--json"]) == 0
    capsys.readouterr()
    history = open_run(Path(copy)).history
    assert history.step == 2 * LAST
    rows = history.evaluations.rows()
    return history.metrics["outer_loss"], rows[rows[:, 0] > LAST]


def form(path, capsys):
    return load_history(path).next_config.digest()


def halved(path, capsys):
    config = load_history(path).next_config
    return engine.with_half(config, "inner.inner_lr").inner.inner_lr


def forked(path, capsys):
    run = open_run(path)
    config = run.history.next_config
    made = engine.fork(config, run.history.config_at(LAST), run.checkpoint)
    return made.state.phi, made.config.digest()


READERS = (
    reopened_curves,
    evaluated,
    evaluated_rate,
    estimators_command,
    exported("adaptation"),
    exported("losses"),
    provenance,
    animated,
    visited,
    grabbed_point,
    adapted,
    sliced,
    compared,
    resumed,
    form,
    halved,
    forked,
)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
@pytest.mark.sampled(3)
def test_an_edited_run_is_read_as_one_that_started_so(pair, reader, capsys):
    edited, so = pair
    found, expected = reader(edited, capsys), reader(so, capsys)
    if isinstance(found, tuple):
        for mine, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(mine, other)
    else:
        np.testing.assert_equal(found, expected)


def test_the_readers_see_the_edited_value(pair, capsys):
    edited, _ = pair
    assert evaluated_rate(edited, capsys) == AFTER
    assert halved(edited, capsys) == AFTER / 2
    assert open_run(edited).history.config_at(0).inner.inner_lr == BEFORE


def test_a_run_edited_at_its_start_is_the_run_that_started_so(tmp_path, capsys):
    """Trained, not merely read: every number but the evaluation before the edit."""
    edited = made(tmp_path / "edited.metalab", BEFORE, 0)
    straight = made(tmp_path / "straight.metalab", AFTER, None)
    for reader in (reopened_curves, visited, resumed):
        for mine, other in zip(
            reader(edited, capsys), reader(straight, capsys), strict=True
        ):
            np.testing.assert_array_equal(mine, other)
    assert evaluated(edited, capsys) == evaluated(straight, capsys)


def test_figures_tell_of_edits(pair, capsys):
    path, _ = pair
    to = path.with_suffix(".png")
    assert command(["export", str(path), "adaptation", "--to", str(to)]) == 0
    with Image.open(to) as image:
        known = json.loads(image.info["Description"])
    assert [(edit["path"], edit["value"]) for edit in known["edits"]] == [
        ("inner.inner_lr", AFTER)
    ]
    assert known["config"]["inner"]["inner_lr"] == AFTER


def test_an_edit_that_is_not_allowed_changes_nothing():
    from metalab.experiment.config_history import ConfigHistory  # noqa: PLC0415

    configs = ConfigHistory(config_with(BEFORE))
    with pytest.raises(EditError, match=r"outer\.num_steps"):
        configs.with_edit(Edit(step=3, path="outer.num_steps", value=5))
    assert configs.edits == ()


def test_a_moment_before_the_edit_is_of_the_run_before_it(pair):
    history = load_history(pair[0])
    step = history.configs.edits[0].step
    assert history.config_at(step).inner.inner_lr == BEFORE
    assert history.config_at(step + 1).inner.inner_lr == AFTER
    assert replace(history).config_at(LAST) is history.config_at(LAST)
