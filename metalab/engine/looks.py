"""The outer steps at which a run is looked at."""

from metalab.experiment.config import ExperimentConfig


def is_probe_step(config: ExperimentConfig, step: int) -> bool:
    """Return whether the held-out tasks are evaluated after so many outer steps."""
    every = config.evaluation.every
    return step % every == 0 or (step < every and step in _early_steps(every))


def next_look(config: ExperimentConfig, step: int) -> int:
    """Return the next step with an evaluation or with diagnostics."""
    every = config.evaluation.every
    intervals = [every, config.diagnostics.every or every]
    following = [(step // interval + 1) * interval for interval in intervals]
    early = [at for at in _early_steps(every) if at > step]
    return min([*following, *early])


def _early_steps(every: int) -> tuple[int, ...]:
    """Return 1, 2, 5, 10, 20, 50, ... below `every`: training is fastest at the start."""
    steps = (lead * 10**power for power in range(10) for lead in (1, 2, 5))
    return tuple(step for step in steps if step < every)
