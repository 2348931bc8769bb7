"""Runs that a person has put aside to compare."""

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QObject, Signal


class Basket(QObject):
    """Run files, each once, in the order in which they were put in.

    The shell owns the one of a window and hands it to the pages that fill or compare it.

    Attributes:
        changed: It holds other runs.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._paths: tuple[Path, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """The run files, absolute."""
        return self._paths

    def __contains__(self, path: Path) -> bool:
        """Return whether a run is in it."""
        return path.absolute() in self._paths

    def add(self, paths: Iterable[Path]) -> None:
        """Put runs in, behind those that are there."""
        self.set_paths((*self._paths, *paths))

    def remove(self, paths: Iterable[Path]) -> None:
        """Take runs out; one that is not in it is no matter."""
        out = {path.absolute() for path in paths}
        self.set_paths(path for path in self._paths if path not in out)

    def set_paths(self, paths: Iterable[Path]) -> None:
        """Hold these runs and no others."""
        wanted = tuple(dict.fromkeys(path.absolute() for path in paths))
        if wanted != self._paths:
            self._paths = wanted
            self.changed.emit()
