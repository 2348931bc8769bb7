"""The default preset. Imports nothing, so that the first frame can have it."""

DEFAULT_PRESET = "maml-sine"
