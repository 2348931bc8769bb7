"""The timeline: outer and inner time of a run, always in sight."""
