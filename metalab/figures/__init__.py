"""Figures for paper: pure functions from a run's history to a matplotlib Figure."""
