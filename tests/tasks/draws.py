"""Large draws from a family, and errors on them."""

from metalab.core.tasks import sample_batch
from tests.support.oracles import FLOAT64, generator


def drawn(family, *, num_tasks=100_000, num_points=10, seed=0, dtype=FLOAT64):
    """Return tasks with their query set, in which `num_points` points are drawn."""
    return sample_batch(
        family,
        num_tasks,
        num_shots=1,
        num_queries=num_points,
        generator=generator(seed),
        dtype=dtype,
    )


def error_of(batch, prediction=0.0):
    """Return the mean squared error of a prediction on the query points."""
    return float(((batch.query.y - prediction) ** 2).mean())


def noise_floor(family):
    """Return the error of the true function on noisy query points."""
    batch = drawn(family)
    return error_of(batch, family.target(batch.parameters, batch.query.x))


def assert_fills(column, low, high):
    """Assert that numbers lie in a range, reach its ends, and are centred in it."""
    extent = high - low
    assert low <= float(column.min()) <= low + 0.01 * extent
    assert high - 0.01 * extent <= float(column.max()) <= high
    assert abs(float(column.mean()) - (low + high) / 2) <= 0.01 * extent
