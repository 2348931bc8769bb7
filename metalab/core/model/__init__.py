"""Functional networks, one a file."""
