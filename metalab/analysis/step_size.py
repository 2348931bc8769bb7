"""Another step size of the inner loop, at evaluation."""

from metalab.experiment.config import ExperimentConfig
from metalab.experiment.fields import ConfigError, FieldProblem, with_overrides


def at_inner_lr(config: ExperimentConfig, inner_lr: float | None) -> ExperimentConfig:
    """Return the experiment with another step size of the inner loop, for evaluation.

    Args:
        config: The experiment of the run.
        inner_lr: The step size; None keeps that of training.

    Raises:
        ConfigError: The inner loop has no step size to choose, or learns its own.
    """
    if inner_lr is None:
        return config
    if not config.inner.component.rate_is_fixed:
        learned = config.inner.component.learned
        why = f"has learned its {learned}" if learned else "has no step size"
        raise ConfigError(
            [
                FieldProblem(
                    "inner.inner_lr",
                    f"cannot be chosen: inner.kind {config.inner.kind!r} {why}",
                )
            ]
        )
    return with_overrides(config, [("inner.inner_lr", inner_lr)])


def chosen_inner_lr(config: ExperimentConfig) -> float | None:
    """Return the step size of the inner loop; None where it is learned, or there is none.

    Args:
        config: The experiment of the run.
    """
    if not config.inner.component.rate_is_fixed:
        return None
    return getattr(config.inner, "inner_lr", None)
