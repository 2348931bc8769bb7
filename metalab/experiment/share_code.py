"""An experiment as one line of text, to be sent in a message or put on a slide.

The code holds every setting, not only what differs from a preset: it means the same where
presets have changed since. It is `metalab1:`, then the experiment as JSON, compressed with
zlib, in the letters of URLs (RFC 4648, section 5).
"""

import base64
import json
import zlib
from textwrap import shorten
from typing import Any

from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import ConfigError, FieldProblem, validated
from metalab.experiment.plain_data import PlainDataError, from_json

PREFIX = "metalab1:"

_DAMAGED = "has been damaged: copy it again, from its first letter to its last"

MOST_BYTES = 1_000_000
"""Of an experiment as JSON; it has some thousand, a bomb has many more."""

_MOST_LETTERS = 2_000_000
"""Of a code, blanks included; it has less than a thousand."""


def share_code(config: ExperimentConfig) -> str:
    """Return the code of an experiment, without its run.

    Args:
        config: The experiment.
    """
    text = json.dumps(config.to_mapping(), separators=(",", ":"), sort_keys=True)
    packed = zlib.compress(text.encode(), level=9)
    return PREFIX + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def experiment_of_code(text: str) -> ExperimentConfig:
    """Return the experiment of a code; line breaks and blanks in it do not matter.

    Raises:
        ConfigError: It is not a code, has been damaged, or holds what this metalab does not
            know or allow.
    """
    # What is pasted by mistake may be a book.
    words = text[:_MOST_LETTERS].split()
    code = "".join(words)
    if not code.startswith(PREFIX):
        shown = shorten(" ".join(words), 40, placeholder="…")
        raise _refusal(f"is {shown!r}; a code begins with {PREFIX}")
    if len(text) > _MOST_LETTERS:
        raise _refusal(f"has more than {_MOST_LETTERS:,} letters")
    return validated(_unpacked(code.removeprefix(PREFIX)))


def _unpacked(letters: str) -> dict[str, Any]:
    unpacker = zlib.decompressobj()
    try:
        padded = letters + "=" * (-len(letters) % 4)
        packed = base64.b64decode(padded, altchars=b"-_", validate=True)
        content = unpacker.decompress(packed, MOST_BYTES)
    except (ValueError, zlib.error) as error:
        raise _refusal(_DAMAGED) from error
    if unpacker.unconsumed_tail:
        raise _refusal(f"holds more than {MOST_BYTES:,} bytes")
    if not unpacker.eof:
        raise _refusal("is not whole: its end is missing")
    try:
        mapping = from_json(content)
    except PlainDataError as error:
        raise _refusal(f"{_DAMAGED}; it {error}") from error
    if not isinstance(mapping, dict):
        raise _refusal("holds no experiment")
    return mapping


def _refusal(text: str) -> ConfigError:
    return ConfigError([FieldProblem("share code", text)])
