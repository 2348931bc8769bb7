"""Ways to count how far training has come."""

import numpy as np

from metalab.figures.base import X_AXES
from metalab.figures.training_axis import TRAINING_AXES, training_x
from tests.figures.histories import make_history


def test_every_axis_of_the_losses_is_there():
    assert set(X_AXES) < set(TRAINING_AXES)


def test_gradients_add_up_over_steps_and_tasks_and_products_count_twice():
    seen = make_history(num_rows=5)
    metrics = seen.metrics
    costs = metrics["gradient_evaluations"] + 2 * metrics["hessian_vector_products"]
    assert (costs > 0).all()
    tasks = seen.config_at().outer.num_tasks
    found = training_x(seen, "gradient evaluations", np.array([0.0, 1.0, 3.0, 5.0]))
    expected = [0.0, costs[0], costs[:3].sum(), costs[:5].sum()]
    np.testing.assert_allclose(found, np.array(expected) * tasks)


def test_time_and_tasks():
    seen = make_history(num_rows=5)
    steps = np.array([0.0, 2.0])
    np.testing.assert_array_equal(
        training_x(seen, "training time", steps), [0.0, seen.seconds[1]]
    )
    tasks = seen.config_at().outer.num_tasks
    np.testing.assert_array_equal(
        training_x(seen, "tasks seen", steps), [0.0, 2.0 * tasks]
    )
    assert training_x(seen, "outer step", steps) is steps
