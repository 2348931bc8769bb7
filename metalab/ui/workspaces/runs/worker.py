"""The page's work with files, one piece at a time, beside the window's thread."""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from metalab.core.errors import UserError
from metalab.runs.library.labels import LabelChange
from metalab.runs.library.library import Library, Look, check_free
from metalab.runs.library.marking import Marked, mark
from metalab.runs.library.thumbnail import made_thumbnail
from metalab.runs.library.trash import Trashed, move_to_trash, put_back
from metalab.runs.system.background_job import BackgroundJob, GiveUp
from metalab.ui.session.thread_signal import ThreadSignal

Answer = Callable[[], None]
"""Emits what a piece of work has found; called in the window's thread."""


class LibraryWorker(QObject):
    """Looks at one library, and changes it.

    What a person wants comes before pictures, and a look is asked for once at a time.

    Attributes:
        looked: The folder has been looked at: the `Look`.
        progressed: Of a long look: files read, files to be read.
        marked: Labels were changed: the `Marked` of each run.
        trashed: Files were moved to the trash: their `Trashed`, and problems in words.
        restored: Files were put back: problems in words.
        pictured: A thumbnail is there: path and data.
        failed: A folder cannot be used: the error.
    """

    looked = Signal(object)
    progressed = Signal(int, int)
    marked = Signal(object)
    trashed = Signal(object, object)
    restored = Signal(object)
    pictured = Signal(object, bytes)
    failed = Signal(object)

    def __init__(self, folder: Path, parent: QObject) -> None:
        super().__init__(parent)
        self.library = Library(folder)
        self._queue: deque[Callable[[], Answer]] = deque()
        self._wants_look = False
        self._pictures: Sequence[Path] = ()
        self._done: set[tuple[str, object]] = set()
        self._job: BackgroundJob[Answer] | None = None
        self._gives_up = GiveUp()
        self._closed = False
        self._told = (0, 0)
        self._signal = ThreadSignal(self, self._on_news)

    @property
    def busy(self) -> bool:
        """Whether anything is being done or waits to be."""
        return self._job is not None or bool(self._queue) or self._wants_look

    def set_folder(self, folder: Path) -> None:
        """Work with another folder; what is done in the one before is forgotten."""
        self._gives_up.set()
        self._gives_up = GiveUp()
        self.library = Library(folder)
        self._pictures, self._done = (), set()
        self.look()

    def look(self) -> None:
        """Look at the folder soon."""
        self._wants_look = True
        self._begin()

    def mark(self, paths: Sequence[Path], change: LabelChange) -> None:
        """Change labels of runs."""

        def work() -> Answer:
            return partial(self.marked.emit, mark(paths, change))

        self._do(work)

    def mark_each(self, changes: Sequence[tuple[Path, LabelChange]]) -> None:
        """Change labels of runs, of each its own."""

        def work() -> Answer:
            done: list[Marked] = []
            for path, change in changes:
                done += mark([path], change)
            return partial(self.marked.emit, done)

        self._do(work)

    def trash(self, paths: Sequence[Path]) -> None:
        """Move run files to the trash."""

        def work() -> Answer:
            moved: list[Trashed] = []
            problems: list[str] = []
            for path in paths:
                try:
                    check_free(path)
                    moved.append(move_to_trash(path))
                except UserError as error:
                    problems.append(str(error))
            return partial(self.trashed.emit, moved, problems)

        self._do(work)

    def put_back(self, trashed: Sequence[Trashed]) -> None:
        """Take files out of the trash."""

        def work() -> Answer:
            problems: list[str] = []
            for one in trashed:
                try:
                    put_back(one)
                except UserError as error:
                    problems.append(str(error))
            return partial(self.restored.emit, problems)

        self._do(work)

    def picture(self, paths: Sequence[Path]) -> None:
        """Make thumbnails of these runs next, and of no others any more."""
        self._pictures = paths
        self._begin()

    def _do(self, work: Callable[[], Answer]) -> None:
        self._queue.append(work)
        self._wants_look = True
        self._begin()

    def _begin(self) -> None:
        """Start the next piece of work, unless one is being done."""
        if self._job is not None or self._closed:
            return
        if self._queue:
            work = self._queue.popleft()
        elif self._wants_look:
            self._wants_look = False
            work = partial(self._look, self.library, self._gives_up)
        else:
            work = self._next_picture()
            if work is None:
                return
        self._job = BackgroundJob(work, name="library", notify=self._signal.emit)
        self._job.start()

    def _look(self, library: Library, gives_up: GiveUp) -> Answer:
        def tell(done: int, total: int) -> None:
            self._told = (done, total)
            self._signal.emit()

        look = library.look(tell=tell, gives_up=gives_up)
        return partial(self._on_looked, look, gives_up)

    def _on_looked(self, look: Look, gives_up: GiveUp) -> None:
        if not gives_up():
            self.looked.emit(look)

    def _next_picture(self) -> Callable[[], Answer] | None:
        for path in self._pictures:
            key = (path.name, self.library.stamp(path))
            if key not in self._done:
                self._done.add(key)
                return partial(self._picture, self.library, path)
        return None

    def _picture(self, library: Library, path: Path) -> Answer:
        stamp = library.stamp(path)
        data = None if stamp is None else library.index.thumbnail(path.name, stamp)
        if data is None:
            data = made_thumbnail(path)
            if stamp is not None and stamp.settled:
                library.index.keep_thumbnail(path.name, stamp, data)
        return partial(self.pictured.emit, path, data)

    def _on_news(self) -> None:
        """Take in what has been done. In the window's thread."""
        job = self._job
        if job is None:
            return
        if not job.done:
            self.progressed.emit(*self._told)
            return
        self._job = None
        try:
            answer = job.result()
        except UserError as error:
            self.failed.emit(error)
        else:
            answer()
        self._begin()

    def close(self) -> None:
        """Begin nothing more; returns at once."""
        self._closed = True
        self._gives_up.set()
        self._signal.close()

    def join(self) -> None:
        """Wait for the thread, after `close`."""
        if self._job is not None:
            self._job.join()
