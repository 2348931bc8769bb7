"""The record of a run: its history in memory, its tables, its file."""
