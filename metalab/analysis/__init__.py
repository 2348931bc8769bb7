"""Everything asked of an experiment and its meta-parameters outside of training.

Adaptation to given points, landscapes, estimators against the exact hypergradient, memory.
No Qt, no files, no threads.
"""
