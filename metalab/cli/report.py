"""How a finished run is told, by `train`, `resume` and the headless start."""

from dataclasses import asdict

from rich.console import Console

from metalab.cli.output import print_json, warn
from metalab.cli.progress import run_in_foreground
from metalab.engine.solves import Solves, advice, solves_of_steps
from metalab.runs.history import RunHistory
from metalab.runs.live import LiveRun
from metalab.runs.status import RunStatus

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
    status, diverged = run_in_foreground(
        live, console=console, resuming=resuming, stop_at=stop_at
    )
    history = live.snapshot()
    seconds = _seconds(history) - first_seconds
    made = history.step - first_step
    if json_output:
        print_json(_result(history, status, made, seconds))
    else:
        _tell(console, history, status, made, seconds)
    if diverged is not None:
        warn(f"{diverged.message} Lower inner.inner_lr or outer.optimizer.outer_lr.")
        return 1
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
        "step": history.step,
        "num_steps": made,
        "seconds": seconds,
        "steps_per_second": made / seconds if seconds > 0 else 0.0,
        "evaluation": history.latest_evaluation,
        "evaluation_before": float(evaluations.query_mean[-1, 0])
        if len(evaluations)
        else None,
        "seed": history.config_at().run.seed,
        "digest": history.config_at().digest(),
        "edits": [asdict(edit) for edit in history.configs.edits],
        "linear_solves": _linear_solves(history),
        "device": history.device,
        "provider": history.provider,
        "provider_reason": history.provider_reason,
        "file": _file(history),
    }


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
    hint = advice(history.config_at(), whole)
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
        console.print(
            f"Held-out query loss: {evaluations.query_mean[-1, 0]:.3f} before adaptation, "
            f"{evaluations.query_mean[-1, k]:.3f} after {k} inner step{'s' if k > 1 else ''}"
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
    return str(path) if path is not None and path.exists() else None
