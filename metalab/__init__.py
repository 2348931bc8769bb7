"""metalab: a visual laboratory for bilevel optimisation in meta-learning."""

__version__ = "0.7.0"
