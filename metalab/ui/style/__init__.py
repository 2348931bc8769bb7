"""Colours, icons and pictures. Imports no torch."""
