"""What metalab remembers between starts, apart from where windows are."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from metalab.runs.faults import FaultLog
from metalab.runs.home import config_home
from metalab.ui.export_settings import ExportSettings


class Preferences(BaseModel):
    """A person's choices.

    Attributes:
        theme: Name of the palette.
        preset: The preset that was opened last; "" for the default one.
        step_size: Outer steps that the step button makes.
        close_without_asking: Whether closing stops and saves a run unasked.
        folder: Where a run file was opened last; "" for the folder of runs.
        workspaces: How each workspace was arranged, and which one was seen.
        folds: Parts of the experiment's form that were opened (True) or closed.
        export: How the export dialog was left.
        recent_commands: What was done from the command palette, the last first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    theme: Literal["dark", "light"] = "dark"
    preset: str = ""
    step_size: Literal[1, 10, 100] = 1
    close_without_asking: bool = False
    folder: str = ""
    workspaces: Mapping[str, Any] = {}
    folds: Mapping[str, bool] = {}
    export: ExportSettings = ExportSettings()
    recent_commands: tuple[str, ...] = ()


def preferences_path() -> Path:
    """Return the file that preferences are kept in."""
    return config_home() / "preferences.json"


def read_preferences(path: Path) -> tuple[Preferences, list[str]]:
    """Read preferences, leaving out what is not understood.

    Args:
        path: The file; it need not exist.

    Returns:
        The preferences, and one warning for each thing that was left out. Where there
        is a warning, the file has been copied aside.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Preferences(), []
    except (OSError, UnicodeDecodeError) as error:
        return Preferences(), [f"Preferences cannot be read: {error}"]
    content, warnings = _parsed(text)
    known, more = _validated(content)
    warnings += more
    if warnings:
        warnings.append(_kept_aside(path))
    return known, warnings


def _validated(content: dict[str, Any]) -> tuple[Preferences, list[str]]:
    try:
        return Preferences.model_validate(content), []
    except ValidationError as error:
        bad = {str(entry["loc"][0]): str(entry["msg"]) for entry in error.errors()}
    good = {key: value for key, value in content.items() if key not in bad}
    warnings = [f"Preference {key!r} was not understood: {bad[key]}" for key in bad]
    return Preferences.model_validate(good), warnings


def _parsed(text: str) -> tuple[dict[str, Any], list[str]]:
    try:
        content = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        return {}, [f"Preferences are not JSON: {error}"]
    if not isinstance(content, dict):
        return {}, ["Preferences are not a table of settings"]
    return content, []  # pyright: ignore[reportUnknownVariableType] - JSON keys are str


def _kept_aside(path: Path) -> str:
    backup = path.with_suffix(".backup.json")
    try:
        shutil.copyfile(path, backup)
    except OSError as error:
        return f"Preferences could not be copied aside: {error}"
    return f"The preferences as they were are in {backup}"


def write_preferences(path: Path, preferences: Preferences) -> None:
    """Write preferences; the file is either the old or the new one, never half.

    Raises:
        OSError: The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(preferences.model_dump_json(indent=2) + "\n", encoding="utf-8")
    draft.replace(path)


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
