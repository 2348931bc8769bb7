"""Runs: the thread that makes one, its record and file, and services beside it."""
