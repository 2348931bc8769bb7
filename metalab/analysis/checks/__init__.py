"""Checks of somebody's own components: `metalab check FILE.py`."""
