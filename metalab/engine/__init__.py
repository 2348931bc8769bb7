"""Training: from a configuration to a generator of events, with held-out evaluation.

No Qt, no files, no threads.
"""
