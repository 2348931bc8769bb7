"""An evaluation over held-out tasks in the words of a readout."""

from metalab.engine.events import Array
from metalab.runs.record.history import EvaluationSeries
from metalab.ui.plot.ticks import number_text


def task_rows(
    evaluations: EvaluationSeries, row: int, step: int
) -> list[tuple[str, str]]:
    """Return names and values of what stands beside a mean over tasks.

    Args:
        evaluations: Of a run.
        row: The evaluation.
        step: Inner steps.
    """

    def text(values: Array) -> str:
        return number_text(float(values[row, step]))

    why_not = evaluations.why_no_interval(row, step)
    interval = (
        f"{text(evaluations.query_low)} – {text(evaluations.query_high)}"
        if why_not is None
        else f"none: {why_not}"
    )
    found = [
        ("  95 %, this network", interval),
        ("  median", text(evaluations.query_median)),
        ("  interquartile mean", text(evaluations.query_iqm)),
    ]
    exploded = int(evaluations.query_exploded[row, step])
    if exploded > 0:
        found.append(("  tasks exploded", f"{exploded:,}"))
    return found
