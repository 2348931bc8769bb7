"""Texts of the picture of a bilevel problem: a title, lines and a tip for each part.

In texts of the picture "_" lowers and "^" raises what follows, as `structure_text` draws.
"""

from collections.abc import Callable, Mapping

from metalab.figures.structure.model import (
    Numbers,
    PartKey,
    PartText,
    Structure,
    TextLine,
)
from metalab.figures.structure.sentences import loss_words, route_sentence
from metalab.figures.ticks import number_text

DASH = "–"


def _number(numbers: Numbers, name: str) -> str:
    value = numbers.value(name)
    return DASH if value is None else number_text(value)


def _counted(one: str, many: str, count: int) -> str:
    return (one if count == 1 else many).format(f"{count:,}")


def _outer_loop(structure: Structure, numbers: Numbers) -> PartText:
    step = f"{numbers.step:,}" if numbers.step else DASH
    steps = f"{structure.settings.num_steps:,}"
    return PartText(
        title="Outer loop",
        value=f"step {step} of {steps}",
        tip="Each outer step adapts to fresh tasks and then moves the meta-parameters.",
    )


def _tasks(structure: Structure, numbers: Numbers) -> PartText:
    del numbers
    return PartText(
        title="Task family",
        lines=(TextLine(structure.titles.family),),
        tip="Tasks are drawn from this family, new ones for every outer step.",
    )


def _meta(structure: Structure, numbers: Numbers) -> PartText:
    count = structure.settings.num_meta
    return PartText(
        title="Meta-parameters φ",
        lines=(
            TextLine(structure.titles.meta),
            TextLine(_counted("{} number", "{} numbers", count)),
            TextLine("‖φ‖", _number(numbers, "meta_parameter_norm")),
        ),
        tip=f"What all tasks share and the outer loop learns: it enters {_entries(structure)}."
        if structure.moves
        else "What all tasks share; here the outer loop leaves it as it is.",
    )


def _entries(structure: Structure) -> str:
    entries = structure.entries
    ways = (
        (entries.start, "as the start of the inner loop"),
        (entries.rates, f"as its {structure.inner_learns}"),
        (entries.inner_loss, "in the inner loss"),
        (entries.prediction, "directly in the prediction"),
    )
    return " and ".join(words for enters, words in ways if enters)


def _batch(structure: Structure, numbers: Numbers) -> PartText:
    del numbers
    count = structure.settings.num_tasks
    return PartText(
        title="Each task of the meta-batch",
        value=_counted("{} task", "{} tasks", count),
        tip=(
            "Every task of an outer step is adapted to on its own; their hypergradients "
            "are averaged."
        ),
    )


def _support(structure: Structure, numbers: Numbers) -> PartText:
    del numbers
    count = structure.settings.num_shots
    return PartText(
        title="Support set",
        lines=(TextLine(_counted("{} shot", "{} shots", count)),),
        tip="The points of a task that the inner loop adapts to.",
    )


def _network(structure: Structure, numbers: Numbers) -> PartText:
    del numbers
    return PartText(
        title="Network",
        lines=(
            TextLine(f"{structure.settings.num_network:,} parameters"),
            TextLine(structure.titles.model),
        ),
        tip="The function whose predictions both losses compare with the points.",
    )


def _query(structure: Structure, numbers: Numbers) -> PartText:
    del numbers
    count = structure.settings.num_queries
    points = _counted("{} point", "{} points", count)
    if PartKey.QUERY in structure.idle:
        tip = "Other points of the same task; here they are only measured on."
    else:
        tip = "Other points of the same task, on which adaptation is judged."
    return PartText(title="Query set", lines=(TextLine(points),), tip=tip)


def _inner_loop(structure: Structure, numbers: Numbers) -> PartText:
    del numbers
    steps = structure.settings.num_inner_steps
    counted = _counted("K = {} inner step", "K = {} inner steps", steps)
    tip = "Adapts the parameters θ of one task to its support set."
    if PartKey.INNER_LOOP in structure.idle:
        tip = "Adaptation is only looked at: nothing of it is learned from."
    return PartText(
        title="Inner loop",
        value="solved at once" if structure.solved else counted,
        tip=tip,
    )


def _start(structure: Structure, numbers: Numbers) -> PartText:
    if structure.entries.start:
        title, what = "Start θ_0", "from φ"
        tip = "Where every task starts to adapt: it comes from the meta-parameters."
    elif structure.zero_start:
        title, what = "Start θ_0 = 0", "not learned"
        tip = "Every task starts to adapt from zero; the start is not learned."
    else:
        title, what = "Start θ_0", "fixed, not learned"
        tip = "Every task starts from the same fixed parameters."
    return PartText(
        title=title,
        lines=(
            TextLine("support loss", _number(numbers, "support_loss_before")),
            TextLine("query loss", _number(numbers, "outer_loss_before")),
            TextLine(what),
        ),
        tip=tip,
    )


