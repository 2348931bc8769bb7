"""What runs need of the machine: home folder, locks, signals, kernels, preloading."""
