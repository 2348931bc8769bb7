from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from metalab.experiment.config import preset_config
from metalab.experiment.config_history import ConfigHistory
from metalab.runs.record.history import DiagnosticSeries
from metalab.runs.record.status import RunStatus
from metalab.ui.widgets.header import PREPARING
from metalab.ui.workspaces.live.diagnostics import DiagnosticsView
from tests.support.histories import make_history, with_diagnostics, with_stability


@pytest.fixture
def view(qtbot) -> DiagnosticsView:
    made = DiagnosticsView()
    qtbot.addWidget(made)
    made.resize(330, 900)
    made.show()
    QApplication.processEvents()
    return made


@pytest.fixture
def history():
    return with_diagnostics(make_history(), 6)


def show(view: DiagnosticsView, history) -> None:
    """Show a run, and let Qt lay the new plots out."""
    view.show_history(history)
    QApplication.processEvents()


def test_it_says_how_diagnostics_are_switched_on(view, history):
    for shown in (None, make_history()):
        view.show_history(shown)
        assert "Diagnose every" in view.message
        assert "form" in view.message
        assert view.panels == []
    view.show_history(history)
    assert view.message == ""


def test_it_waits_for_the_first_measurement(view):
    waiting = with_diagnostics(make_history(0), 0)
    view.show_history(waiting)
    assert view.message == PREPARING
    view.show_history(replace(waiting, status=RunStatus.STOPPED))
    assert "before anything was measured" in view.message


def test_every_quantity_has_a_plot_with_its_unit(view, history):
    view.show_history(history)
    assert [panel.panel.label for panel in view.panels] == [
        "Hypergradient norm",
        "Cosine between tasks",
        "Cosine to first-order",
        "Hessian eigenvalue (y²)",
        "Inner gradient ratio",
        "Distance moved",
    ]
    assert view.header.title == "Measured every 50 outer steps"
    drawn = {name: line for panel in view.panels for name, line in panel.lines.items()}
    assert list(drawn) == list(history.diagnostics.values)
    for name, line in drawn.items():
        x, y = line.data
        np.testing.assert_array_equal(x, history.diagnostics.steps)
        np.testing.assert_array_equal(y, history.diagnostics.values[name])


def test_lines_that_share_a_plot_are_told_apart(view, history):
    show(view, history)
    hessian = view.panels[3]
    texts = [entry.text for entry in hessian.legend.entries]
    assert texts == ["Before adaptation", "After adaptation"]
    strokes = [line.stroke for line in hessian.lines.values()]
    assert strokes[0].dashes != strokes[1].dashes
    assert hessian.legend.isVisible()
    assert not view.panels[0].legend.isVisible()


def test_a_new_measurement_is_drawn(view, history):
    view.show_history(history)
    panels = list(view.panels)
    longer = with_diagnostics(make_history(), 7)
    view.show_history(replace(longer, configs=history.configs))
    assert view.panels == panels
    assert len(panels[0].lines["hypergradient_norm"].data[0]) == 7


def test_a_quantity_without_meaning_has_no_plot(view, history):
    values = dict(history.diagnostics.values)
    values["first_order_cosine"] = np.full(6, np.nan)
    series = DiagnosticSeries(steps=history.diagnostics.steps, values=values)
    view.show_history(replace(history, diagnostics=series))
    assert "Cosine to first-order" not in [p.panel.label for p in view.panels]
    assert len(view.panels) == 5


def test_pointing_at_one_plot_marks_the_measurement_in_all(view, history):
    show(view, history)
    first, *others = view.panels
    first.plot.point_at(120.0)
    assert "Outer step 100" in first.readout.text()
    assert first.readout.isVisible()
    assert not any(panel.readout.isVisible() for panel in others)
    first.plot.point_at(None)
    assert not first.readout.isVisible()


def test_hidden_it_draws_nothing_and_catches_up(view, history):
    view.hide()
    view.show_history(history)
    assert view.panels == []
    view.show()
    assert len(view.panels) == 6


def test_many_measurements_are_thinned(view, history):
    many = with_diagnostics(make_history(), 20_000, every=1)
    view.show_history(many)
    line = view.panels[0].lines["hypergradient_norm"]
    assert 2 <= len(line.data[0]) < 5000
    assert view.header.title == "Measured every outer step"


def test_fitting_and_copying_mean_all_plots(view, history):
    show(view, history)
    for panel in view.panels[:2]:
        panel.plot._area.zoom(0.5, 100.0)
    assert view.header.fit.isVisible()
    view.header.fit.click()
    assert not any(panel.plot.zoomed for panel in view.panels)
    assert not view.header.fit.isVisible()
    view.header.copy.click()
    assert QGuiApplication.clipboard().image().height() > 1000


def test_stability_is_drawn_where_it_was_measured(view, history):
    """At evaluations: other steps than those of the other diagnostics."""
    history = make_history()
    history = with_stability(history, unstable_share=0.25, step_curvature=2.5)
    show(view, history)
    assert view.header.title == "Measured at evaluations"
    assert [panel.panel.label for panel in view.panels] == [
        "Share of held-out tasks",
        "Inner lr × curvature",
    ]
    both = DiagnosticSeries(
        steps=np.array([0.0, 50.0, 100.0]),
        values={
            "hypergradient_norm": np.array([1.0, 2.0, np.nan]),
            "step_curvature": np.array([0.5, np.nan, 1.5]),
        },
    )
    show(view, replace(history, diagnostics=both))
    norm, curvature = view.panels
    np.testing.assert_array_equal(norm.lines["hypergradient_norm"].data[0], [0, 50])
    np.testing.assert_array_equal(curvature.lines["step_curvature"].data[0], [0, 100])
    curvature.plot.point_at(60.0)
    assert "Outer step 100" in curvature.readout.text()
    assert "1.50 at outer step 100" in curvature.plot.accessibleDescription()


def test_learned_rates_are_told_with_how_many_are_negative(view):
    """Also while diagnostics are off: they are part of the meta-parameters."""
    config = preset_config("meta-sgd-sine")
    count = (1 * 40 + 40) + (40 * 40 + 40) + (40 * 1 + 1)
    phi = np.full(2 * count, 0.01)
    phi[count : count + 300] = -0.02
    phi[:count] = -1.0
    plain = make_history()
    history = replace(
        plain,
        configs=ConfigHistory(config),
        curves=replace(plain.curves, phi=phi, step=300),
    )
    view.show_history(history)
    told = view.rates.text().replace("\N{NO-BREAK SPACE}", " ")
    assert told == (
        "After 300 outer steps: 300 of 1,761 learned rates negative (17 %); 5 %, 50 %, "
        "95 % quantiles -0.02, 0.01, 0.01."
    )
    assert view.rates.isVisible()
    view.show_history(plain)
    assert not view.rates.isVisible()
