"""Inner loops: how one task adapts, written for the whole meta-batch. One a file."""
