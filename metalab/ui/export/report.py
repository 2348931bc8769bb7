"""Reports from the window, written in the background."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QWidget

from metalab.ui.export.jobs import ExportJobs, JobKind


def _write(paths: Sequence[Path], target: Path) -> Path:
    """Write the report on some run files; touches no Qt.

    Raises:
        UserError: A run cannot be used, or the file cannot be written.
    """
    from metalab.studies.reporting.contents import report_on  # noqa: PLC0415 - torch
    from metalab.studies.reporting.write import (  # noqa: PLC0415
        check_report_path,
        write_report,
    )

    check_report_path(target)
    write_report(report_on(paths), target)
    return target


class ReportWriter(QObject):
    """Writes one report at a time; of those that wait, the newest.

    Attributes:
        told: What became of it: the words, what a button says, and what it does.
    """

    told = Signal(str, str, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = ExportJobs(self)
        self._jobs.finished.connect(self._on_finished)
        self._jobs.refused.connect(self._on_refused)

    @property
    def busy(self) -> bool:
        """Whether a report is being written."""
        return not self._jobs.is_idle

    def ask(self, paths: Sequence[Path], window: QWidget) -> QFileDialog:
        """Ask where to write the report on some run files, and write it there.

        Returns:
            The dialog, which is open.
        """
        name = paths[0].stem if len(paths) == 1 else "comparison"
        filters = "Web page (*.html);;PDF (*.pdf)"
        dialog = QFileDialog(window, "Write the report", "", filters)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("html")
        dialog.selectFile(f"{name}.html")
        dialog.filterSelected.connect(partial(_follow_filter, dialog))
        dialog.fileSelected.connect(partial(self._on_named, tuple(paths)))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
        return dialog

    def write(self, paths: Sequence[Path], target: Path) -> None:
        """Begin to write the report on some run files; returns at once."""
        self._jobs.order(JobKind.SAVE, partial(_write, tuple(paths), target))
        self.told.emit(f"The report {target.name} is being written…", "", _nothing)

    def _on_named(self, paths: tuple[Path, ...], name: str) -> None:
        self.write(paths, Path(name))

    def _on_finished(self, kind: JobKind, path: Path) -> None:
        del kind
        show = partial(QDesktopServices.openUrl, QUrl.fromLocalFile(str(path)))
        self.told.emit(f"The report was written: {path.name}", "Open", show)

    def _on_refused(self, kind: JobKind, reason: str) -> None:
        del kind
        self.told.emit(f"The report was not written: {reason}", "", _nothing)


def _follow_filter(dialog: QFileDialog, chosen: str) -> None:
    dialog.setDefaultSuffix("pdf" if "pdf" in chosen else "html")


def _nothing() -> None:
    """Do nothing: there is no button."""
