"""The export dialog: a figure for paper, looked at before it is written."""
