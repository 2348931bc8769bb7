"""Where somebody starts who names nothing. Imports nothing."""

DEFAULT_PRESET = "maml-sine"
