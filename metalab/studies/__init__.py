"""Published experiments, run again with their protocols: ours beside the paper's."""
