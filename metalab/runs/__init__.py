"""What happens to a run: the thread that makes it, its record and file, and what looks at it."""
