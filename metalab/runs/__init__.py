"""What happens to a run's events: execute, control, live, worker, store.

The only package that starts threads. `control`, `live` and `history` import no torch.
"""
