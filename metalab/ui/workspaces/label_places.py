"""Where names stand beside marks that crowd together: none over another."""

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QPointF, QRectF, QSizeF

_GAP = 8.0
"""From the middle of a mark to its name, in pixels."""

_MOST_STEPS = 40
"""Lines up and down, and steps aside, that a name is moved."""


def places(
    marks: Sequence[QPointF],
    sizes: Sequence[QSizeF],
    room: QRectF,
    taken: Iterable[QRectF],
    *,
    reach: float,
) -> list[QRectF | None]:
    """Return where each name stands: as near to its mark as is free.

    Args:
        marks: Middle of each mark.
        sizes: Of each name.
        room: No name reaches out of it.
        taken: What no name may cover, besides the marks.
        reach: Half the extent of a mark.

    Returns:
        A place for each name, in the order of the marks; None where there is no room.
    """
    around = QPointF(reach, reach)
    boxes = [*taken, *(QRectF(mark - around, mark + around) for mark in marks)]
    everyone = range(len(marks))
    from_foot = sorted(everyone, key=lambda i: (-marks[i].y(), marks[i].x()))
    # Where that leaves no room for the last ones, the widest ones choose first.
    widest = sorted(everyone, key=lambda i: (-sizes[i].width(), -marks[i].y()))
    best: list[QRectF | None] = [None] * len(marks)
    for order in (from_foot, widest):
        found = _placed(order, marks, sizes, room, boxes)
        if found.count(None) == 0:
            return found
        best = min(best, found, key=lambda places: places.count(None))
    return best


def _placed(
    order: Sequence[int],
    marks: Sequence[QPointF],
    sizes: Sequence[QSizeF],
    room: QRectF,
    taken: Sequence[QRectF],
) -> list[QRectF | None]:
    """Return where each name stands if they choose in an order."""
    boxes = list(taken)
    found: list[QRectF | None] = [None] * len(marks)
    for index in order:
        place = _nearest(marks[index], sizes[index], room, boxes)
        found[index] = place
        if place is not None:
            boxes.append(place)
    return found


def near_edge(place: QRectF, mark: QPointF) -> QPointF:
    """Return the point of a name's box that is next to its mark."""
    return QPointF(
        min(max(mark.x(), place.left()), place.right()),
        min(max(mark.y(), place.top()), place.bottom()),
    )


def distance(place: QRectF, mark: QPointF) -> float:
    """Return how far a name's box is from its mark, in pixels."""
    gap = near_edge(place, mark) - mark
    return (gap.x() ** 2 + gap.y() ** 2) ** 0.5


def _nearest(
    mark: QPointF, size: QSizeF, room: QRectF, boxes: Sequence[QRectF]
) -> QRectF | None:
    free = (
        box
        for box in _candidates(mark, size, room)
        if not any(box.intersects(other) for other in boxes)
    )
    return min(free, key=lambda box: distance(box, mark), default=None)


def _candidates(mark: QPointF, size: QSizeF, room: QRectF) -> Iterable[QRectF]:
    """Yield boxes right and left of a mark, line by line, within the room."""
    height = size.height()
    for line in range(2 * _MOST_STEPS + 1):
        # 0, 1, -1, 2, -2, ...: of two as near, the one below comes first.
        up = (line + 1) // 2 * (1 if line % 2 else -1) * height / 2
        top = mark.y() - height / 2 + up
        if top < room.top() or top + height > room.bottom():
            continue
        for aside in range(_MOST_STEPS):
            offset = _GAP * (1 + aside)
            for left in (mark.x() + offset, mark.x() - offset - size.width()):
                if room.left() <= left <= room.right() - size.width():
                    yield QRectF(QPointF(left, top), size)
