"""Each figure: what it shows, what its data are, what it needs."""

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox

from metalab.analysis.learned_rates import LearnedRates
from metalab.figures.base import LEGENDS, FigureChoices
from metalab.figures.errors import FigureError
from metalab.figures.intervals import INTERVAL
from metalab.figures.registry import figures
from metalab.figures.render import caption_of, draw
from metalab.figures.sizes import SIZES, size_named
from metalab.figures.smooth import smoothed
from metalab.figures.structure.model import PartKey
from metalab.figures.structure.words import part_texts
from metalab.figures.ticks import number_text
from metalab.runs.record.history import no_diagnostics
from tests.figures.histories import (
    NUM_GALLERY,
    make_history,
    without_evaluations,
    without_rows,
)
from tests.figures.sights import (
    NUM_STEPS,
    adapt_sight,
    estimators_sight,
    landscape_sight,
    rates_sight,
    sight_for,
    structure_sight,
)


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
    tasks = history.held_out_tasks
    for part, x, y in (
        ("true curve", tasks.grid, tasks.true_curves[3]),
        ("support", tasks.support.x[3, :, 0], tasks.support.y[3, :, 0]),
        ("query", tasks.query.x[3, :, 0], tasks.query.y[3, :, 0]),
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
        table.numbers("predictive_sd")[: len(history.held_out_tasks.grid)]
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
        draw("adaptation", replace(history, held_out_tasks=None))
    with pytest.raises(FigureError, match="task is 17; allowed: 1 to 16"):
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


# ------------------------------------------------- what pages show


def rows_where(table, **where):
    kept = np.ones(len(table), dtype=bool)
    for name, value in where.items():
        kept &= table.column(name).values == value
    return kept


def test_adapt_holds_what_the_page_shows(history):
    sight = adapt_sight(history)
    table = table_of("adapt", sight)
    task = sight.asked.task
    points = rows_where(table, part="support")
    np.testing.assert_array_equal(table.numbers("x")[points], task.x)
    np.testing.assert_array_equal(table.numbers("y")[points], task.y)
    for start, found in (("this run", sight.explored), sight.others[0]):
        for step in (0, 2, NUM_STEPS):
            rows = rows_where(table, part="prediction", start=start, inner_step=step)
            np.testing.assert_array_equal(table.numbers("y")[rows], found.curves[step])
            losses = table.numbers("query_loss")[rows]
            np.testing.assert_array_equal(losses, found.query_loss[step])
    axes = draw("adapt", sight).axes[0]
    own = line_labelled(axes, "After 2 inner steps")
    np.testing.assert_array_equal(own.get_ydata(), sight.explored.curves[2])
    assert "held-out task 3 with moved points" in caption_of("adapt", sight)


def test_adapt_without_a_true_curve_draws_none(history):
    sight = adapt_sight(history)
    asked = replace(sight.asked, task=replace(sight.asked.task, truth=None))
    bare = replace(sight.explored, asked=asked, query_loss=None)
    figure = draw("adapt", replace(sight, explored=bare, others=()))
    assert "True curve" not in legend_texts(figure)


def test_landscape_holds_what_the_page_shows(history):
    sight = landscape_sight(history)
    table = table_of("landscape", sight)
    landscape = sight.landscape
    grid = rows_where(table, part="loss")
    np.testing.assert_array_equal(table.numbers("loss")[grid], landscape.losses.ravel())
    x, y = landscape.plane.coordinates(landscape.per_side)
    np.testing.assert_array_equal(table.numbers("u")[grid], np.tile(x, len(y)))
    np.testing.assert_array_equal(table.numbers("v")[grid], np.repeat(y, len(x)))
    for task, path in zip(landscape.asked.tasks, landscape.plane.paths, strict=True):
        rows = rows_where(table, part="inner path", task=task + 1)
        np.testing.assert_array_equal(table.numbers("u")[rows], path[:, 0])
        np.testing.assert_array_equal(table.numbers("v")[rows], path[:, 1])


@pytest.mark.parametrize("log_y", [True, False])
def test_landscape_colours_are_those_of_its_key(history, log_y):
    sight = landscape_sight(history)
    figure = draw("landscape", sight, choices=FigureChoices(log_y=log_y))
    losses = sight.landscape.losses[np.isfinite(sight.landscape.losses)]
    key = figure.axes[1]
    shown = [float(label.get_text()) for label in key.get_yticklabels()]
    assert len(shown) >= 3
    places = key.get_yticks()
    low, high = losses.min(), losses.max()
    scale = np.log if log_y else np.asarray
    shares = (scale(np.array(shown)) - scale(low)) / (scale(high) - scale(low))
    np.testing.assert_allclose(places / key.get_ylim()[1], shares, atol=1e-6)


def test_landscape_leaves_white_what_is_not_finite(history):
    figure = draw(
        "landscape", landscape_sight(history), choices=FigureChoices(legend="none")
    )
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[::-1]

    def at(u, v):
        column, row = figure.axes[0].transData.transform((u, v)).round().astype(int)
        return pixels[row, column, :3].tolist()

    # The upper left corner is infinite, the lower right one is not.
    assert at(-0.985, 0.985) == [255, 255, 255]
    assert at(0.97, -0.97) != [255, 255, 255]


def test_estimators_holds_what_the_page_shows(history):
    sight = estimators_sight(history)
    table = table_of("estimators", sight)
    assert len(table) == len(sight.comparison.rows)
    for row in sight.comparison.rows:
        (found,) = np.flatnonzero(
            rows_where(
                table,
                estimator=row.name,
                problem=row.problem,
                num_inner_steps=row.num_inner_steps,
            )
        )
        for name in ("cosine", "norm_ratio", "relative_error", "variance"):
            assert table.numbers(name)[found] == getattr(row, name)
        assert table.numbers("cosine_standard_error")[found] == row.cosine_error
        assert table.numbers("time")[found] == row.seconds
    # Errors beyond the axes are drawn at their ends, and told exactly.
    assert table.numbers("relative_error").max() > 1e29
    assert table.numbers("relative_error_drawn").max() == 1e3
    lines = draw("estimators", sight).axes[1].lines
    assert any(line.get_xdata().tolist() == [1, 5, 10] for line in lines)


def test_structure_says_what_the_page_says(history):
    sight = structure_sight(history)
    table = table_of("structure", sight)
    texts = part_texts(sight.structure, sight.numbers)
    for key, text in texts.items():
        rows = rows_where(table, part=key.value)
        said = table.column("value").values[rows].tolist()
        assert [line.value for line in text.lines if line.value] == [
            value for value in said if value and value != text.value
        ]
    drawn = " ".join(
        t.get_text() for t in draw("structure", sight, size="double").axes[0].texts
    )
    loss = number_text(float(history.metrics["outer_loss"][-1]))
    assert texts[PartKey.LOSS].value == loss
    assert loss in drawn


def test_learned_rates_counts_the_negative_ones(history):
    sight = rates_sight(history)
    table = table_of("learned-rates", sight)
    np.testing.assert_array_equal(table.numbers("rate"), sight.rates.rates)
    negative = int((sight.rates.rates < 0).sum())
    assert 0 < negative < 81
    assert f"{negative} of 81 learned rates negative" in caption_of(
        "learned-rates", sight
    )
    labels = [
        t.get_text() for t in draw("learned-rates", sight).axes[0].get_yticklabels()
    ]
    assert sum(int(text.split("\n")[1].split(" of ")[0]) for text in labels) == negative


def test_rates_of_steps_are_drawn_against_them(history):
    sight = rates_sight(history)
    by_step = LearnedRates(
        rates=np.array([0.1, 0.2, -0.3, 0.4]),
        groups=np.array(["layer 1", "layer 2"] * 2),
        inner_steps=np.array([1.0, 1.0, 2.0, 2.0]),
        granularity="per-layer-per-step",
        initial=(0.1, 0.1),
    )
    axes = draw("learned-rates", replace(sight, rates=by_step)).axes[0]
    line = line_labelled(axes, "Layer 1")
    assert line.get_xdata().tolist() == [1, 2]
    assert line.get_ydata().tolist() == [0.1, -0.3]


@pytest.mark.parametrize("sort", ["task", "loss", "phase"])
def test_gallery_holds_the_curves_in_the_order_of_the_page(history, sort):
    curves = replace(
        history.curves,
        query_loss=np.random.default_rng(0).random(history.curves.query_loss.shape),
    )
    varied = replace(history, curves=curves)
    table = table_of("gallery", varied, sort=sort)
    tasks, k = varied.held_out_tasks, varied.num_inner_steps
    keys = {
        "task": np.arange(NUM_GALLERY),
        "loss": curves.query_loss[:, k],
        "phase": tasks.parameters[:NUM_GALLERY, tasks.parameter_names.index("phase")],
    }
    order = list(dict.fromkeys(table.numbers("task").astype(int).tolist()))
    assert order == (np.argsort(keys[sort], kind="stable") + 1).tolist()
    for task in (0, 7):
        rows = rows_where(table, task=task + 1, part="after")
        np.testing.assert_array_equal(table.numbers("y")[rows], curves.curves[task, k])
        assert set(table.numbers("query_loss")[rows]) == {curves.query_loss[task, k]}


def test_an_order_that_tasks_do_not_have_is_refused(history):
    with pytest.raises(
        FigureError, match=r"sort is 'slope'; allowed .*task, loss, amp"
    ):
        table_of("gallery", history, sort="slope")


def test_a_figure_of_a_page_is_not_drawn_of_something_else(history):
    with pytest.raises(FigureError, match="'landscape' is of what the page Landscape"):
        draw("landscape", history)
    with pytest.raises(FigureError, match="'losses' is of RunHistory"):
        draw("losses", rates_sight(history))


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
