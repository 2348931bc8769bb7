"""Targets of hypergradient estimators. Imports no torch: the window shows them."""

from enum import Enum


class Target(Enum):
    """The derivative that an estimator aims at; the two differ for finite K."""

    K_STEP = "K-step"
    """Of the query loss after exactly K inner steps (MAML)."""
    SOLUTION = "solution"
    """Of the query loss at the exact solution of the inner problem (iMAML)."""
