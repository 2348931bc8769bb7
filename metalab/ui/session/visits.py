"""Runs that a window has shown, in order, and the one that it shows now. No Qt."""

from pathlib import Path


class Visits:
    """A way back and forth through run files, as a browser has through pages."""

    def __init__(self) -> None:
        self._paths: list[Path] = []
        self._at = -1

    @property
    def current(self) -> Path | None:
        """The run that is shown."""
        return self._paths[self._at] if self._paths else None

    @property
    def before(self) -> tuple[Path, ...]:
        """The runs that were shown before, the last first."""
        return tuple(reversed(self._paths[: max(self._at, 0)]))

    @property
    def after(self) -> tuple[Path, ...]:
        """The runs that were come back from, the nearest first."""
        return tuple(self._paths[self._at + 1 :])

    def come_to(self, path: Path) -> None:
        """Take in that a run is shown; those that were come back from are forgotten."""
        if path != self.current:
            del self._paths[self._at + 1 :]
            self._paths.append(path)
            self._at = len(self._paths) - 1

    def go_back_to(self, path: Path) -> None:
        """Take in that one of `before` is shown again."""
        self._at = self._at - 1 - self.before.index(path)

    def go_on_to(self, path: Path) -> None:
        """Take in that one of `after` is shown again."""
        self._at = self._at + 1 + self.after.index(path)
