"""Named, counted random streams.

Each purpose (initial meta-parameters, training tasks, held-out tasks) has its own stream,
and each block of a stream its own generator. So nothing that a person does (a pause, an
evaluation, a drag) can shift the training stream, and any step can be drawn again from its
number alone: a checkpoint needs no generator state to resume bit for bit.
"""

import hashlib
from dataclasses import dataclass

import torch

_SEED_BITS = 63


@dataclass(frozen=True, slots=True)
class RandomStreams:
    """The random streams of one run.

    Attributes:
        seed: The run's seed, a non-negative integer.
    """

    seed: int

    def generator(self, purpose: str, block: int = 0) -> torch.Generator:
        """Return a fresh generator on the CPU for block `block` of stream `purpose`.

        On the CPU, so that every device is given the same numbers.

        The seed is a hash, so that neighbouring seeds, purposes and blocks are
        unrelated; torch's own seeding mixes too little for consecutive integers.
        """
        text = f"{self.seed}/{purpose}/{block}".encode()
        digest = hashlib.blake2b(text, digest_size=8).digest()
        value = int.from_bytes(digest, "little") >> (64 - _SEED_BITS)
        return torch.Generator().manual_seed(value)
