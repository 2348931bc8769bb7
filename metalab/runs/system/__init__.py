"""Services of the machine to runs: home folder, locks, signals, kernels, preloading."""
