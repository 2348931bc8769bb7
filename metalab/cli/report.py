"""Report of a finished run, for `train`, `resume` and the headless start."""

from dataclasses import asdict

from rich.console import Console

from metalab.analysis.advice import advice, in_words
from metalab.analysis.solves import Solves, solve_advice, solves_of_steps
from metalab.api.foreground import run_in_foreground
from metalab.api.shows import bar
from metalab.cli.output import print_json, warn
from metalab.cli.wreck import DIVERGED, divergence_of
from metalab.core.paths import is_there
from metalab.engine.diagnostics import STABILITY, UNSTABLE_SHARE
from metalab.engine.held_out import NUM_MEASURED
from metalab.runs.record.history import RunHistory
from metalab.runs.record.live import LiveRun
from metalab.runs.record.status import RunStatus

_MEANS = {"fused": "compiled kernels", "autodiff": "automatic differentiation"}


def run_and_report(
    live: LiveRun,
    *,
    console: Console,
    json_output: bool,
    resuming: bool = False,
    stop_at: int | None = None,
) -> int:
    """Run in the foreground, print the result, and return the exit code.

    Returns:
        0 when the run finished or was stopped, 1 when it diverged; saved either way.
    """
    first_step = live.snapshot().step
    first_seconds = _seconds(live.snapshot())
    with bar(console, live) as show:
        status, diverged = run_in_foreground(
            live, show=show, warn=warn, resuming=resuming, stop_at=stop_at
        )
    history = live.snapshot()
    seconds = _seconds(history) - first_seconds
    made = history.step - first_step
    if json_output:
        print_json(_result(history, status, made, seconds))
    else:
        _tell(console, history, status, made, seconds)
    if diverged is not None:
        told = in_words(advice(history.next_config, diverged))
        warn(f"{diverged.message} {told}".rstrip())
        return DIVERGED
    return 0


def _seconds(history: RunHistory) -> float:
    return float(history.seconds[-1]) if len(history.seconds) else 0.0


def _result(
    history: RunHistory, status: RunStatus, made: int, seconds: float
) -> dict[str, object]:
    evaluations = history.evaluations
    return {
        "name": history.name,
        "status": status.value,
        "diverged": divergence_of(history),
        "stability": _stability(history),
        "step": history.step,
        # The same number, under the name that it has had from the first.
        "num_steps": made,
        "num_steps_made_now": made,
        "num_steps_made_in_all": history.step,
        "num_steps_planned": history.num_steps,
        "seconds": seconds,
        "steps_per_second": made / seconds if seconds > 0 else 0.0,
        "evaluation": history.latest_evaluation,
        "evaluation_step": history.latest_evaluation_step,
        "evaluation_before": float(evaluations.query_mean[-1, 0])
        if len(evaluations)
        else None,
        "evaluation_over_tasks": _over_tasks(history),
        "seed": history.config_at().run.seed,
        "digest": history.config_at().digest(),
        "edits": [asdict(edit) for edit in history.configs.edits],
        "linear_solves": _linear_solves(history),
        "device": history.device,
        "provider": history.provider,
        "provider_reason": history.provider_reason,
        "file": _file(history),
    }


def _stability(history: RunHistory) -> dict[str, object] | None:
    """Return how stable the inner steps were at the last evaluation, and the warning.

    These are measured over training's K inner steps: `unstable_share` (of the first
    `num_measured` held-out tasks) from the curvature, `rising_share` (of all of them)
    from losses that grow by a twentieth at any of these steps. `num_rising` beside means
    is another count: losses that grow by a hundredth at a step after the first, where
    overshooting compounds and means lose their interval.
    """
    measured = history.diagnostics.of(UNSTABLE_SHARE)
    if not len(measured):
        return None
    names = [info.name for info in STABILITY]
    warning = history.stability_warning
    return {
        "step": int(measured.steps[-1]),
        **{name: float(history.diagnostics.of(name).values[-1]) for name in names},
        "num_measured": min(NUM_MEASURED, history.config_at().evaluation.num_tasks),
        "num_tasks": history.config_at().evaluation.num_tasks,
        "definitions": {
            **{info.name: info.help for info in STABILITY},
            "num_rising": "Of `evaluation_over_tasks`: held-out tasks whose support loss "
            "grows by more than a hundredth at an inner step after the first; 0 where "
            "K is 1, whatever `rising_share` is.",
        },
        "warning": None if warning is None else warning.message,
    }


