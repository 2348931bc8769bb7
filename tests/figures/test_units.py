"""Figures, tables and captions have the units of the experiment's losses."""

import pytest

from metalab.figures.base import FigureChoices
from metalab.figures.registry import figures
from metalab.figures.sizes import size_named
from tests.figures.histories import make_history
from tests.figures.sights import adapt_sight, landscape_sight

OTHER = (("loss.kind", "absolute-error"), ("query_loss.kind", "gaussian"))


def drawing(name, shown):
    return figures()[name].draw(shown, FigureChoices(), size_named("single"))


def written(made):
    """Return every text that a drawing has on its axes."""
    return {text for call in made.calls for text in map(str, call.arguments)}


def units(made):
    return {column.name: column.unit for column in made.table.columns}


@pytest.mark.parametrize(
    ("name", "sight", "label", "columns"),
    [
        ("losses", None, "Query loss (nats)", {"outer_loss": "nats"}),
        (
            *("inner-loss", None, "Held-out loss (support: y, query: nats)"),
            {"support_loss": "y", "query_loss_low": "nats"},
        ),
        ("gallery", None, None, {"query_loss": "nats"}),
        ("adapt", adapt_sight, None, {"support_loss": "y", "query_loss": "nats"}),
        (
            *("landscape", landscape_sight, "Query loss after adaptation (nats)"),
            {"loss": "nats"},
        ),
        ("diagnostics", None, None, {"hessian_eigenvalue_end": "y"}),
    ],
)
def test_each_level_has_its_own(name, sight, label, columns):
    history = make_history(*OTHER)
    made = drawing(name, history if sight is None else sight(history))
    assert columns.items() <= units(made).items()
    assert label is None or label in written(made)
    everything = " ".join([*written(made), made.caption, *units(made).values()])
    assert "y²" not in everything


def test_captions_name_the_loss():
    history = make_history(*OTHER)
    assert "query loss (nats) after" in drawing("gallery", history).caption
    caption = drawing("adapt", adapt_sight(history)).caption
    assert "mean negative log likelihood to the true curve" in caption
    assert "(support: y, query: nats)" in caption


def test_no_axis_of_a_likelihood_is_logarithmic():
    methods = {c.method for c in drawing("losses", make_history(*OTHER)).calls}
    assert "ax.set_yscale" not in methods
    caption = drawing("losses", make_history(*OTHER)).caption
    assert "geometric" not in caption
