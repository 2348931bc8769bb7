"""The inner loop of iMAML's code: K - 1 plain steps and a pull-back."""

import torch

from metalab.core.inner.gradient_descent import GradientDescent
from metalab.core.inner.pull_back import PullBackDescent
from metalab.core.meta.anchor import ProximalAnchor
from metalab.core.meta.initialisation import Initialisation
from tests.support.combinations import oracle_of

STRENGTH = 0.5
INNER = PullBackDescent(num_inner_steps=5, inner_lr=0.03)


def test_it_is_plain_descent_and_then_a_step_towards_the_anchor():
    anchored = oracle_of(ProximalAnchor(strength=STRENGTH), INNER)
    plain = GradientDescent(inner_lr=0.03).run(
        oracle_of(Initialisation(), INNER), num_steps=4
    )
    pulled = plain.end - 0.03 * STRENGTH * (plain.end - plain.start)
    found = INNER.run(anchored, num_steps=5)
    torch.testing.assert_close(found.end, pulled, rtol=1e-12, atol=1e-14)


def test_further_steps_are_plain_again():
    anchored = oracle_of(ProximalAnchor(strength=STRENGTH), INNER)
    path = INNER.run(anchored, num_steps=6, keep_points=True)
    again = GradientDescent(inner_lr=0.03).run(
        oracle_of(Initialisation(), INNER).at_shifted_phi(path.points[5] - path.start),
        num_steps=1,
    )
    torch.testing.assert_close(path.end, again.end, rtol=1e-10, atol=1e-12)
