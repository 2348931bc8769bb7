"""The animation dialog: a film of a run, looked at frame by frame before it is written."""
