"""The Sweep page: axes, queue, and what came of the runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage, QPalette
from PySide6.QtWidgets import (
    QFileDialog,
    QWidget,
)

from metalab.core.errors import UserError
from metalab.core.paths import replace_file
from metalab.experiment.changes import changes
from metalab.experiment.naming import reference_of
from metalab.experiment.sweep_file import (
    METHOD,
    MOST_RUNS,
    SweepError,
    SweepFile,
    read_sweep,
    sweep_of,
    to_toml,
)
from metalab.runs.batch.background import BackgroundBatch, FoundRun, run_found
from metalab.runs.batch.batch import Ending
from metalab.runs.system.background_job import BackgroundJob, GiveUp
from metalab.studies.calibration import Estimate, estimate_of
from metalab.studies.files import prepare_folder
from metalab.studies.sweep import SweepPlan, plan_of
from metalab.ui.plot.painting import picture_of, tint
from metalab.ui.style.theme import Theme
from metalab.ui.style.theming import current_theme, follow_theme
from metalab.ui.workspaces.sweep.outcomes import SweepOutcomes, axis_label
from metalab.ui.workspaces.sweep.parts import SweepParts
from metalab.ui.workspaces.sweep.queue_table import Row

if TYPE_CHECKING:
    from metalab.experiment.config import ExperimentConfig
    from metalab.ui.session.basket import Basket
    from metalab.ui.session.moment import Moment

_FILES = "Sweeps (*.toml)"


class SweepWorkspace(SweepParts):
    """Runs along axes of the experiment in the form, in processes of their own."""

    shows_example = False

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._config: ExperimentConfig | None = None
        self._file: SweepFile | None = None
        self._plan: SweepPlan | None = None
        self._batch: BackgroundBatch | None = None
        self._losses: dict[int, float | None] = {}
        self._there: dict[int, FoundRun] = {}
        self._basket: Basket | None = None
        self._estimate: BackgroundJob[Estimate] | None = None
        self._reading: BackgroundJob[dict[int, FoundRun]] | None = None
        self._give_up = GiveUp()
        self._selected: frozenset[int] = frozenset()
        self._shown: object = None
        self._connect()
        follow_theme(self._take_theme)
        self._replan()

    def _connect(self) -> None:
        self.axes.changed.connect(self._on_axes_changed)
        self._planning.timeout.connect(self._replan)
        self._timer.timeout.connect(self._poll)
        self.open.clicked.connect(self._on_open_clicked)
        self.save.clicked.connect(self._on_save_clicked)
        self.measure.clicked.connect(self._on_measure_clicked)
        self.start.clicked.connect(self._on_start_clicked)
        self.pause.toggled.connect(self._on_pause_toggled)
        self.cancel.clicked.connect(self._on_cancel_clicked)
        self.retry.clicked.connect(self._on_retry_clicked)
        self.sooner.clicked.connect(self._on_sooner_clicked)
        self.processes.valueChanged.connect(self._on_processes_changed)
        self.use_best.clicked.connect(self._on_use_best_clicked)
        self.compare.clicked.connect(self._on_compare_clicked)
        self.kind.currentIndexChanged.connect(self._show_pictures)
        self.x_axis.activated.connect(self._show_pictures)
        self.y_axis.activated.connect(self._show_pictures)
        self.heat_map.brushed.connect(self._on_brushed)
        self.parallel.brushed.connect(self._on_brushed)
        self.table.runs_selected.connect(self._on_brushed)
        self.header.copy_requested.connect(self._on_copy_requested)

    def _take_theme(self, theme: Theme) -> None:
        tint(self, theme.surface, QPalette.ColorRole.Window)
        tint(self.count, theme.text)
        tint(self._note, theme.error)

    # What is swept

    def show_moment(self, moment: "Moment | None") -> None:
        """Do nothing: the page is of many runs, not of a moment of one."""

    def show_config(self, config: "ExperimentConfig | None") -> None:
        """Sweep the experiment in the form, unless a sweep file was opened."""
        if config == self._config:
            return
        self._config = config
        if self._batch is None:
            self._planning.start()

    def add_axis(self, path: str, text: str) -> None:
        """Vary a setting too.

        Args:
            path: Of the setting.
            text: Its values, as `metalab.experiment.sweep_file.axis_of` reads them.
        """
        if self.runs_go_on:
            self.told.emit("The sweep goes on; cancel it to change its axes", "", None)
            return
        self._leave_batch()
        self.axes.add(path, text)

    def open_file(self, path: Path) -> None:
        """Show the sweep of a file, or say why not."""
        try:
            sweep = read_sweep(path)
            if sweep.search is not None:
                # Its runs depend on what earlier ones give.
                raise SweepError(f"{path} searches: run it by `metalab sweep {path}`")
        except UserError as error:
            self._say(str(error))
            return
        self._leave_batch()
        self._file = sweep
        seeds = sweep.seeds if isinstance(sweep.seeds, int) else len(sweep.seeds)
        self.axes.set_axes(sweep.axes, seeds)
        self._replan()

    def sweep_file(self) -> SweepFile:
        """Return the sweep as it is on the page.

        Raises:
            UserError: An axis cannot be read, or there is no experiment to vary.
        """
        axes = self.axes.axes()
        content: dict[str, Any] = {
            "axes": {
                path: axis
                if isinstance(axis, list)
                else axis.model_dump(exclude_none=True)
                for path, axis in axes.items()
            },
            "seeds": self.axes.seeds.value(),
        }
        if self._file is not None:
            kept = self._file.model_dump(exclude_none=True, exclude={"axes", "seeds"})
            if (
                isinstance(self._file.seeds, list)
                and len(self._file.seeds) == content["seeds"]
            ):
                content["seeds"] = self._file.seeds
            return sweep_of({**kept, **content}, "the sweep")
        if self._config is None:
            raise SweepError("the experiment in the form is not valid yet")
        reference = reference_of(self._config)
        settings = {
            change.info.path: list(change.ours)
            if isinstance(change.ours, tuple)
            else change.ours
            for change in changes(self._config, reference)
            if change.ours is not None and change.info.path not in ("name", *axes)
        }
        settings.pop("run.seed", None)
        if METHOD not in axes:
            content["base"] = reference.name
        name = f"sweep of {reference.name}"
        return sweep_of({"name": name, "settings": settings, **content}, "the sweep")

    def _on_axes_changed(self) -> None:
        self._leave_batch()
        self._planning.start()

    def _leave_batch(self) -> None:
        """Let go of a batch that is over: its runs are in their files."""
        if self._batch is not None and self._batch.done:
            self._batch = None

    def _replan(self) -> None:
        """Plan the runs, and read what came of those that have a file."""
        if self.runs_go_on:
            return
        self._planning.stop()
        self._plan, self._losses, self._there = None, {}, {}
        try:
            plan = plan_of(self.sweep_file()) if self.axes.texts else None
        except UserError as error:
            self.axes.mark(error)
            self._say(str(error) if self.axes.texts else "")
        else:
            self.axes.mark(None)
            self._say("")
            self._plan = plan
        if self._plan is not None:
            paths = [run.path for run in self._plan.runs()]
            self._reading = BackgroundJob(lambda: _found_in(paths), name="sweep runs")
            self._reading.start()
            self._timer.start()
        self._show_choices()
        self._show()

    # The queue

    @property
    def runs_go_on(self) -> bool:
        """Whether a batch has been started and has not ended."""
        return self._batch is not None and not self._batch.done

    def _on_start_clicked(self) -> None:
        if self.runs_go_on or self._plan is None:
            return
        try:
            prepare_folder(self._plan.folder)
        except UserError as error:
            self._say(str(error))
            return
        self._say("")
        self.pause.setChecked(False)
        self._batch = BackgroundBatch(
            self._plan.runs(),
            self._plan.folder,
            num_processes=self.processes.value(),
            retries=self._plan.sweep.retries,
        )
        self._batch.start()
        self._timer.start()
        self._show()

    def _on_pause_toggled(self, paused: bool) -> None:  # noqa: FBT001 - a slot
        if self._batch is not None:
            order = self._batch.queue.pause if paused else self._batch.queue.resume
            order()
        self._show()

    def _on_cancel_clicked(self) -> None:
        if self._batch is None:
            return
        everything = range(len(self._batch.queue.snapshot()))
        for run in self.table.selected or everything:
            self._batch.queue.cancel(run)
        # Paused, it would wait for ever with nothing left to be waited for.
        if not self.table.selected:
            self.pause.setChecked(False)
        self._show()

    def _on_retry_clicked(self) -> None:
        if not self.runs_go_on:
            # A new batch finds what is finished, and takes up all else.
            self._on_start_clicked()
            return
        assert self._batch is not None, "it goes on"
        for run in self.table.selected or range(len(self._batch.queue.snapshot())):
            self._batch.queue.retry(run)
        self._show()

    def _on_sooner_clicked(self) -> None:
        if self._batch is not None:
            for run in reversed(self.table.selected):
                self._batch.queue.move(run, -MOST_RUNS)
            self._show()

    def _on_processes_changed(self, number: int) -> None:
        if self._batch is not None:
            self._batch.set_num_processes(number)

    def _poll(self) -> None:
        """Take in what is new; the timer ends with the last work."""
        if self._reading is not None and self._reading.done:
            found, self._reading = self._reading.result(), None
            self._losses |= {number: run.loss for number, run in found.items()}
            self._there = found
        if self._estimate is not None and self._estimate.done:
            self._take_estimate(self._estimate)
        batch = self._batch
        if batch is not None:
            self._losses |= batch.losses
            if batch.done:
                self._end(batch)
        if self._reading is self._estimate is None and not self.runs_go_on:
            self._timer.stop()
        self._show()

    def _end(self, batch: BackgroundBatch) -> None:
        try:
            batch.check()
        except UserError as error:
            self._say(str(error))

    # How long it takes

    def _on_measure_clicked(self) -> None:
        plan = self._plan
        if plan is None or self._estimate is not None or self.runs_go_on:
            return
        give_up = self._give_up
        self._estimate = BackgroundJob(
            lambda: estimate_of(plan, cancelled=give_up), name="calibration"
        )
        self._estimate.start()
        self._timer.start()
        self._show()

    def _take_estimate(self, job: BackgroundJob[Estimate]) -> None:
        self._estimate = None
        try:
            found = job.result()
        except UserError as error:
            self._say(str(error))
            return
        if self._plan is not None:
            left = self._plan.sweep.num_runs - len(self._there)
            words = found.words(self.processes.value(), left)
            self.measure.setText(words[0].upper() + words[1:])

    # What is shown

    def _rows(self) -> list[Row]:
        if self._plan is None:
            return []
        runs = None if self._batch is None else self._batch.queue.snapshot()
        return [
            Row(
                point=point,
                run=None if runs is None else runs[number],
                loss=self._losses.get(number),
                found=self._there.get(number),
            )
            for number, point in enumerate(self._plan.points)
        ]

    def _show(self) -> None:
        """Show the queue; pictures only where a loss is new."""
        rows = self._rows()
        axes = () if self._plan is None else tuple(self._plan.sweep.axes)
        self.table.rows.set_rows(axes, rows)
        self.count.setText(self._count_words(rows))
        self.axes.set_locked(locked=self.runs_go_on)
        going = self.runs_go_on
        self.start.setEnabled(bool(rows) and not going)
        self.measure.setEnabled(bool(rows) and not going and self._estimate is None)
        for button in (self.pause, self.cancel, self.sooner):
            button.setEnabled(going)
        failed = any(
            row.run is not None
            and row.run.outcome is not None
            and row.run.outcome.ending in (Ending.FAILED, Ending.CANCELLED)
            for row in rows
        )
        self.retry.setEnabled(failed)
        self.save.setEnabled(bool(rows))
        shown = self._plan, dict(self._losses)
        if shown != self._shown:
            self._shown = shown
            self._show_pictures()

    def _count_words(self, rows: list[Row]) -> str:
        if not rows:
            return "No axis yet: nothing to sweep"
        num_left = sum(row.loss is None for row in rows)
        text = f"{len(rows):,} runs, {len(rows) - num_left:,} with a held-out loss"
        if self._estimate is not None:
            return f"{text}; measuring\N{HORIZONTAL ELLIPSIS}"
        if self.pause.isChecked() and self.runs_go_on:
            return f"{text}; paused"
        active = sum(row.runs for row in rows)
        return f"{text}; {active} going on" if active else text

    def outcomes(self) -> SweepOutcomes | None:
        """Return the runs with their losses; None without a plan."""
        if self._plan is None or not self._plan.points:
            return None
        return SweepOutcomes.of(self._plan.points, self._losses)

    def _show_choices(self) -> None:
        """Offer the axes of the plan to the heat map."""
        outcomes = self.outcomes()
        paths = () if outcomes is None else outcomes.axes
        for box, first in ((self.x_axis, 0), (self.y_axis, 1)):
            before = box.currentData()
            box.clear()
            for path in paths:
                box.addItem(axis_label(path), path)
            kept = paths.index(before) if before in paths else first
            box.setCurrentIndex(min(kept, len(paths) - 1))

    def _show_pictures(self) -> None:
        outcomes = self.outcomes()
        x, y = self.x_axis.currentData() or "", self.y_axis.currentData() or ""
        self.pictures.setCurrentIndex(self.kind.currentIndex())
        is_map = self.kind.currentIndex() == 0
        for part in (self.x_axis, self._across, self.y_axis):
            part.setVisible(is_map)
        self.heat_map.show_outcomes(outcomes, x, "" if x == y else y)
        self.parallel.show_outcomes(outcomes)
        self.use_best.setEnabled(outcomes is not None and bool(outcomes.best()))

    def _on_brushed(self, runs: frozenset[int]) -> None:
        self._selected = runs
        self.heat_map.set_selected(runs)
        self.parallel.set_selected(runs)
        self.table.select(runs)
        self.compare.setEnabled(bool(runs))

    def _say(self, text: str) -> None:
        self._note.setText(text)
        self._note.setVisible(bool(text))
        tint(self._note, current_theme().error)

    @property
    def note(self) -> str:
        """What is wrong; "" for nothing."""
        return self._note.text()

    # What comes of it

    def _on_use_best_clicked(self) -> None:
        outcomes = self.outcomes()
        best = () if outcomes is None else outcomes.best()
        if best and self._plan is not None:
            self._file = None
            self.experiment_requested.emit(self._plan.points[best[0]].config)
            self.told.emit("The best of the sweep is in the form", "", None)

    def set_basket(self, basket: "Basket") -> None:
        """Put runs that are to be compared in there."""
        self._basket = basket
        self.compare.show()
        self.compare.setEnabled(bool(self._selected))

    def _on_compare_clicked(self) -> None:
        if self._basket is not None and self._plan is not None:
            paths = [run.path for run in self._plan.runs()]
            self._basket.add(
                paths[run] for run in sorted(self._selected) if paths[run].is_file()
            )

    def _on_open_clicked(self) -> None:
        dialog = QFileDialog(self, "Open sweep")
        dialog.setNameFilter(_FILES)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._on_file_selected)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _on_file_selected(self, name: str) -> None:
        self.open_file(Path(name))

    def _on_save_clicked(self) -> None:
        dialog = QFileDialog(self, "Save sweep")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("toml")
        dialog.setNameFilter(_FILES)
        dialog.fileSelected.connect(self._on_file_named)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _on_file_named(self, name: str) -> None:
        self.save_file(Path(name))

    def save_file(self, path: Path) -> None:
        """Write the sweep for `metalab sweep`, or say why not."""
        try:
            replace_file(path, to_toml(self.sweep_file()).encode())
        except UserError as error:
            self._say(str(error))
        except OSError as error:
            self._say(f"cannot write {path}: {error.strerror}")
        else:
            self.told.emit(f"Next: metalab sweep {path}", "", None)

    def _on_copy_requested(self) -> None:
        QGuiApplication.clipboard().setImage(self.picture())

    def picture(self) -> QImage:
        """Return heat map or parallel coordinates."""
        shown = self.pictures.currentWidget()
        return picture_of([shown], title="Held-out loss of a sweep")

    # What is remembered

    def save_state(self) -> dict[str, Any]:
        """Return axes and picture as plain values, for `restore_state`."""
        return {
            "axes": self.axes.texts,
            "seeds": self.axes.seeds.value(),
            "picture": self.kind.currentIndex(),
        }

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Take choices; what is missing or not understood stays as it is."""
        axes, seeds, picture = (state.get(key) for key in ("axes", "seeds", "picture"))
        if isinstance(axes, dict) and isinstance(seeds, int):
            texts = {str(path): str(text) for path, text in axes.items()}
            self.axes.set_texts(texts, seeds)
        if picture in (0, 1):
            self.kind.setCurrentIndex(picture)

    def shut_down(self) -> None:
        """Have every thread and timer end; returns at once."""
        self._timer.stop()
        self._planning.stop()
        self._give_up.set()
        if self._batch is not None:
            self._batch.stop()

    def join(self) -> None:
        """Wait for runs to be saved, and for the page's other threads."""
        for work in (self._batch, self._estimate, self._reading):
            if work is not None:
                work.join()


def _found_in(paths: list[Path]) -> dict[int, FoundRun]:
    """Return what each run that has a file tells, by its number."""
    there = {number: path for number, path in enumerate(paths) if path.is_file()}
    return {number: run_found(path) for number, path in there.items()}
