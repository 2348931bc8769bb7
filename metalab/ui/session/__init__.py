"""The experiment that is edited and the run that is shown: session, playhead, moment, clock."""
