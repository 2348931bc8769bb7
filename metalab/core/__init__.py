"""The mathematics of bilevel meta-learning, on torch and numpy alone.

Importing this package does not import torch: `metalab.core.spec` must be readable
before the window has finished loading it.
"""
