"""Each figure: what it shows, what its data are, what it needs."""

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox

from metalab.figures.base import LEGENDS, FigureChoices, FigureError
from metalab.figures.intervals import INTERVAL
from metalab.figures.registry import figures
from metalab.figures.render import draw
from metalab.figures.sizes import SIZES, size_named
from metalab.figures.smooth import smoothed
from metalab.runs.history import no_diagnostics
from tests.figures.histories import (
    NUM_GALLERY,
    make_history,
    without_evaluations,
    without_rows,
)
from tests.figures.sights import sight_for


def table_of(name, history, **choices):
    spec = figures()[name]
    return spec.draw(history, FigureChoices(**choices), size_named("single")).table


def legend_texts(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def line_labelled(axes, label):
    return next(line for line in axes.lines if line.get_label() == label)


# ---------------------------------------------------------------- losses


def test_losses_holds_the_history(history):
    table = table_of("losses", history, smoothing=0.1)
    rows = np.searchsorted(table.numbers("outer_step"), history.steps)
    for name in ("outer_loss", "outer_loss_before"):
        raw = history.metrics[name]
        np.testing.assert_array_equal(table.numbers(name)[rows], raw)
        np.testing.assert_array_equal(
            table.numbers(f"{name}_smoothed")[rows],
            smoothed(raw, history.steps, 0.1, log=True),
        )
        assert table.column(name).unit == "y²"
    evaluations = history.evaluations
    rows = np.searchsorted(table.numbers("outer_step"), evaluations.steps)
    k = history.num_inner_steps
    for name, values in (
        ("held_out_query_loss", evaluations.query_mean),
        ("held_out_query_loss_low", evaluations.query_low),
        ("held_out_query_loss_high", evaluations.query_high),
    ):
        column = table.numbers(name)
        np.testing.assert_array_equal(column[rows], values[:, k])
        assert np.isnan(np.delete(column, rows)).all()


def test_losses_can_be_drawn_against_what_was_spent(history):
    table = table_of("losses", history)
    steps = table.numbers("outer_step")
    assert steps[0] == 0  # The evaluation before the first outer step.
    np.testing.assert_array_equal(table.numbers("tasks_seen"), 25 * steps)
    np.testing.assert_array_equal(table.numbers("training_time"), steps / 512)
    for x, label, last in (
        ("outer step", "Outer step", 300),
        ("training time", "Training time (s)", 300 / 512),
        ("tasks seen", "Tasks seen", 7500),
    ):
        axes = draw("losses", history, choices=FigureChoices(x=x)).axes[0]
        assert axes.get_xlabel() == label
        assert line_labelled(axes, "Before adaptation").get_xdata()[-1] == last


def test_losses_says_what_its_lines_are(history):
    figure = draw("losses", history)
    assert legend_texts(figure) == [
        "Before adaptation",
        "After 2 inner steps",
        "Held-out, after 2 inner steps",
        INTERVAL,
    ]
    axes = figure.axes[0]
    assert axes.get_ylabel() == "Query loss (y²)"
    assert axes.get_yscale() == "log"
    after = line_labelled(axes, "After 2 inner steps")
    np.testing.assert_array_equal(
        after.get_ydata(),
        smoothed(history.metrics["outer_loss"], history.steps, 0.05, log=True),
    )
    raw = [line for line in axes.lines if line.get_label().startswith("_")]
    assert len(raw) == 2


def test_no_smoothing_draws_each_loss_once(history):
    choices = FigureChoices(smoothing=0, log_y=False)
    axes = draw("losses", history, choices=choices).axes[0]
    assert len(axes.lines) == 3
    np.testing.assert_array_equal(
        line_labelled(axes, "After 2 inner steps").get_ydata(),
        history.metrics["outer_loss"],
    )
    assert axes.get_yscale() == "linear"
    assert axes.get_ylim()[0] == 0


def test_losses_without_evaluations_draws_training_alone(history):
    texts = legend_texts(draw("losses", without_evaluations(history)))
    assert texts == ["Before adaptation", "After 2 inner steps"]


def test_a_single_outer_step_is_visible():
    axes = draw("losses", make_history(num_rows=1)).axes[0]
    for label in ("Before adaptation", "After 2 inner steps"):
        assert line_labelled(axes, label).get_marker() not in ("", "None", None)


def test_the_extremes_of_a_long_line_stay(history):
    steps = np.arange(1.0, 50_001)
    losses = np.ones(len(steps))
    losses[12_345], losses[23_456] = 50.0, 0.01
    long = replace(
        without_evaluations(history),
        steps=steps,
        seconds=steps,
        metrics=dict.fromkeys(history.metrics, losses),
    )
    axes = draw("losses", long, choices=FigureChoices(smoothing=0)).axes[0]
    line = line_labelled(axes, "After 2 inner steps")
    assert len(line.get_xdata()) < 5000
    drawn = dict(zip(line.get_xdata(), line.get_ydata(), strict=True))
    assert drawn[12_346] == 50.0
    assert drawn[23_457] == 0.01
    assert (line.get_xdata()[0], line.get_xdata()[-1]) == (1, 50_000)


# ------------------------------------------------------------ adaptation


def test_adaptation_holds_the_task(history):
    table = table_of("adaptation", history, task=3)
    tasks = history.probe_tasks
    for part, x, y in (
        ("true curve", tasks.grid, tasks.true_curves[3]),
        ("support", tasks.support_x[3], tasks.support_y[3]),
        ("query", tasks.query_x[3], tasks.query_y[3]),
    ):
        got = table.select(("x", "y"), {"part": part})
        np.testing.assert_array_equal(got, [x, y])
    for k in range(7):
        where = {"part": "prediction", "inner_step": k}
        got = table.select(("x", "y"), where)
        np.testing.assert_array_equal(got, [tasks.grid, history.curves.curves[3, k]])


def test_adaptation_marks_the_inner_steps_of_training(history):
    figure = draw("adaptation", history)
    axes, key = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Input x", "Output y")
    assert key.get_ylabel() == "Inner step"
    steps = [text.get_text() for text in key.get_yticklabels()]
    assert steps == ["0", "1", "2 = K", "3", "4", "5", "6"]
    assert legend_texts(figure) == [
        "Before adaptation",
        "After 2 inner steps (K)",
        "True curve",
        "Support set",
        "Query set",
    ]
    widths = [line.get_linewidth() for line in axes.lines[:7]]
    assert max(widths) == widths[2]


def test_adaptation_draws_the_predictive_band_after_k_steps(history):
    curves = history.curves
    rng = np.random.default_rng(0)
    deviation = rng.uniform(0.1, 1, size=curves.curves.shape)
    banded = replace(history, curves=replace(curves, deviation=deviation))
    table = table_of("adaptation", banded, task=3)
    got = table.select(
        ("predictive_sd", "y_low", "y_high"), {"part": "prediction", "inner_step": 2}
    )
    mean, half = curves.curves[3, 2], 2 * deviation[3, 2]
    np.testing.assert_allclose(got, [deviation[3, 2], mean - half, mean + half])
    assert np.isnan(
        table.numbers("predictive_sd")[: len(history.probe_tasks.grid)]
    ).all()
    figure = draw("adaptation", banded)
    assert legend_texts(figure)[-1] == "±2 predictive sd"
    assert len(figure.axes[0].collections) == 1
    plain = draw("adaptation", history)
    assert "±2 predictive sd" not in legend_texts(plain)
    assert len(plain.axes[0].collections) == 0
    names = [column.name for column in table_of("adaptation", history).columns]
    assert names == ["part", "inner_step", "x", "y"]


def test_many_inner_steps_are_drawn_evenly_and_always_with_k():
    long = make_history(num_inner_steps=7, num_shown_steps=100)
    _, key = draw("adaptation", long).axes
    steps = [text.get_text() for text in key.get_yticklabels()]
    assert steps == ["0", "7 = K", *(str(k) for k in range(10, 101, 10))]
    assert len(np.unique(table_of("adaptation", long).numbers("inner_step"))) == 102


def test_adaptation_needs_curves_of_that_task(history):
    with pytest.raises(FigureError, match="needs the curves of held-out tasks"):
        draw("adaptation", replace(history, curves=None))
    with pytest.raises(FigureError, match="needs the curves of held-out tasks"):
        draw("adaptation", replace(history, probe_tasks=None))
    with pytest.raises(FigureError, match="task is 16; allowed: 0 to 15"):
        draw("adaptation", history, choices=FigureChoices(task=NUM_GALLERY))


# ------------------------------------------------------------ inner-loss


def test_inner_loss_holds_the_evaluations(history):
    table = table_of("inner-loss", history)
    evaluations = history.evaluations
    steps = np.unique(table.numbers("outer_step"))
    np.testing.assert_array_equal(steps, [0, 10, 50, 300])
    for step in steps:
        row = int(np.flatnonzero(evaluations.steps == step)[0])
        for name, values in (
            ("query_loss", evaluations.query_mean),
            ("query_loss_low", evaluations.query_low),
            ("query_loss_high", evaluations.query_high),
            ("support_loss", evaluations.support_mean),
        ):
            (got,) = table.select((name,), {"outer_step": step})
            np.testing.assert_array_equal(got, values[row])
            assert table.column(name).unit == "y²"


def test_inner_loss_says_what_its_lines_are(history):
    figure = draw("inner-loss", history)
    assert legend_texts(figure) == [
        "Query, outer step 0",
        "Query, outer step 10",
        "Query, outer step 50",
        "Query, outer step 300",
        "Support, outer step 300",
        INTERVAL,
        "K = 2 in training",
    ]
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "Inner step",
        "Held-out loss (y²)",
    )
    assert set(line_labelled(axes, "K = 2 in training").get_xdata()) == {2}
    markers = [line.get_marker() for line in axes.lines[:4]]
    assert len(set(markers)) == 4


