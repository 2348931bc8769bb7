"""Names of diagnostics, and which belong in one plot.

Imports no torch: the window and the figures show them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from metalab.engine.events import METRICS, MetricInfo
from metalab.experiment.loss_words import LossWords, with_unit

LAYER_PREFIX = "distance_layer_"
"""Of the columns of distances moved by layer; the layer's number, from 1, follows."""

DIAGNOSTICS = (
    *(info for info in METRICS if info.name == "hypergradient_norm"),
    MetricInfo(
        name="gradient_cosine",
        label="Cosine between tasks",
        unit="1",
        help="Mean cosine between the hypergradients of two tasks of the meta-batch.",
    ),
    MetricInfo(
        name="first_order_cosine",
        label="Cosine to first-order",
        unit="1",
        help="Cosine of the mean hypergradient to its first-order approximation.",
    ),
    MetricInfo(
        name="hessian_eigenvalue_start",
        label="Hessian, before adaptation",
        unit="",
        help="Largest eigenvalue, by magnitude, of the inner loss's Hessian at the "
        "meta-parameters, mean over tasks.",
        level="support",
    ),
    MetricInfo(
        name="hessian_eigenvalue_end",
        label="Hessian, after adaptation",
        unit="",
        help="Largest eigenvalue, by magnitude, of the inner loss's Hessian at the "
        "adapted parameters, mean over tasks.",
        level="support",
    ),
    MetricInfo(
        name="inner_gradient_ratio",
        label="Inner gradient ratio",
        unit="1",
        help="Norm of the inner gradient after adaptation relative to before, mean over "
        "tasks; 0 once the inner loop has converged.",
    ),
)
"""Diagnostics that every method has, in the order of `core.diagnostics.diagnose`."""

UNSTABLE_SHARE, RISING_SHARE = "unstable_share", "rising_share"
STEP_CURVATURE = "step_curvature"

STABILITY = (
    MetricInfo(
        name=UNSTABLE_SHARE,
        label="Share of tasks, unstable inner step",
        unit="1",
        help="Share of the first held-out tasks with an inner step that overshoots: inner "
        "lr times the largest eigenvalue of the inner loss's Hessian is above 2. With "
        "learned rates, the spectral radius of I - diag(rates) H is above 1.",
    ),
    MetricInfo(
        name=RISING_SHARE,
        label="Share of tasks, rising support loss",
        unit="1",
        help="Share of the held-out tasks whose support loss grows by more than a "
        "twentieth at one of the K inner steps.",
    ),
    MetricInfo(
        name=STEP_CURVATURE,
        label="Inner lr × curvature",
        unit="1",
        help="Inner lr times the largest eigenvalue of the inner loss's Hessian, at the "
        "first and the last inner step, the largest over the first held-out tasks; a "
        "step overshoots above 2.",
    ),
)
"""Diagnostics of inner loops of gradient steps, measured at every evaluation."""

SOLVE_DIAGNOSTICS = (
    *(info for info in METRICS if info.label.startswith("Linear solves, ")),
    MetricInfo(
        name="smallest_ritz_value",
        label="Smallest Ritz value",
        unit="",
        help="Smallest eigenvalue, over the tasks, that the solver found of the matrices "
        "to be inverted; not above zero where one is not positive definite.",
        level="support",
    ),
)
"""What follows for methods that solve linear systems."""

_BY_NAME = {info.name: info for info in (*DIAGNOSTICS, *SOLVE_DIAGNOSTICS, *STABILITY)}


def diagnostic_order(names: Iterable[str]) -> list[str]:
    """Return diagnostics in the order in which they are measured, layers by number.

    Names that nobody knows come last, as they were.
    """
    places: dict[str, float] = {name: place for place, name in enumerate(_BY_NAME)}

    def place(name: str) -> float:
        if name.startswith(LAYER_PREFIX):
            return len(places) + int(name.removeprefix(LAYER_PREFIX))
        return places.get(name, float("inf"))

    return sorted(names, key=place)


def diagnostic_info(name: str) -> MetricInfo:
    """Return the description of a diagnostic, those of single layers included.

    Raises:
        KeyError: There is no such diagnostic.
    """
    if not name.startswith(LAYER_PREFIX):
        return _BY_NAME[name]
    layer = name.removeprefix(LAYER_PREFIX)
    return MetricInfo(
        name=name,
        label=f"Layer {layer}",
        unit="1",
        help=f"Euclidean distance that adaptation moves layer {layer}, mean over tasks.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticPanel:
    """Diagnostics that share axes.

    Attributes:
        title: What is drawn, without the unit.
        lines: The diagnostics, in order; at least one.
        words: What the losses of the experiment are called.
    """

    title: str
    lines: tuple[MetricInfo, ...]
    words: LossWords

    @property
    def label(self) -> str:
        """The title, with the unit in brackets."""
        return with_unit(self.title, self.lines[0].unit_in(self.words))

    def short_labels(self) -> tuple[str, ...]:
        """Return the labels of the lines without what they all begin with."""
        labels = [info.label for info in self.lines]
        heads = {label.partition(", ")[0] for label in labels}
        if len(labels) > 1 and len(heads) == 1:
            labels = [label.partition(", ")[2].capitalize() for label in labels]
        return tuple(labels)


def diagnostic_panels(
    names: Iterable[str], words: LossWords
) -> tuple[DiagnosticPanel, ...]:
    """Return the panels that show some diagnostics, in the order of their first one.

    Args:
        names: Of the diagnostics.
        words: What the losses of the experiment are called.
    """
    groups: dict[str, list[MetricInfo]] = {}
    for name in names:
        info = diagnostic_info(name)
        groups.setdefault(_panel_title(info), []).append(info)
    return tuple(
        DiagnosticPanel(title=title, lines=tuple(lines), words=words)
        for title, lines in groups.items()
    )


def _panel_title(info: MetricInfo) -> str:
    if info.name.startswith(LAYER_PREFIX):
        return "Distance moved"
    if info.name.startswith("hessian_eigenvalue"):
        return "Hessian eigenvalue"
    if info.name in (UNSTABLE_SHARE, RISING_SHARE):
        return "Share of held-out tasks"
    if info.name in {"not_positive_definite_solves", "unconverged_solves"}:
        return "Linear solves (tasks)"
    return info.label
