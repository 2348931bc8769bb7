"""Preferences kept between starts; the geometry of windows is kept apart."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from metalab.runs.system.faults import FaultLog
from metalab.runs.system.home import config_home
from metalab.ui.export.settings import ExportSettings
from metalab.ui.session.kept_file import (
    KeptFileError,
    copied_aside,
    read_kept,
    write_kept,
)

_MOST_SHOWN = 40
_MOST_WARNINGS = 10
"""Of a file of something else, which may have thousands of entries."""

_Line = Annotated[str, StringConstraints(max_length=4096, pattern=r"^[^\x00-\x1f]*$")]
"""A name or a path: no path holds a NUL."""


class OpenedFile(BaseModel):
    """A run file that was opened.

    Attributes:
        path: Where it was.
        when: Seconds since 1970.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: _Line
    when: Annotated[float, Field(ge=0.0, le=1e11, allow_inf_nan=False)]


class KeptPlugin(BaseModel):
    """A plug-in file that a person has allowed to be run.

    Attributes:
        path: Where it is.
        sha256: Of its content, in hexadecimal; with another it is not run.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: _Line
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Preferences(BaseModel):
    """A person's choices.

    Attributes:
        theme: Name of the palette.
        preset: The preset that was opened last; "" for the default one.
        step_size: Outer steps that the step button makes.
        close_without_asking: Whether closing stops and saves a run unasked.
        replace_without_asking: Whether another run stops and keeps one unasked.
        folder: Where a run file was opened or written last; "" for the folder of runs.
        workspaces: How each workspace was arranged, and which one was seen.
        folds: Parts of the experiment's form that were opened (True) or closed.
        export: How the export dialog was left.
        recent_commands: What was done from the command palette, the last first.
        opened_files: Run files that were opened, the last first.
        settled: Runs that a crash had left and a person has decided about, the last
            first.
        plugins: Plug-in files that are loaded at every start.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    theme: Literal["dark", "light"] = "dark"
    preset: _Line = ""
    step_size: Literal[1, 10, 100] = 1
    close_without_asking: bool = False
    replace_without_asking: bool = False
    folder: _Line = ""
    workspaces: Annotated[Mapping[str, Any], Field(max_length=100)] = {}
    folds: Annotated[Mapping[str, bool], Field(max_length=1000)] = {}
    export: ExportSettings = ExportSettings()
    recent_commands: Annotated[tuple[_Line, ...], Field(max_length=100)] = ()
    opened_files: Annotated[tuple[OpenedFile, ...], Field(max_length=100)] = ()
    settled: Annotated[tuple[_Line, ...], Field(max_length=100)] = ()
    plugins: Annotated[tuple[KeptPlugin, ...], Field(max_length=100)] = ()


def preferences_path() -> Path:
    """Return the file that preferences are kept in."""
    return config_home() / "preferences.json"


def read_preferences(path: Path) -> tuple[Preferences, list[str]]:
    """Read preferences, leaving out what is not understood.

    Args:
        path: The file; it need not exist.

    Returns:
        The preferences, and one warning for each thing that was left out. Where there
        is a warning, the file has been copied or moved aside.
    """
    try:
        content = read_kept(path)
    except KeptFileError as error:
        told = f"Preferences cannot be read: {error}"
        return Preferences(), [told, error.aside] if error.aside else [told]
    known, warnings = _validated(content)
    if warnings:
        warnings.append(copied_aside(path))
    return known, warnings


def _validated(content: dict[str, Any]) -> tuple[Preferences, list[str]]:
    try:
        return Preferences.model_validate(content), []
    except ValidationError as error:
        bad = {str(entry["loc"][0]): str(entry["msg"]) for entry in error.errors()}
    good = {key: value for key, value in content.items() if key not in bad}
    warnings = [
        f"Preference {key[:_MOST_SHOWN]!r} was not understood: {bad[key]}"
        for key in list(bad)[:_MOST_WARNINGS]
    ]
    return Preferences.model_validate(good), warnings


def write_preferences(path: Path, preferences: Preferences) -> None:
    """Write preferences; the file is either the old or the new one, never half.

    Raises:
        OSError: The file cannot be written.
    """
    write_kept(path, preferences.model_dump_json(indent=2) + "\n")


class PreferenceStore:
    """The preferences of this window, written whenever one changes.

    Attributes:
        current: The preferences.
    """

    def __init__(self, faults: FaultLog, path: Path | None = None) -> None:
        """Read the file; what is wrong with it goes to the faults."""
        self._faults = faults
        self._path = preferences_path() if path is None else path
        self.current, warnings = read_preferences(self._path)
        for warning in warnings:
            faults.add(warning)

    def change(self, name: str, value: object) -> None:
        """Change one preference and keep it.

        Raises:
            ValueError: The value is not allowed.
        """
        content = self.current.model_dump() | {name: value}
        changed = Preferences.model_validate(content)
        if changed == self.current:
            return
        self.current = changed
        try:
            write_preferences(self._path, changed)
        except OSError as error:
            self._faults.add(f"Preferences cannot be kept: {error}")
