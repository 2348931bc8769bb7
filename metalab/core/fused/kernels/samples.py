"""Weights of samples where tasks have different numbers of them."""

from numba import njit

from metalab.core.fused.kernels.options import KERNEL
from metalab.core.fused.kernels.vector import at


@njit(**KERNEL)
def num_counted(work, m, mask):
    """Return how many samples a mask counts; 0 where a block has none of a small task's."""
    number = 0.0
    for i in range(m):
        number += at(work, mask + i)
    return number


@njit(**KERNEL)
def share_of(work, m, mask):
    """Return what a sample that counts weighs in a mean, over what it does in one of m."""
    if mask < 0:
        return work.dtype.type(1)
    return work.dtype.type(m / max(num_counted(work, m, mask), 1.0))


@njit(**KERNEL)
def weight_of(work, i, share, mask):
    """Return what sample i weighs in a mean, over what it would in one of all.

    The share is `share_of` all samples, which is computed once for them.
    """
    return share if mask < 0 else share * at(work, mask + i)
