"""Widgets that several rooms of the window share; none knows the session."""