def test_one_evaluation_is_enough_for_inner_loss():
    first = make_history(num_rows=1)
    evaluations = first.evaluations
    first = replace(
        first, evaluations=type(evaluations).from_rows(evaluations.rows()[:1])
    )
    assert legend_texts(draw("inner-loss", first))[0] == "Query, outer step 0"


def test_what_is_missing_is_said(history):
    with pytest.raises(FigureError, match="'losses' needs outer steps"):
        draw("losses", without_rows(history))
    with pytest.raises(FigureError, match="'inner-loss' needs a held-out evaluation"):
        draw("inner-loss", without_evaluations(history))
    with pytest.raises(FigureError, match="'diagnostics' needs diagnostics"):
        draw("diagnostics", replace(history, diagnostics=no_diagnostics()))


# ----------------------------------------------------------- diagnostics


def test_diagnostics_holds_what_was_measured(history):
    table = table_of("diagnostics", history)
    series = history.diagnostics
    np.testing.assert_array_equal(table.numbers("outer_step"), series.steps)
    assert [column.name for column in table.columns[1:]] == list(series.values)
    for name, values in series.values.items():
        np.testing.assert_array_equal(table.numbers(name), values)
    assert table.column("hessian_eigenvalue_end").header.endswith("[y²]")


def test_diagnostics_has_a_panel_for_each_quantity(history):
    figure = draw("diagnostics", history)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [
        "Hypergradient norm",
        "Cosine between tasks",
        "Cosine to first-order",
        "Hessian eigenvalue (y²)",
        "Inner gradient ratio",
        "Distance moved",
    ]
    assert [len(axes.lines) for axes in figure.axes] == [1, 1, 1, 2, 1, 3]
    assert legend_texts(figure) == [
        "Hessian, before adaptation",
        "Hessian, after adaptation",
        "Layer 1",
        "Layer 2",
        "Layer 3",
    ]


