"""What the picture of a bilevel problem says: a title, lines and a tip for each part.

In texts of the picture "_" lowers and "^" raises what follows, as `structure_text` draws.
"""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QCoreApplication

from metalab.ui.ticks import number_text
from metalab.ui.workspaces.structure_model import (
    Line,
    Numbers,
    PartKey,
    PartText,
    Structure,
)
from metalab.ui.workspaces.structure_sentences import loss_words, route_sentence

DASH = "–"


def _tr(text: str) -> str:
    return QCoreApplication.translate("structure", text)


def _number(numbers: Numbers, name: str) -> str:
    value = numbers.value(name)
    return DASH if value is None else number_text(value)


def _counted(one: str, many: str, count: int) -> str:
    return (one if count == 1 else many).format(f"{count:,}")


def _outer_loop(structure: Structure, numbers: Numbers) -> PartText:
    step = f"{numbers.step:,}" if numbers.step else DASH
    steps = f"{structure.settings.num_steps:,}"
    return PartText(
        title=_tr("Outer loop"),
        value=_tr("step {} of {}").format(step, steps),
        tip=_tr(
            "Each outer step adapts to fresh tasks and then moves the meta-parameters."
        ),
    )


def _tasks(structure: Structure, numbers: Numbers) -> PartText:
    del numbers
    return PartText(
        title=_tr("Task family"),
        lines=(Line(structure.titles.family),),
        tip=_tr("Tasks are drawn from this family, new ones for every outer step."),
    )


def _meta(structure: Structure, numbers: Numbers) -> PartText:
    count = structure.settings.num_meta
    return PartText(
        title=_tr("Meta-parameters φ"),
        lines=(
            Line(structure.titles.meta),
            Line(_counted(_tr("{} number"), _tr("{} numbers"), count)),
            Line("‖φ‖", _number(numbers, "meta_parameter_norm")),
        ),
        tip=_tr("What all tasks share and the outer loop learns: it enters {}.").format(
            _entries(structure)
        )
        if structure.moves
        else _tr("What all tasks share; here the outer loop leaves it as it is."),
    )


def _entries(structure: Structure) -> str:
    entries = structure.entries
    ways = (
        (entries.start, _tr("as the start of the inner loop")),
        (entries.rates, _tr("as its learning rates")),
        (entries.inner_loss, _tr("in the inner loss")),
        (entries.prediction, _tr("directly in the prediction")),
    )
    return _tr(" and ").join(words for enters, words in ways if enters)


def _batch(structure: Structure, numbers: Numbers) -> PartText:
    del numbers
    count = structure.settings.num_tasks
    return PartText(
        title=_tr("Each task of the meta-batch"),
        value=_counted(_tr("{} task"), _tr("{} tasks"), count),
        tip=_tr(
            "Every task of an outer step is adapted to on its own; their hypergradients "
            "are averaged."
        ),
    )


def _support(structure: Structure, numbers: Numbers) -> PartText:
    del numbers
    count = structure.settings.num_shots
    return PartText(
        title=_tr("Support set"),
        lines=(Line(_counted(_tr("{} shot"), _tr("{} shots"), count)),),
        tip=_tr("The points of a task that the inner loop adapts to."),
    )


def _network(structure: Structure, numbers: Numbers) -> PartText:
    del numbers
    return PartText(
        title=_tr("Network"),
        lines=(
            Line(_tr("{:,} parameters").format(structure.settings.num_network)),
            Line(structure.titles.model),
        ),
        tip=_tr("The function whose predictions both losses compare with the points."),
    )


def _query(structure: Structure, numbers: Numbers) -> PartText:
    del numbers
    count = structure.settings.num_queries
    points = _counted(_tr("{} point"), _tr("{} points"), count)
    if PartKey.QUERY in structure.idle:
        tip = _tr("Other points of the same task; here they are only measured on.")
    else:
        tip = _tr("Other points of the same task, on which adaptation is judged.")
    return PartText(title=_tr("Query set"), lines=(Line(points),), tip=tip)


def _inner_loop(structure: Structure, numbers: Numbers) -> PartText:
    del numbers
    steps = structure.settings.num_inner_steps
    counted = _counted(_tr("K = {} inner step"), _tr("K = {} inner steps"), steps)
    tip = _tr("Adapts the parameters θ of one task to its support set.")
    if PartKey.INNER_LOOP in structure.idle:
        tip = _tr("Adaptation is only looked at: nothing of it is learned from.")
    return PartText(
        title=_tr("Inner loop"),
        value=_tr("solved at once") if structure.solved else counted,
        tip=tip,
    )


