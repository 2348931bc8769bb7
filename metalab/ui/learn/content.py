"""Files that come with the learning parts, and what is wrong with a file."""

from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from metalab.core.errors import UserError
from metalab.core.paths import obstacle_to_read
from metalab.experiment.plain_data import (
    PlainDataError,
    from_toml,
    read_text,
    shortened,
)

DATA = Path(__file__).parent / "data"
"""Folder of the texts and pictures."""

WorkspaceName = Literal["live", "adapt", "landscape", "estimators", "structure"]
"""Workspaces that a term, a card or a page of a lesson can open."""

_MAX_SHOWN = 60
"""Characters of a refused value that a message repeats."""

_ALLOWED = {
    "missing": "a value",
    "int": "a whole number",
    "float": "a number",
    "string_type": "text",
    "string_too_short": "text that is not empty",
    "tuple": "a list",
    "dict": "a table",
    "model": "a table",
}
"""What people call pydantic's types, by the beginning of its error's name."""


class ContentError(UserError):
    """A file of texts that cannot be used: names file, field, value, what is allowed."""


class Content(BaseModel):
    """A part of a file of texts: immutable, and nothing unknown in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


_Model = TypeVar("_Model", bound=Content)


def read_content(path: Path, model: type[_Model]) -> _Model:
    """Return what a TOML file holds.

    Raises:
        ContentError: The file cannot be read, is not TOML, or has a field or value that
            is not allowed; names the first of them.
    """
    obstacle = obstacle_to_read(path)
    if obstacle is not None:
        raise ContentError(f"{path} cannot be read: {obstacle}")
    try:
        content = from_toml(read_text(path))
    except OSError as error:
        reason = error.strerror or str(error)
        raise ContentError(f"{path} cannot be read: {reason}") from error
    except PlainDataError as error:
        raise ContentError(f"{path} {error}") from error
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ContentError(f"{path.name}: {_problem(error)}") from error


def _problem(error: ValidationError) -> str:
    """Return path, value and what is allowed of the first thing that is wrong."""
    entry = error.errors()[0]
    place = shortened(".".join(str(part) for part in entry["loc"]), _MAX_SHOWN)
    kind = entry["type"]
    if kind == "extra_forbidden":
        return f"{place} is not a known field"
    if kind == "value_error":
        reason = str(entry["msg"]).removeprefix("Value error, ")
        return f"{place} {reason}" if place else reason
    allowed = str(entry["msg"]).removeprefix("Input should be ")
    for beginning, words in _ALLOWED.items():
        if kind.startswith(beginning):
            allowed = words
    if kind == "missing":
        return f"{place} is missing; allowed: {allowed}"
    value = repr(entry["input"])
    if len(value) > _MAX_SHOWN:
        value = f"{value[:_MAX_SHOWN]}..."
    return f"{place} is {value}; allowed: {allowed}"
