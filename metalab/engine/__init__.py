"""An experiment in time: configuration, events, probe, trainer. No Qt, files, threads."""
