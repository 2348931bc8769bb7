"""Losses of one task, one a file."""
