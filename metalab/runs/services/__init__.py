"""Background services beside a run: each answers the newest request of its kind."""