def test_a_quantity_that_never_was_a_number_has_no_panel(history):
    values = dict(history.diagnostics.values)
    values["first_order_cosine"] = np.full(len(history.diagnostics), np.nan)
    series = replace(history.diagnostics, values=values)
    figure = draw("diagnostics", replace(history, diagnostics=series))
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert len(shown) == 5
    assert len(figure.axes) == 6
    assert "Cosine to first-order" not in [a.get_title(loc="left") for a in shown]
    # Its place is empty, and the panel above it carries the numbers of the axis.
    assert shown[3].xaxis.get_tick_params()["labelbottom"]


def test_a_single_measurement_is_visible(history):
    one = {name: values[:1] for name, values in history.diagnostics.values.items()}
    series = replace(
        history.diagnostics, steps=history.diagnostics.steps[:1], values=one
    )
    figure = draw("diagnostics", replace(history, diagnostics=series))
    for axes in figure.axes:
        for line in axes.lines:
            assert line.get_marker() not in ("", "None", None)


# --------------------------------------------------------------- layout


@pytest.mark.parametrize("legend", LEGENDS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", figures())
@pytest.mark.sampled(7)
def test_no_text_is_cut_off(history, name, size, legend):
    sight = sight_for(name, history)
    figure = draw(name, sight, size=size, choices=FigureChoices(legend=legend))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = figure.get_tightbbox()
    width, height = figure.get_size_inches()
    assert drawn.x0 >= 0
    assert drawn.y0 >= 0
    assert drawn.x1 <= width
    assert drawn.y1 <= height
    # Axes keep at least half of the height: the legend does not squeeze them out.
    places = Bbox.union([axes.get_position() for axes in figure.axes])
    assert places.height > 0.5
    legend_boxes = [legend.get_window_extent() for legend in figure.legends]
    for axes in figure.axes:
        assert not any(box.overlaps(axes.bbox) for box in legend_boxes)


def test_only_slides_carry_a_title():
    odd = make_history(name="a $x$ {run} " + "long " * 12)
    for name in figures():
        for legend in LEGENDS:
            choices = FigureChoices(legend=legend)
            for size, preset in SIZES.items():
                figure = draw(name, sight_for(name, odd), size=size, choices=choices)
                texts = [text.get_text() for text in figure.texts]
                texts += [entry.get_title().get_text() for entry in figure.legends]
                titled = [text for text in texts if r"a \$x\$ {run}" in text]
                assert len(titled) == preset.titled, (name, size, legend)


def test_settings_of_the_process_are_neither_used_nor_changed(history):
    before = draw("losses", history)
    with mpl.rc_context({"axes.facecolor": "black", "font.size": 30}):
        inside = dict(mpl.rcParams)
        after = draw("losses", history)
        assert dict(mpl.rcParams) == inside
    assert before.axes[0].get_facecolor() == after.axes[0].get_facecolor()
    labels = [figure.axes[0].xaxis.label.get_size() for figure in (before, after)]
    assert labels[0] == labels[1]
