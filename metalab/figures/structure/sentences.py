"""Sentences about a method beside the picture of its bilevel problem."""

from metalab.core.hypergradient.route import Route
from metalab.figures.structure.model import Structure

_LOSSES = {
    "final": (
        "query loss at θ_K",
        "The loss on the query set after adaptation: what the outer loop descends.",
    ),
    "measured": (
        "only measured",
        "The loss on the query set after adaptation; this method never descends it.",
    ),
    "start": (
        "descended at θ_0",
        "Shown after adaptation, but its gradient is taken before any: at the start.",
    ),
    "steps": (
        "after every step",
        "A weighted sum of the query losses after every inner step.",
    ),
    "likelihood": (
        "likelihood descends",
        "The outer loop descends the negative log likelihood of the query set; the "
        "number is the squared error.",
    ),
}

_SENTENCES = {
    Route.EVERY_STEP: "The gradient of the query loss goes back through every inner step, "
    "second derivatives included.",
    Route.LAST_STEPS: "The gradient goes back exactly through the last inner steps and "
    "straight through the others.",
    Route.STRAIGHT: "The gradient stops at the adapted parameters and is used at the "
    "start as it is: no second derivatives.",
    Route.DIFFERENCE: "The start moves towards where the inner loop ended: no gradient of "
    "the query loss at all.",
    Route.SOLUTION: "The gradient is taken through a linear system at the adapted "
    "parameters, not through the steps.",
    Route.START: "The gradient is taken before adaptation: one loss over the points of all "
    "tasks, no inner loop.",
    Route.FORWARDS: "Derivatives are carried forwards along with the inner steps; nothing "
    "is kept for a way back.",
    Route.VALUES: "The outer loss is compared at moved meta-parameters; nothing is "
    "differentiated.",
}
_TAKE_CURVATURE = frozenset(
    {Route.EVERY_STEP, Route.LAST_STEPS, Route.SOLUTION, Route.FORWARDS}
)
"""Routes on which second derivatives of the inner loss are met."""

_SOLVED_SENTENCE = (
    "The inner problem is solved in closed form, and the gradient goes through the "
    "solution exactly."
)
_STILL_SENTENCE = "Nothing is meta-learned: the meta-parameters stay as they are."


def _kind_of_loss(structure: Structure) -> str:
    if structure.route is Route.DIFFERENCE:
        return "measured"
    if structure.route is Route.START:
        return "start"
    if structure.every_step_counts:
        return "steps"
    return "likelihood" if structure.likelihood else "final"


def loss_words(structure: Structure) -> tuple[str, str]:
    """Return a few words about the outer loss, and a sentence."""
    words, sentence = _LOSSES[_kind_of_loss(structure)]
    return words, sentence


def route_sentence(structure: Structure) -> str:
    """Return which way the hypergradient comes back, and what has to be known of it."""
    if not structure.moves:
        return _STILL_SENTENCE
    if structure.solved and structure.route is Route.SOLUTION:
        return _SOLVED_SENTENCE
    sentence = _SENTENCES[structure.route]
    if structure.caveat and structure.route in _TAKE_CURVATURE:
        return f"{sentence} {structure.caveat}"
    return sentence
