"""Places of the parts in the picture of a bilevel problem, and routes of its arrows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from metalab.figures.structure.model import Arrow, Flow, PartKey

FRAMES = (PartKey.OUTER_LOOP, PartKey.BATCH, PartKey.INNER_LOOP)
"""Parts that hold others, from outside to inside."""

BACK_HEIGHT = 0.86
"""Height at which the hypergradient passes a box, as a share of its own."""

STACK = 4.0
"""Distance that each card behind the meta-batch looks out."""

_FORWARD, _BACK = 0.28, BACK_HEIGHT
"""Height at which arrows between neighbours leave, as a share of the box."""

_AT_START, _AT_LOSS = 0.7, 0.35


class Point(NamedTuple):
    """A place, downwards from the upper left."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, downwards from the upper left."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.top + self.height

    @property
    def middle(self) -> Point:
        """The point in the middle."""
        return Point(self.left + self.width / 2, self.top + self.height / 2)

    def adjusted(self, left: float, top: float, right: float, bottom: float) -> "Box":
        """Return the rectangle with its edges moved."""
        return Box(
            self.left + left,
            self.top + top,
            self.width + right - left,
            self.height + bottom - top,
        )

    def contains(self, point: Point) -> bool:
        """Return whether a point is inside, edges included."""
        across = self.left <= point.x <= self.right
        return across and self.top <= point.y <= self.bottom


Points = tuple[Point, ...]


