"""Animations of figures: choices, frames, and files in several formats."""
