"""Running an experiment: the loop, its thread, its commands, forks and resumption."""
