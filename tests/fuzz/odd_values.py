"""Values that nobody writes, and texts made of them."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

Path = tuple[str | int, ...]

NUMBERS = [
    0, -1, 1, 2, 3, 10**6, 10**9, 10**12, 2**31, 2**63 - 1, 2**63, -(2**63), 10**30,
    0.5, -0.0, 1e-320, 1e308, -1e308, float("inf"), float("-inf"), float("nan"),
]  # fmt: skip
TEXTS = [
    "", " ", "x", "0", "nan", "-1", "None", "\x00", "\n", "\x1b[31m", "a\nb", "/", "..",
    "\ud800", "é", "漢" * 100, "x" * 10_000, "%s%n", "'; DROP TABLE facts; --", "${HOME}",
    "__class__", "file:///etc/passwd", "1e999", "auto", "cuda", "sinusoid", "\N{BOM}",
]  # fmt: skip


def nested(depth: int) -> Any:
    """Return lists within each other."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def odd_value(rng: random.Random) -> Any:
    """Return a value that is probably of another type than what it replaces."""
    makers: list[Callable[[], Any]] = [
        lambda: rng.choice(NUMBERS),
        lambda: rng.choice(NUMBERS),
        lambda: rng.choice(TEXTS),
        lambda: rng.choice([None, True, False]),
        lambda: rng.choice([[], {}, [[]], [None], {"": None}, {"kind": []}]),
        lambda: nested(rng.choice([3, 19, 20, 21, 300])),
        lambda: [rng.choice(NUMBERS) for _ in range(rng.choice([1, 2, 70, 3000]))],
        lambda: {str(i): i for i in range(rng.choice([1, 3, 200]))},
        lambda: 10 ** rng.choice([400, 4000]),
    ]
    return rng.choice(makers)()


def places(content: Any, at: Path = ()) -> Iterator[Path]:
    """Yield the place of every value within nested plain values."""
    if at:
        yield at
    pairs: Any = ()
    if isinstance(content, dict):
        pairs = content.items()
    elif isinstance(content, list):
        pairs = enumerate(content)
    for key, value in pairs:
        yield from places(value, (*at, key))


def changed(rng: random.Random, content: Any) -> Any:
    """Return a copy of plain values of which something is another."""
    content = json.loads(json.dumps(content))
    found = list(places(content))
    if not found or rng.random() < 0.05:
        return odd_value(rng)
    *way, last = rng.choice(found)
    holder = content
    for key in way:
        holder = holder[key]
    act = rng.random()
    if act < 0.7:
        holder[last] = odd_value(rng)
    elif act < 0.85:
        del holder[last]
    elif isinstance(holder, dict):
        holder[rng.choice(TEXTS)] = odd_value(rng)
    else:
        holder.extend(odd_value(rng) for _ in range(rng.choice([1, 100])))
    return content


def as_json(rng: random.Random, content: Any) -> str:
    """Return plain values as JSON, sometimes as no parser would write it."""
    try:
        text = json.dumps(content)
    except ValueError:
        # A number of more digits than Python writes.
        return "9" * 5000
    return odd_json(rng) if rng.random() < 0.1 else text


def odd_json(rng: random.Random) -> str:
    """Return text that is JSON at its edge, or none."""
    return rng.choice(
        [
            "[" * 100_000, '{"a":' * 50_000, "9" * 5000, "-" + "9" * 5000, "1e99999",
            "NaN", "Infinity", '"\\ud800"', "", "{", "nul", '{"a": 1, "a": 2}', "\ufeff{}",
            "[" + "1," * 200_000 + "1]", '"' + "a" * 300_000 + '"', "0" * 1000,
        ]
    )  # fmt: skip


def damaged(rng: random.Random, data: bytes) -> bytes:
    """Return bytes with flipped bits, a lost end, holes, or parts in other places."""
    spoilt = bytearray(data)
    if not spoilt:
        return rng.randbytes(10)
    act = rng.randrange(6)
    at = rng.randrange(len(spoilt))
    length = min(len(spoilt) - at, rng.choice([1, 8, 100, 4096]))
    if act == 0:
        for _ in range(rng.choice([1, 3, 50])):
            spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
    elif act == 1:
        del spoilt[at:]
    elif act == 2:
        spoilt[at : at + length] = bytes(length)
    elif act == 3:
        spoilt[at : at + length] = rng.randbytes(length)
    elif act == 4:
        other = rng.randrange(len(spoilt))
        spoilt[at : at + length] = spoilt[other : other + length]
    else:
        spoilt[at:at] = rng.randbytes(rng.choice([1, 100, 10_000]))
    return bytes(spoilt)
