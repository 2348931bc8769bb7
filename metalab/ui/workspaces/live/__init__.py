"""The Live page: a run as it happens, in four plots."""