def _over_tasks(history: RunHistory) -> dict[str, object] | None:
    """Return what stands beside the last held-out mean, for JSON.

    The interval is of 95 %, over the tasks of this network; its ends are null, and
    `no_interval` says why, where none is given.
    """
    evaluations, k = history.evaluations, history.num_inner_steps
    if len(evaluations) == 0:
        return None
    reason = evaluations.why_no_interval(-1, k)
    return {
        "mean": float(evaluations.query_mean[-1, k]),
        "mean_low": float(evaluations.query_low[-1, k]),
        "mean_high": float(evaluations.query_high[-1, k]),
        "no_interval": None if reason is None else reason.value,
        "iqm": float(evaluations.query_iqm[-1, k]),
        "median": float(evaluations.query_median[-1, k]),
        "num_exploded": int(evaluations.query_exploded[-1, k]),
        "num_rising": int(evaluations.support_rising[-1, k]),
        "num_tasks": history.config_at().evaluation.num_tasks,
    }


def _interval_text(history: RunHistory) -> str:
    """Return the interval of the last held-out mean, in brackets, and its company."""
    evaluations, k = history.evaluations, history.num_inner_steps
    reason = evaluations.why_no_interval(-1, k)
    interval = (
        f"95 % interval {evaluations.query_low[-1, k]:.3f} to "
        f"{evaluations.query_high[-1, k]:.3f}, over the tasks of this network"
        if reason is None
        else f"no interval: {reason}"
    )
    exploded = int(evaluations.query_exploded[-1, k])
    return (
        f"{interval}; median {evaluations.query_median[-1, k]:.3f}, interquartile mean "
        f"{evaluations.query_iqm[-1, k]:.3f}"
        + (f"; {exploded} tasks exploded" if exploded else "")
    )


def _linear_solves(history: RunHistory) -> dict[str, object] | None:
    """Return what became of the linear systems; None for methods without.

    Of a run whose older rows are thinned out in memory, `num_steps` says how many steps
    are counted.
    """
    tasks = history.config_at().outer.num_tasks
    whole = solves_of_steps(history.metrics, tasks)
    if whole is None:
        return None
    last = solves_of_steps(history.metrics, tasks, slice(-1, None))
    return {
        "num_steps": whole.num_solves // tasks,
        **_counts(whole),
        "last_step": None if last is None else _counts(last),
    }


def _counts(solves: Solves) -> dict[str, object]:
    """Return the numbers that every step has: no Ritz value, which only some take."""
    return {n: v for n, v in solves.plain().items() if n != "smallest_ritz_value"}


def _tell_solves(console: Console, history: RunHistory) -> None:
    """Say which linear systems were not what they are taken for, if any."""
    tasks = history.config_at().outer.num_tasks
    whole = solves_of_steps(history.metrics, tasks)
    if whole is None or not (whole.not_positive_definite or whole.unconverged):
        return
    last = solves_of_steps(history.metrics, tasks, slice(-1, None))
    steps = whole.num_solves // tasks
    console.print(
        f"Linear systems, one a task, of {steps:,} outer steps: {whole.words}"
    )
    if last is not None and steps > 1:
        console.print(f"Those of the last step: {last.words}")
    hint = solve_advice(history.config_at(), whole)
    if hint:
        console.print(hint)


def _tell(
    console: Console, history: RunHistory, status: RunStatus, made: int, seconds: float
) -> None:
    rate = made / seconds if seconds > 0 else 0.0
    console.print(
        f"{status.value.capitalize()} at outer step {history.step:,} of "
        f"{history.num_steps:,}: {made:,} steps in {seconds:.1f} s ({rate:,.0f} steps/s)"
    )
    evaluations = history.evaluations
    if len(evaluations):
        k = history.num_inner_steps
        at = history.latest_evaluation_step
        where = "" if at == history.step else f" at outer step {at:,}"
        console.print(
            f"Held-out query loss{where}: {evaluations.query_mean[-1, 0]:.3f} before adaptation, "
            f"{evaluations.query_mean[-1, k]:.3f} after {k} inner step{'s' if k > 1 else ''} "
            f"({_interval_text(history)})"
        )
    _tell_solves(console, history)
    means = _MEANS.get(history.provider)
    if means is not None:
        console.print(
            f"Computed on {history.device} by {means}: {history.provider_reason}"
        )
    file = _file(history)
    if file is not None:
        console.print(f"Run file: {file}")


def _file(history: RunHistory) -> str | None:
    """Return the run file; a run that was stopped before its first state has none."""
    path = history.path
    return str(path) if path is not None and is_there(path) else None
