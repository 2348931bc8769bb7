"""The rules of the picture: what leads where, and what is only looked at."""

from collections.abc import Callable, Mapping

from metalab.core.hypergradient.route import Route
from metalab.figures.structure.model import Arrow, Flow, PartKey, Structure

_IDLE: Mapping[Route, frozenset[PartKey]] = {
    Route.DIFFERENCE: frozenset({PartKey.QUERY, PartKey.LOSS}),
    Route.START: frozenset(
        {PartKey.SUPPORT, PartKey.INNER_LOOP, PartKey.STEP, PartKey.END}
    ),
}
"""What a route never uses."""


def parts_of(structure: Structure) -> frozenset[PartKey]:
    """Return what is drawn; a linear system only where one is solved on the way back."""
    has_system = structure.route is Route.SOLUTION and not structure.solved
    return frozenset(PartKey) - (frozenset() if has_system else {PartKey.SOLVE})


def learned_in(structure: Structure) -> frozenset[PartKey]:
    """Return the parts that stand for something meta-learned."""
    if not structure.moves:
        return frozenset()
    entries = structure.entries
    found = {PartKey.META}
    if entries.start:
        found.add(PartKey.START)
    if entries.rates:
        found.add(PartKey.STEP)
    return frozenset(found)


def idle_in(structure: Structure) -> frozenset[PartKey]:
    """Return the parts that have no effect on the meta-parameters."""
    idle = _IDLE.get(structure.route, frozenset())
    if structure.moves:
        return idle
    still = {PartKey.SOLVE, PartKey.HYPERGRADIENT, PartKey.UPDATE}
    return idle | (still & parts_of(structure))


def arrows_of(structure: Structure) -> tuple[Arrow, ...]:
    """Return what leads where."""
    back = _BACK[structure.route](structure)
    return (*_forward(structure), *back, *_update(structure))


def _forward(structure: Structure) -> tuple[Arrow, ...]:
    entries = structure.entries
    arrows = [
        Arrow(source=PartKey.TASKS, target=PartKey.BATCH, flow=Flow.DATA),
        Arrow(source=PartKey.SUPPORT, target=PartKey.STEP, flow=Flow.DATA),
        Arrow(source=PartKey.QUERY, target=PartKey.LOSS, flow=Flow.DATA),
        Arrow(source=PartKey.START, target=PartKey.STEP, flow=Flow.FORWARD),
        Arrow(source=PartKey.STEP, target=PartKey.END, flow=Flow.FORWARD),
        Arrow(source=PartKey.END, target=PartKey.LOSS, flow=Flow.FORWARD),
    ]
    entered = (
        (PartKey.START, entries.start),
        (PartKey.STEP, entries.rates or entries.inner_loss),
        (PartKey.LOSS, entries.prediction),
    )
    arrows += [
        Arrow(source=PartKey.META, target=part, flow=Flow.LEARNED)
        for part, enters in entered
        if enters
    ]
    return tuple(arrows)


def _update(structure: Structure) -> tuple[Arrow, ...]:
    to_update = _back(PartKey.HYPERGRADIENT, PartKey.UPDATE)
    if not structure.moves:
        return (to_update,)
    return to_update, _back(PartKey.UPDATE, PartKey.META)


def _back(
    source: PartKey, target: PartKey, *, direct: bool = False, straight: bool = False
) -> Arrow:
    return Arrow(
        source=source, target=target, flow=Flow.BACK, direct=direct, straight=straight
    )


_DIRECT = _back(PartKey.LOSS, PartKey.HYPERGRADIENT, direct=True)


def _of_prediction(structure: Structure) -> tuple[Arrow, ...]:
    """Return the way of what enters the prediction: past the inner loop."""
    return (_DIRECT,) if structure.entries.prediction else ()


def _through_steps(structure: Structure) -> tuple[Arrow, ...]:
    entries = structure.entries
    straight = structure.route is Route.LAST_STEPS
    arrows = [_back(PartKey.LOSS, PartKey.END), _back(PartKey.END, PartKey.STEP)]
    if entries.start:
        arrows.append(_back(PartKey.STEP, PartKey.START, straight=straight))
        arrows.append(_back(PartKey.START, PartKey.HYPERGRADIENT))
    if entries.rates or entries.inner_loss:
        arrows.append(_back(PartKey.STEP, PartKey.HYPERGRADIENT))
    return (*arrows, *_of_prediction(structure))


def _straight(structure: Structure) -> tuple[Arrow, ...]:
    arrows: list[Arrow] = []
    if structure.entries.start or structure.entries.rates:
        arrows.append(_back(PartKey.LOSS, PartKey.END))
    if structure.entries.start:
        arrows.append(_back(PartKey.END, PartKey.HYPERGRADIENT, straight=True))
    if structure.entries.rates:
        arrows.append(_back(PartKey.END, PartKey.STEP, straight=True))
        arrows.append(_back(PartKey.STEP, PartKey.HYPERGRADIENT))
    return (*arrows, *_of_prediction(structure))


def _difference(structure: Structure) -> tuple[Arrow, ...]:
    del structure
    return (
        _back(PartKey.START, PartKey.HYPERGRADIENT),
        _back(PartKey.END, PartKey.HYPERGRADIENT),
    )


def _solution(structure: Structure) -> tuple[Arrow, ...]:
    through = PartKey.STEP if structure.solved else PartKey.SOLVE
    return (
        _back(PartKey.LOSS, PartKey.END),
        _back(PartKey.END, through),
        _back(through, PartKey.HYPERGRADIENT),
        *_of_prediction(structure),
    )


def _from_start(structure: Structure) -> tuple[Arrow, ...]:
    if not structure.entries.start:
        return _of_prediction(structure)
    return (
        _back(PartKey.LOSS, PartKey.START, direct=True),
        _back(PartKey.START, PartKey.HYPERGRADIENT),
    )


def _forwards(structure: Structure) -> tuple[Arrow, ...]:
    first = (_back(PartKey.META, PartKey.START),) if structure.entries.start else ()
    return (
        *first,
        _back(PartKey.START, PartKey.STEP),
        _back(PartKey.STEP, PartKey.END),
        _back(PartKey.END, PartKey.LOSS),
        _DIRECT,
    )


def _values(structure: Structure) -> tuple[Arrow, ...]:
    del structure
    return (_DIRECT,)


_BACK: Mapping[Route, Callable[[Structure], tuple[Arrow, ...]]] = {
    Route.EVERY_STEP: _through_steps,
    Route.LAST_STEPS: _through_steps,
    Route.STRAIGHT: _straight,
    Route.DIFFERENCE: _difference,
    Route.SOLUTION: _solution,
    Route.START: _from_start,
    Route.FORWARDS: _forwards,
    Route.VALUES: _values,
}
