"""Benchmarks: speed as ratios within one interleaved run. They gate nothing."""
