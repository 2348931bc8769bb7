"""The number of threads that a script's own torch computes with."""

from collections.abc import Generator
from contextlib import contextmanager

import torch


@contextmanager
def keeping_threads() -> Generator[None]:
    """Give torch its number of threads back: a run computes with as many as it is set."""
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)