def _start(structure: Structure, numbers: Numbers) -> PartText:
    if structure.entries.start:
        title, what = _tr("Start θ_0"), _tr("from φ")
        tip = _tr(
            "Where every task starts to adapt: it comes from the meta-parameters."
        )
    elif structure.zero_start:
        title, what = _tr("Start θ_0 = 0"), _tr("not learned")
        tip = _tr("Every task starts to adapt from zero; the start is not learned.")
    else:
        title, what = _tr("Start θ_0"), _tr("fixed, not learned")
        tip = _tr("Every task starts from the same fixed parameters.")
    return PartText(
        title=title,
        lines=(
            Line(_tr("support loss"), _number(numbers, "support_loss_before")),
            Line(_tr("query loss"), _number(numbers, "outer_loss_before")),
            Line(what),
        ),
        tip=tip,
    )


def _step(structure: Structure, numbers: Numbers) -> PartText:
    del numbers
    rate = structure.settings.inner_lr
    if structure.solved:
        return PartText(
            title=_tr("Closed form"),
            lines=(Line(_tr("∇_θ ℓ(θ_K) = 0")), Line(_tr("one linear solve"))),
            tip=_tr("The minimum of the inner loss is computed, not approached."),
        )
    lines = [Line("θ ← θ − α ∇ℓ(θ)")]
    if rate is not None:
        learned = structure.entries.rates
        lines.append(Line(_tr("α learned, from") if learned else "α =", f"{rate:.4g}"))
    what = _tr("ℓ: support loss + regulariser")
    lines.append(Line(what if structure.regularised else _tr("ℓ: support loss")))
    lines.append(Line(structure.titles.inner))
    return PartText(
        title=_tr("Inner step"),
        lines=tuple(lines),
        tip=_tr("One step of θ down the loss ℓ on the support set, at the inner lr α."),
    )


def _end(structure: Structure, numbers: Numbers) -> PartText:
    count = structure.settings.num_adapted
    return PartText(
        title=_tr("Adapted θ_K"),
        lines=(
            Line(_tr("support loss"), _number(numbers, "support_loss_after")),
            Line(_tr("moved by"), _number(numbers, "adaptation_distance")),
            Line(_counted(_tr("{} parameter"), _tr("{} parameters"), count)),
        ),
        tip=_tr("The parameters of one task after K inner steps."),
    )


def _loss(structure: Structure, numbers: Numbers) -> PartText:
    line, tip = loss_words(structure)
    return PartText(
        title=_tr("Outer loss f"),
        value=_number(numbers, "outer_loss"),
        lines=(
            Line(line),
            Line(_tr("before"), _number(numbers, "outer_loss_before")),
        ),
        tip=tip,
    )


def _solve(structure: Structure, numbers: Numbers) -> PartText:
    del numbers
    return PartText(
        title=_tr("Linear system"),
        lines=(
            Line(_tr("at θ_K, not through the steps")),
            Line(structure.titles.estimator),
        ),
        tip=_tr(
            "The derivative of the inner solution follows from a linear system at the "
            "adapted parameters; the steps that led there do not matter."
        ),
    )


def _hypergradient(structure: Structure, numbers: Numbers) -> PartText:
    return PartText(
        title=_tr("Hypergradient h"),
        value=f"h = {structure.formula}",
        lines=(
            Line(
                _tr("‖h‖, mean of the tasks:"), _number(numbers, "hypergradient_norm")
            ),
            Line(structure.titles.estimator),
        ),
        tip=route_sentence(structure),
    )


def _update(structure: Structure, numbers: Numbers) -> PartText:
    del numbers
    if not structure.moves:
        return PartText(
            title=_tr("No outer step"),
            lines=(Line(_tr("φ stays")),),
            tip=_tr("Nothing is learned from other tasks: the meta-parameters stay."),
        )
    rate = f"{structure.settings.outer_lr:.4g}"
    return PartText(
        title=_tr("Outer step"),
        lines=(
            Line(_tr("{}, β =").format(structure.titles.optimizer), rate),
            Line(_tr("φ against mean h")),
        ),
        tip=_tr(
            "Moves the meta-parameters against the mean hypergradient of the tasks."
        ),
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
