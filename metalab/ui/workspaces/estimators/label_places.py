"""Places for names beside arrows that crowd together: none over another."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, QSizeF

from metalab.engine.events import Array

_GAP = 8.0
"""From the middle of a mark to its name, in pixels."""

_MOST_LINES, _MOST_ASIDE = 30, 24
"""Half lines up and down, and gaps aside, that a name is moved at most."""

_NEAREST, _LOOKED_AT, _NUM_POINTS = 150, 20, 30

_OVER_ARROW, _OVER_NAME = 12.0, 60.0
"""Price, in pixels, of covering an arrow, or of a line to a name across another."""


def places(
    arrows: Sequence[QLineF],
    sizes: Sequence[QSizeF],
    room: QRectF,
    taken: Iterable[QRectF],
    *,
    reach: float,
) -> list[QRectF | None]:
    """Return where each name stands: near the head of its arrow, over no other name.

    Args:
        arrows: Of each name, from tail to head.
        sizes: Of each name.
        room: No name reaches out of it.
        taken: What no name may cover, besides the heads.
        reach: Half the extent of a head.

    Returns:
        A place for each name, in the order of the arrows; None where there is no room.
    """
    if not arrows:
        return []
    heads = [arrow.p2() for arrow in arrows]
    around = QPointF(reach, reach)
    boxes = [*taken, *(QRectF(head - around, head + around) for head in heads)]
    everyone = range(len(arrows))
    from_foot = sorted(everyone, key=lambda i: (-heads[i].y(), heads[i].x()))
    # Where that leaves no room for the last ones, the widest ones choose first.
    widest = sorted(everyone, key=lambda i: (-sizes[i].width(), -heads[i].y()))
    best: list[QRectF | None] = [None] * len(arrows)
    for order in (from_foot, widest):
        found = _placed(order, arrows, sizes, room, boxes)
        best = min(best, found, key=lambda places: places.count(None))
        if None not in best:
            break
    return best


def near_edge(place: QRectF, head: QPointF) -> QPointF:
    """Return the point of a name's box that is next to the head of its arrow."""
    return QPointF(
        min(max(head.x(), place.left()), place.right()),
        min(max(head.y(), place.top()), place.bottom()),
    )


def distance(place: QRectF, head: QPointF) -> float:
    """Return how far a name's box is from the head of its arrow, in pixels."""
    return QLineF(near_edge(place, head), head).length()


def _placed(
    order: Sequence[int],
    arrows: Sequence[QLineF],
    sizes: Sequence[QSizeF],
    room: QRectF,
    taken: Sequence[QRectF],
) -> list[QRectF | None]:
    """Return where each name stands if they choose in an order."""
    names: list[QRectF] = []
    found: list[QRectF | None] = [None] * len(arrows)
    on_arrows = np.concatenate([_points_on(arrow) for arrow in arrows])
    for index in order:
        head = arrows[index].p2()
        boxes = _candidates(head, sizes[index], room)
        boxes = boxes[~_overlap(boxes, _corners([*taken, *names])).any(axis=1)]
        if len(boxes) == 0:
            continue
        # The nearest ones: beyond, no arrow is worth the way.
        boxes = boxes[np.argsort(_distances(boxes, head), kind="stable")[:_NEAREST]]
        covered = _hold(boxes, on_arrows).reshape(len(boxes), len(arrows), -1)
        cost = _distances(boxes, head) + _OVER_ARROW * covered.any(axis=2).sum(axis=1)
        # The cheapest few: a line across names makes none of the others cheaper.
        few = np.argsort(cost, kind="stable")[:_LOOKED_AT]
        across = [_num_across(_box(boxes[at]), head, names) for at in few]
        best = few[np.argmin(cost[few] + _OVER_NAME * np.array(across))]
        place = _box(boxes[best])
        names.append(place)
        found[index] = place
    return found


def _num_across(place: QRectF, head: QPointF, names: Sequence[QRectF]) -> int:
    """Return over how many names the line from an arrow's head to its own goes."""
    if not names:
        return 0
    points = _points_on(QLineF(head, near_edge(place, head)))
    return int(_hold(_corners(names), points).any(axis=1).sum())


def _candidates(head: QPointF, size: QSizeF, room: QRectF) -> Array:
    """Return boxes right and left of a head within the room: left, top, right, bottom.

    Returns:
        Those in line with the head come first, [box, 4].
    """
    width, height = size.width(), size.height()
    lines = np.arange(-_MOST_LINES, _MOST_LINES + 1)
    lines = lines[np.argsort(np.abs(lines), kind="stable")]
    tops = head.y() + (lines - 1) * height / 2
    aside = _GAP * np.arange(1, _MOST_ASIDE + 1)
    lefts = np.concatenate([head.x() + aside, head.x() - aside - width])
    tops = tops[(tops >= room.top()) & (tops + height <= room.bottom())]
    lefts = lefts[(lefts >= room.left()) & (lefts + width <= room.right())]
    top, left = (part.ravel() for part in np.meshgrid(tops, lefts, indexing="ij"))
    return np.stack([left, top, left + width, top + height], axis=1)


def _corners(boxes: Sequence[QRectF]) -> Array:
    """Return left, top, right and bottom, [box, 4]."""
    sides = [(box.left(), box.top(), box.right(), box.bottom()) for box in boxes]
    return np.array(sides).reshape(-1, 4)


def _box(sides: Array) -> QRectF:
    left, top, right, bottom = sides.tolist()
    return QRectF(left, top, right - left, bottom - top)


def _points_on(line: QLineF) -> Array:
    """Return points on a line, closer together than a name is high, [point, 2]."""
    shares = np.linspace(0, 1, _NUM_POINTS)
    x = line.x1() + shares * line.dx()
    y = line.y1() + shares * line.dy()
    return np.stack([x, y], axis=1)


def _overlap(boxes: Array, others: Array) -> NDArray[np.bool_]:
    """Return which boxes overlap which others, [box, other]."""
    one, other = boxes[:, None], others[None]
    apart = (one[..., :2] >= other[..., 2:]) | (one[..., 2:] <= other[..., :2])
    return ~(apart[..., 0] | apart[..., 1])


def _hold(boxes: Array, points: Array) -> NDArray[np.bool_]:
    """Return which boxes hold which points, [box, point]."""
    low, high = boxes[:, None, :2], boxes[:, None, 2:]
    inside = (points[None] > low) & (points[None] < high)
    return inside[..., 0] & inside[..., 1]


def _distances(boxes: Array, head: QPointF) -> Array:
    """Return how far boxes are from the head of an arrow, in pixels, [box]."""
    place = np.array([head.x(), head.y()])
    gaps = np.clip(place, boxes[:, :2], boxes[:, 2:]) - place
    return np.hypot(gaps[:, 0], gaps[:, 1])
