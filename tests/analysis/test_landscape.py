"""Slices of the loss: against direct computation, inner loops and a known bowl."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from metalab.analysis.landscape import LandscapeSampler
from metalab.analysis.landscape_axes import filter_normalised, neuron_of_each
from metalab.analysis.landscape_request import (
    AXES,
    NUM_AVERAGED,
    SURFACES,
    LandscapeRequest,
)
from metalab.core.errors import UserError
from metalab.core.model.mlp import MLP
from metalab.core.streams import RandomStreams
from metalab.engine.build import DTYPES, build_learner
from metalab.engine.events import Array
from metalab.engine.held_out import held_out_evaluation, to_array
from metalab.experiment.config import ExperimentConfig
from tests.support.experiments import small

ORIGIN = np.zeros((1, 2))
CLOSE = {"rtol": 1e-5, "atol": 1e-6}


def initial(config: ExperimentConfig) -> Array:
    state = build_learner(config).initial_state(
        generator=RandomStreams(config.run.seed).generator("initial"),
        dtype=DTYPES[config.run.precision],
        device=torch.device("cpu"),
    )
    return to_array(state.phi)


def a_slice(config: ExperimentConfig, **changes: object) -> LandscapeRequest:
    phi = initial(config)
    asked = LandscapeRequest(
        config=config,
        phi=phi,
        step=7,
        tasks=(3, 0, 5),
        num_inner_steps=4,
        outer=np.stack([0.8 * phi, 1.1 * phi + 0.01, phi]),
    )
    return replace(asked, **changes)  # pyright: ignore[reportArgumentType] - by name


def known(asked: LandscapeRequest, theta: Array) -> tuple[Array, Array]:
    """Return support and query loss of the first task at one theta, and no plane."""
    config = asked.config
    learner = build_learner(config)
    probe = held_out_evaluation(config, learner, device=torch.device("cpu"))
    row = probe.batch.rows(asked.tasks[0], asked.tasks[0] + 1)
    dtype = DTYPES[config.run.precision]
    oracle = learner.oracle(torch.tensor(asked.phi, dtype=dtype), row)
    point = torch.tensor(theta, dtype=dtype)[None]
    return to_array(oracle.support_loss(point)), to_array(oracle.query_loss(point))


@pytest.mark.parametrize("preset", ["maml-sine", "anil-sine", "cavia-sine"])
@pytest.mark.parametrize("axes", ["paths", "gradients"])
def test_the_loss_at_the_centre_is_the_loss_at_the_meta_parameters(preset, axes):
    asked = a_slice(small(preset), axes=axes)
    surveyor = LandscapeSampler(asked.config)
    plane = surveyor.plane(asked)
    support, query = known(asked, plane.centre)
    np.testing.assert_allclose(surveyor.losses(asked, plane, ORIGIN), support, **CLOSE)
    other = replace(asked, surface="query")
    np.testing.assert_allclose(surveyor.losses(other, plane, ORIGIN), query, **CLOSE)


@pytest.mark.parametrize("preset", ["maml-sine", "imaml-sine"])
def test_the_adapted_loss_is_that_of_training_anywhere_in_the_plane(preset):
    """At the centre and beside it: there, the meta-parameters are moved by hand."""
    config = small(preset)
    asked = a_slice(config, surface="adapted", axes="gradients")
    surveyor = LandscapeSampler(config)
    plane = surveyor.plane(asked)
    places = np.array([[0.0, 0.0], [0.3, -0.2]])
    found = surveyor.losses(asked, plane, places)
    learner = build_learner(config)
    batch = held_out_evaluation(config, learner, device=torch.device("cpu")).batch.rows(
        0, NUM_AVERAGED
    )
    for place, loss in zip(places, found, strict=True):
        moved = asked.phi + place[0] * plane.u + place[1] * plane.v
        phi = torch.tensor(moved, dtype=DTYPES[config.run.precision])
        path = learner.adapt(phi, batch, num_inner_steps=config.num_inner_steps)
        direct = learner.oracle(phi, batch).query_loss(path.end).mean()
        np.testing.assert_allclose(loss, float(direct), **CLOSE)
    assert found[0] != found[1]


@pytest.mark.parametrize("preset", ["maml-sine", "maml-plus-plus-sine"])
def test_the_losses_along_a_planar_path_are_those_of_the_inner_loop(preset):
    """Two inner steps of one task always lie in one plane through their start."""
    asked = a_slice(small(preset), tasks=(3,), num_inner_steps=2)
    surveyor = LandscapeSampler(asked.config)
    plane = surveyor.plane(asked)
    learner = build_learner(asked.config)
    probe = held_out_evaluation(asked.config, learner, device=torch.device("cpu"))
    phi = torch.tensor(asked.phi, dtype=DTYPES[asked.config.run.precision])
    curves = probe.curves(phi, 0)
    assert sum(plane.explained) == pytest.approx(1.0, abs=1e-6)
    for surface, losses in (
        ("support", curves.support_loss),
        ("query", curves.query_loss),
    ):
        found = surveyor.losses(replace(asked, surface=surface), plane, plane.paths[0])
        np.testing.assert_allclose(found, losses[3, :3], **CLOSE)


def test_a_bowl_is_a_bowl_with_its_own_axes():
    """The slice through weights alone: 1/2 sum_i curvature_i (v_i - w_i)^2 + b^2."""
    config = small(
        tasks__family__kind="quadratic-bowl",
        tasks__family__curvature_min=0.5,
        tasks__family__curvature_max=4.0,
        tasks__num_shots=4,
        model__hidden_sizes=[],
    )
    asked = a_slice(config, axes="gradients", tasks=(0, 1))
    surveyor = LandscapeSampler(config)
    plane = surveyor.plane(asked)
    x, y = plane.coordinates(11)
    grid = np.stack(np.meshgrid(x, y), axis=2).reshape(-1, 2)
    found = surveyor.losses(asked, plane, grid)
    hessian = np.diag([0.5, 4.0, 2.0])
    both = np.stack([plane.u, plane.v], axis=1)
    # A quadratic through the losses has the bowl's own curvature in this plane.
    columns = np.stack(
        [
            grid[:, 0] ** 2 / 2,
            grid[:, 0] * grid[:, 1],
            grid[:, 1] ** 2 / 2,
            *grid.T,
            np.ones(len(grid)),
        ],
        axis=1,
    )
    fitted, *_ = np.linalg.lstsq(columns, found, rcond=None)
    np.testing.assert_allclose(columns @ fitted, found, rtol=1e-4, atol=1e-5)
    curvature = np.array([[fitted[0], fitted[1]], [fitted[1], fitted[2]]])
    np.testing.assert_allclose(curvature, both.T @ hessian @ both, atol=1e-3)


@pytest.mark.parametrize("axes", AXES)
def test_directions_are_orthonormal_and_paths_are_projected(axes):
    asked = a_slice(small(), axes=axes)
    plane = LandscapeSampler(asked.config).plane(asked)
    both = np.stack([plane.u, plane.v])
    np.testing.assert_allclose(both @ both.T, np.eye(2), atol=1e-12)
    assert plane.paths.shape == (3, 5, 2)
    assert not plane.paths[:, 0].any()
    last = asked.outer[0] - plane.centre
    np.testing.assert_allclose(plane.outer_path[0], both @ last, atol=1e-6)
    # Whatever is drawn of the inner loop lies in the square.
    inside = plane.paths - np.array(plane.corner)
    assert inside.min() >= 0
    assert inside.max() <= plane.side
    assert 0 < sum(plane.explained) <= 1 + 1e-9


def test_the_path_of_the_outer_loop_is_explained_by_its_own_axes():
    asked = a_slice(small(), axes="outer", surface="adapted")
    plane = LandscapeSampler(asked.config).plane(asked)
    assert plane.outer_explained == pytest.approx(1.0, abs=1e-6)
    inside = plane.outer_path - np.array(plane.corner)
    assert inside.min() >= 0
    assert inside.max() <= plane.side


def test_two_gradients_span_the_plane_of_the_first_inner_steps():
    asked = a_slice(small(), axes="gradients", tasks=(3, 0), num_inner_steps=1)
    plane = LandscapeSampler(asked.config).plane(asked)
    assert sum(plane.explained) == pytest.approx(1.0, abs=1e-6)
    # Downhill of the first task is against the first direction.
    assert plane.paths[0, 1, 0] < 0
    assert plane.paths[0, 1, 1] == pytest.approx(0.0, abs=1e-7)


def test_random_directions_are_as_long_as_each_neuron():
    model = MLP(input_dim=1, output_dim=1, hidden_sizes=(4, 3))
    rng = np.random.default_rng(1)
    theta, direction = rng.standard_normal((2, model.dim))
    scaled = filter_normalised(direction, theta, model.blocks)
    neurons = neuron_of_each(model.blocks)
    assert int(neurons.max()) + 1 == 4 + 3 + 1
    for neuron in range(8):
        own = neurons == neuron
        assert np.linalg.norm(scaled[own]) == pytest.approx(np.linalg.norm(theta[own]))
        turned = scaled[own] / direction[own]
        np.testing.assert_allclose(turned, turned[0])
    # The second hidden layer: four weights and a bias each.
    assert (neurons == 4).sum() == 5


def test_random_directions_follow_the_seed():
    config = small()
    surveyor = LandscapeSampler(config)
    one, same, other = (
        surveyor.plane(a_slice(config, axes="random", seed=seed)).u
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert abs(one @ other) < 0.9


@pytest.mark.parametrize("preset", ["anil-sine", "cavia-sine"])
def test_a_partial_start_has_no_loss_after_adaptation(preset):
    asked = a_slice(small(preset), surface="adapted")
    with pytest.raises(UserError, match="initialisation of the whole network"):
        LandscapeSampler(asked.config).plane(asked)


def test_random_directions_need_weights():
    """A context that begins at zero has no length to take over."""
    asked = a_slice(small("cavia-sine"), axes="random")
    with pytest.raises(UserError, match="no length"):
        LandscapeSampler(asked.config).plane(asked)


def test_a_path_that_is_not_finite_is_told():
    config = small(inner__inner_lr=10.0)
    asked = a_slice(config, num_inner_steps=60)
    with pytest.raises(UserError, match="not finite"):
        LandscapeSampler(config).plane(replace(asked, phi=100 * asked.phi))


def test_memory_is_bounded():
    surveyor = LandscapeSampler(small())
    one, many = (surveyor.points_at_once(surface) for surface in SURFACES[1:])
    assert one == pytest.approx(many * surveyor.num_averaged, rel=0.01)
