"""Measurements of a run over training, as one table."""

import numpy as np

from metalab.engine.diagnostics import diagnostic_info
from metalab.engine.events import METRICS, Array
from metalab.figures.table import Column, Table
from metalab.runs.record.history import RunHistory

STEP, SECONDS = "step", "seconds"

_HELD_OUT = {
    "held_out_query_loss": "query_mean",
    "held_out_query_loss_low": "query_low",
    "held_out_query_loss_high": "query_high",
    "held_out_query_loss_median": "query_median",
    "held_out_query_loss_iqm": "query_iqm",
    "held_out_support_loss": "support_mean",
    "held_out_tasks_exploded": "query_exploded",
}


def metrics_table(history: RunHistory) -> Table:
    """Return metrics, held-out losses after K inner steps, and diagnostics: a row a step.

    NaN stands where nothing was measured at a step.

    Args:
        history: The run, with the row of every outer step (`runs.record.reader.whole_rows`).
    """
    evaluations, diagnostics = history.evaluations, history.diagnostics
    steps = np.union1d(np.union1d(history.steps, evaluations.steps), diagnostics.steps)
    words, k = history.config_at().loss_words, history.num_inner_steps

    def column(name: str, at: Array, values: Array, unit: str) -> Column:
        spread = np.full(len(steps), np.nan)
        spread[np.searchsorted(steps, at)] = values
        return Column(name, spread, unit)

    seconds = np.concatenate([[0.0], history.seconds])
    passed = seconds[np.searchsorted(history.steps, steps, side="right")]
    columns = [Column(STEP, steps), Column(SECONDS, passed, "s")]
    for info in METRICS:
        values, unit = history.metrics[info.name], info.unit_in(words)
        columns.append(column(info.name, history.steps, values, unit))
    for name, part in _HELD_OUT.items():
        values = getattr(evaluations, part)[:, k]
        level = words.support_unit if "support" in name else words.query_unit
        unit = "1" if name.endswith("exploded") else level
        columns.append(column(name, evaluations.steps, values, unit))
    known = {one.name for one in columns}
    for name in diagnostics.known:
        if name not in known:
            values, unit = (
                diagnostics.values[name],
                diagnostic_info(name).unit_in(words),
            )
            columns.append(column(name, diagnostics.steps, values, unit))
    return Table(tuple(columns))