def _within(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


@dataclass(frozen=True, slots=True)
class DiagramLayout:
    """Rectangles and lines, in any unit.

    Attributes:
        line: Height of a line of text.
        places: Of each part.
    """

    line: float
    places: Mapping[PartKey, Box]

    def title_of(self, key: PartKey) -> Box:
        """Return where the title of a frame stands."""
        place = self.places[key]
        side = 0.7 * self.line
        width = place.width - 2 * side
        if key is PartKey.INNER_LOOP:
            # The support set comes in beside it.
            width = self.places[PartKey.STEP].middle.x - place.left - 2 * side
        return Box(place.left + side, place.top, width, 1.75 * self.line)

    def part_at(self, point: Point) -> PartKey | None:
        """Return the innermost part at a point."""
        boxes = [key for key in self.places if key not in FRAMES]
        for key in (*boxes, *reversed(FRAMES)):
            if self.places[key].contains(point):
                return key
        return None

    def points(self, arrow: Arrow) -> Points:
        """Return the corners of an arrow, from its source to its head."""
        if arrow.flow is Flow.LEARNED:
            return self._learned(arrow.target)
        run = _RUNS.get((arrow.source, arrow.target, arrow.direct))
        if run is not None:
            return run(self)
        source, target = self.places[arrow.source], self.places[arrow.target]
        if target.top > source.bottom or target.bottom < source.top:
            return _vertical(source, target)
        share = _BACK if arrow.flow is Flow.BACK else _FORWARD
        if arrow.target in (PartKey.HYPERGRADIENT, PartKey.UPDATE):
            share = 0.5
        return _horizontal(source, target, share)

    @property
    def lane(self) -> float:
        """Height of the lane above the inner loop."""
        top = self.places[PartKey.SUPPORT].bottom
        return (top + self.places[PartKey.INNER_LOOP].top) / 2

    @property
    def below_steps(self) -> float:
        """Height of the lane below the inner steps."""
        return self.places[PartKey.STEP].bottom + 0.95 * self.line

    def _learned(self, target: PartKey) -> Points:
        meta, end = self.places[PartKey.META], self.places[target]
        if target is PartKey.START:
            y = end.top + _FORWARD * end.height
            return Point(meta.right, y), Point(end.left, y)
        to_loss = target is PartKey.LOSS
        y = self.lane + (-0.3 if to_loss else 0.3) * self.line
        x = end.left + (0.22 if to_loss else 0.86) * end.width
        return Point(meta.right, y), Point(x, y), Point(x, end.top)

    def past_inner_loop(self) -> Points:
        """Return the way from the outer loss to the hypergradient, past the inner loop."""
        loss = self.places[PartKey.LOSS]
        end = self.places[PartKey.HYPERGRADIENT]
        x = loss.middle.x
        if PartKey.SOLVE not in self.places:
            return Point(x, loss.bottom), Point(x, end.top)
        y = (self.places[PartKey.BATCH].bottom + end.top) / 2 + 0.1 * self.line
        to = end.right - 1.5 * self.line
        return (
            Point(x, loss.bottom),
            Point(x, y),
            Point(to, y),
            Point(to, end.top),
        )

    def below_inner_loop(self) -> Points:
        """Return the way from the outer loss to the start, below the inner steps."""
        loss, start = self.places[PartKey.LOSS], self.places[PartKey.START]
        x, y = loss.left + _AT_LOSS * loss.width, self.below_steps
        to = start.left + _AT_START * start.width
        return (
            Point(x, loss.bottom),
            Point(x, y),
            Point(to, y),
            Point(to, start.bottom),
        )

    def down_from(self, key: PartKey, share: float) -> Points:
        """Return the way from a part straight down to the hypergradient."""
        source, target = self.places[key], self.places[PartKey.HYPERGRADIENT]
        x = source.left + share * source.width
        return Point(x, source.bottom), Point(x, target.top)

    def again(self) -> Points:
        """Return the loop below the inner step: the step is taken again."""
        step = self.places[PartKey.STEP]
        y = step.bottom + 0.5 * self.line
        right, left = (step.left + share * step.width for share in (0.78, 0.22))
        return (
            Point(right, step.bottom),
            Point(right, y),
            Point(left, y),
            Point(left, step.bottom),
        )

    def drawn_tasks(self) -> Points:
        """Return the way from the task family to the meta-batch."""
        tasks, batch = self.places[PartKey.TASKS], self.places[PartKey.BATCH]
        y = tasks.middle.y
        return Point(tasks.right, y), Point(batch.left, y)


def _from_start(layout: DiagramLayout) -> Points:
    return layout.down_from(PartKey.START, 0.35)


def _from_step(layout: DiagramLayout) -> Points:
    return layout.down_from(PartKey.STEP, 0.1)


def _from_end(layout: DiagramLayout) -> Points:
    return layout.down_from(PartKey.END, 0.5)


_RUNS: Mapping[tuple[PartKey, PartKey, bool], Callable[[DiagramLayout], Points]] = {
    (PartKey.TASKS, PartKey.BATCH, False): DiagramLayout.drawn_tasks,
    (PartKey.LOSS, PartKey.HYPERGRADIENT, True): DiagramLayout.past_inner_loop,
    (PartKey.LOSS, PartKey.START, True): DiagramLayout.below_inner_loop,
    (PartKey.START, PartKey.HYPERGRADIENT, False): _from_start,
    (PartKey.STEP, PartKey.HYPERGRADIENT, False): _from_step,
    (PartKey.END, PartKey.HYPERGRADIENT, False): _from_end,
}


def _vertical(source: Box, target: Box) -> Points:
    x = min(source.middle.x, target.middle.x)
    if target.top > source.bottom:
        return Point(x, source.bottom), Point(x, target.top)
    return Point(x, source.top), Point(x, target.bottom)


def _horizontal(source: Box, target: Box, share: float) -> Points:
    top = max(source.top, target.top)
    y = top + share * (min(source.bottom, target.bottom) - top)
    if target.left > source.right:
        return Point(source.right, y), Point(target.left, y)
    return Point(source.left, y), Point(target.right, y)


def diagram_layout(area: Box, line: float, parts: frozenset[PartKey]) -> DiagramLayout:
    """Return where everything is.

    Args:
        area: To be filled by the outer loop.
        line: Height of a line of text.
        parts: What is drawn.
    """
    pad = 0.7 * line
    inside = area.adjusted(pad, 1.75 * line, -pad, -pad)
    bottom = _within(0.22 * inside.height, 3.4 * line, 6.5 * line)
    gap = _within(0.08 * inside.height, 1.0 * line, 3 * line)
    left = _within(0.17 * inside.width, 10.4 * line, 13 * line)
    between = _within(0.04 * inside.width, 1.4 * line, 3.5 * line)
    batch = inside.adjusted(left + between, 0, -2 * STACK, -bottom - gap - 2 * STACK)
    places = {PartKey.OUTER_LOOP: area, PartKey.BATCH: batch}
    places |= _in_batch(batch, line)
    top = places[PartKey.SUPPORT]
    inner, step = places[PartKey.INNER_LOOP], places[PartKey.STEP]
    places[PartKey.TASKS] = Box(
        inside.left, batch.top, left, top.bottom - 0.6 * line - batch.top
    )
    places[PartKey.META] = Box(inside.left, top.bottom, left, inner.bottom - top.bottom)
    row = inside.bottom - bottom
    places[PartKey.UPDATE] = Box(inside.left, row, left, bottom)
    end, loss = places[PartKey.END], places[PartKey.LOSS]
    right = loss.right
    if PartKey.SOLVE in parts:
        places[PartKey.SOLVE] = Box(end.left, row, loss.right - end.left, bottom)
        right = step.right
    places[PartKey.HYPERGRADIENT] = Box(inner.left, row, right - inner.left, bottom)
    return DiagramLayout(line, places)


def _in_batch(batch: Box, line: float) -> dict[PartKey, Box]:
    """Return the places of what one task has."""
    pad = 0.7 * line
    inside = batch.adjusted(pad, 1.75 * line, -pad, -pad)
    height = _within(0.22 * inside.height, 2.4 * line, 4.2 * line)
    lane = _within(0.08 * inside.height, 0.9 * line, 2 * line)
    wide = _within(0.2 * inside.width, 7 * line, 13 * line)
    gap = _within(0.05 * inside.width, 1.4 * line, 3.5 * line)
    inner = Box(
        inside.left,
        inside.top + height + lane,
        inside.width - wide - gap,
        inside.height - height - lane,
    )
    row = inner.adjusted(pad, 1.75 * line, -pad, -1.3 * line)
    between = _within(0.07 * row.width, 1.2 * line, 3.5 * line)
    unit = (row.width - 2 * between) / 3.6
    x, boxes = row.left, list[Box]()
    for share in (1.1, 1.4, 1.1):
        boxes.append(Box(x, row.top, share * unit, row.height))
        x += share * unit + between
    loss = Box(inside.right - wide, row.top, wide, row.height)
    start, step, end = boxes

    def above(box: Box) -> Box:
        return Box(box.left, inside.top, box.width, height)

    return {
        PartKey.NETWORK: above(start),
        PartKey.SUPPORT: above(step),
        PartKey.QUERY: above(loss),
        PartKey.INNER_LOOP: inner,
        PartKey.START: start,
        PartKey.STEP: step,
        PartKey.END: end,
        PartKey.LOSS: loss,
    }
