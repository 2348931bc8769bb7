"""The dialog in which a person's table becomes tasks."""
