"""The compiled provider: kernels for multilayer perceptrons on the CPU."""