def _step(structure: Structure, numbers: Numbers) -> PartText:
    del numbers
    rate = structure.settings.inner_lr
    if structure.solved:
        return PartText(
            title="Closed form",
            lines=(TextLine("∇_θ ℓ(θ_K) = 0"), TextLine("one linear solve")),
            tip="The minimum of the inner loss is computed, not approached.",
        )
    lines = [TextLine(structure.inner_formula)]
    if rate is not None:
        learned = structure.inner_learns == "learning rates"
        lines.append(TextLine("α learned, from" if learned else "α =", f"{rate:.4g}"))
    what = "ℓ: support loss + regulariser"
    lines.append(TextLine(what if structure.regularised else "ℓ: support loss"))
    lines.append(TextLine(structure.titles.inner))
    return PartText(
        title="Inner step",
        lines=tuple(lines),
        tip="One step of θ down the loss ℓ on the support set, at the inner lr α.",
    )


def _end(structure: Structure, numbers: Numbers) -> PartText:
    count = structure.settings.num_adapted
    return PartText(
        title="Adapted θ_K",
        lines=(
            TextLine("support loss", _number(numbers, "support_loss_after")),
            TextLine("moved by", _number(numbers, "adaptation_distance")),
            TextLine(_counted("{} parameter", "{} parameters", count)),
        ),
        tip="The parameters of one task after K inner steps.",
    )


def _loss(structure: Structure, numbers: Numbers) -> PartText:
    line, tip = loss_words(structure)
    return PartText(
        title="Outer loss f",
        value=_number(numbers, "outer_loss"),
        lines=(
            TextLine(line),
            TextLine("before", _number(numbers, "outer_loss_before")),
        ),
        tip=tip,
    )


def _solve(structure: Structure, numbers: Numbers) -> PartText:
    del numbers
    return PartText(
        title="Linear system",
        lines=(
            TextLine("at θ_K, not through the steps"),
            TextLine(structure.titles.estimator),
        ),
        tip=(
            "The derivative of the inner solution follows from a linear system at the "
            "adapted parameters; the steps that led there do not matter."
        ),
    )


def _hypergradient(structure: Structure, numbers: Numbers) -> PartText:
    return PartText(
        title="Hypergradient h",
        value=f"h = {structure.formula}",
        lines=(
            TextLine("‖h‖, mean of the tasks:", _number(numbers, "hypergradient_norm")),
            TextLine(structure.titles.estimator),
        ),
        tip=route_sentence(structure),
    )


def _update(structure: Structure, numbers: Numbers) -> PartText:
    del numbers
    if not structure.moves:
        return PartText(
            title="No outer step",
            lines=(TextLine("φ stays"),),
            tip="Nothing is learned from other tasks: the meta-parameters stay.",
        )
    rate = f"{structure.settings.outer_lr:.4g}"
    return PartText(
        title="Outer step",
        lines=(
            TextLine(f"{structure.titles.optimizer}, β =", rate),
            TextLine("φ against mean h"),
        ),
        tip="Moves the meta-parameters against the mean hypergradient of the tasks.",
    )


_TEXTS: Mapping[PartKey, Callable[[Structure, Numbers], PartText]] = {
    PartKey.OUTER_LOOP: _outer_loop,
    PartKey.TASKS: _tasks,
    PartKey.META: _meta,
    PartKey.BATCH: _batch,
    PartKey.SUPPORT: _support,
    PartKey.NETWORK: _network,
    PartKey.QUERY: _query,
    PartKey.INNER_LOOP: _inner_loop,
    PartKey.START: _start,
    PartKey.STEP: _step,
    PartKey.END: _end,
    PartKey.LOSS: _loss,
    PartKey.SOLVE: _solve,
    PartKey.HYPERGRADIENT: _hypergradient,
    PartKey.UPDATE: _update,
}

READING_ORDER = tuple(_TEXTS)
"""The parts as one reads them, and as Tab goes."""


def part_texts(structure: Structure, numbers: Numbers) -> dict[PartKey, PartText]:
    """Return what stands in each part that is drawn, in reading order."""
    return {
        key: text(structure, numbers)
        for key, text in _TEXTS.items()
        if key in structure.parts
    }
