"""The held-out figure of a run on a table, computed again by numpy from the CSV file."""

import csv

import numpy as np
import pytest

from metalab.core.assets import assets_folder
from metalab.engine.events import EvaluationDone
from metalab.engine.trainer import Trainer
from metalab.experiment.config import preset_config
from metalab.experiment.fields import with_overrides

FILE = assets_folder() / "data" / "gapminder.csv"
SIZES = ((1, 6), (6, 5), (5, 1))
INNER_LR, NUM_STEPS = 0.05, 3


def layers_of(theta):
    found, start = [], 0
    for inputs, outputs in SIZES:
        end = start + inputs * outputs
        weight = theta[start:end].reshape(inputs, outputs)
        found.append((weight, theta[end : end + outputs]))
        start = end + outputs
    return found


def hidden(theta, x):
    values, layers = [x[:, None]], layers_of(theta)
    for number, (weight, bias) in enumerate(layers):
        z = values[-1] @ weight + bias
        values.append(z if number == len(layers) - 1 else np.tanh(z))
    return values, layers


def gradient(theta, x, y):
    values, layers = hidden(theta, x)
    error, parts = 2 * (values[-1] - y[:, None]) / len(x), []
    for number in reversed(range(len(layers))):
        parts.append((values[number].T @ error, error.sum(axis=0)))
        error = (error @ layers[number][0].T) * (1 - values[number] ** 2)
    return np.concatenate(
        [np.concatenate([weight.ravel(), bias]) for weight, bias in reversed(parts)]
    )


def rows():
    with FILE.open(encoding="utf-8", newline="") as stream:
        return [
            (row["country"], float(row["year"]), float(row["lifeExp"]))
            for row in csv.DictReader(stream)
        ]


def losses_by_numpy(tasks, phi):
    """Return the query loss of each held-out country after the inner steps."""
    training = np.array([r[1:] for r in rows() if r[0] not in tasks.names])
    shift, scale = training.mean(axis=0), training.std(axis=0)
    found = []
    for task, name in enumerate(tasks.names):
        country = np.array([r[1:] for r in rows() if r[0] == name])
        chosen = np.isin(country[:, 0], tasks.support.x[task, :, 0].round())
        assert chosen.sum() == tasks.support.num_shots
        support, query = (country - shift)[chosen], (country - shift)[~chosen]
        support, query = support / scale, query / scale
        theta = phi.astype(np.float64)
        for _ in range(NUM_STEPS):
            theta = theta - INNER_LR * gradient(theta, support[:, 0], support[:, 1])
        predicted = hidden(theta, query[:, 0])[0][-1][:, 0]
        found.append(np.mean((predicted - query[:, 1]) ** 2))
    return np.array(found)


@pytest.mark.parametrize("fold", [0, 3])
def test_the_figure_of_the_window_is_that_of_another_script(fold):
    config = with_overrides(
        preset_config("maml-gapminder"),
        [
            ("tasks.family.fold", fold),
            ("run.precision", "float64"),
            ("model.hidden_sizes", [6, 5]),
            ("inner.inner_lr", INNER_LR),
            ("inner.num_inner_steps", NUM_STEPS),
            ("evaluation.num_inner_steps", NUM_STEPS),
            ("outer.num_steps", 30),
        ],
    )
    trainer = Trainer(config)
    *_, last = [e for e in trainer.run() if isinstance(e, EvaluationDone)]
    tasks = trainer.held_out()
    trained_on = {name for name, *_ in rows()} - set(tasks.names)
    assert (len(tasks.names), len(trained_on)) in {(28, 114), (29, 113)}
    expected = losses_by_numpy(tasks, last.snapshot.phi)
    np.testing.assert_allclose(
        last.evaluation.query_loss[:, NUM_STEPS], expected, rtol=1e-9
    )
