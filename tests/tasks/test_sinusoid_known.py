"""The sinusoid family whose tasks the network is told."""

import torch

from metalab.core.tasks import sample_batch
from metalab.tasks.sinusoid import Sinusoid
from metalab.tasks.sinusoid_known import SinusoidKnown
from tests.support.oracles import generator


def drawn(family):
    return sample_batch(family, 4, num_shots=3, num_queries=5, generator=generator())


def test_its_inputs_are_those_of_the_sinusoid_and_the_task():
    known, plain = drawn(SinusoidKnown()), drawn(Sinusoid())
    assert torch.equal(known.parameters, plain.parameters)
    for part in ("support", "query"):
        told, bare = getattr(known, part), getattr(plain, part)
        assert torch.equal(told.y, bare.y)
        assert torch.equal(told.x[..., :1], bare.x)
        for shot in range(told.x.shape[1]):
            assert torch.equal(told.x[:, shot, 1:], known.parameters)
    assert SinusoidKnown().input_dim == known.query.x.shape[2] == 3
