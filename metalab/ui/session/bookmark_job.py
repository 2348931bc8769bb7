"""Putting bookmarks into the file of a run that has ended, beside the window. No Qt."""

from functools import partial
from typing import TYPE_CHECKING

from metalab.runs.system.background_job import BackgroundJob
from metalab.ui.session import engine_access as engine

if TYPE_CHECKING:
    from metalab.runs.record.bookmarks import Bookmarks
    from metalab.runs.record.history import RunHistory


class BookmarkJob:
    """Writes the newest bookmarks of one run, one write at a time.

    Attributes:
        refused: Bookmarks that could not be written; None after a success, and once
            there are others.
        written: Those that were written last.
    """

    def __init__(self) -> None:
        self._job: BackgroundJob[None] | None = None
        self._marks: Bookmarks = ()
        self.refused: Bookmarks | None = None
        self.written: Bookmarks | None = None

    @property
    def busy(self) -> bool:
        """Whether the file is being written."""
        return self._job is not None

    def begin(self, history: "RunHistory | None") -> None:
        """Write what a file lacks, unless that was tried already.

        Args:
            history: A run that nobody is running, or None.
        """
        if history is None or history.path is None or history.bookmarks is None:
            return
        marks = history.bookmarks
        if (
            self._job is None
            and not history.bookmarks_kept
            and marks is not self.refused
        ):
            self._marks = marks
            write = partial(engine.write_bookmarks, history.path, marks)
            self._job = BackgroundJob(write, name="bookmarks")
            self._job.start()

    def poll(self) -> Exception | None:
        """Take in what has become of it; return why it could not be written, once."""
        job = self._job
        if job is None or not job.done:
            return None
        self._job = None
        try:
            job.result()
        except Exception as error:  # noqa: BLE001 - whatever ended the thread is told
            self.refused = self._marks
            return error
        self.refused, self.written = None, self._marks
        return None

    def forget(self) -> None:
        """Try again what was refused: another run is shown, or there are others."""
        self.refused = None

    def join(self, timeout: float) -> bool:
        """Wait for the thread; return whether it has ended."""
        return self._job is None or self._job.join(timeout)
