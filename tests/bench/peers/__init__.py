"""Peers in their documented use, one file each: exact MAML on given batches."""
