"""Many runs, each in its own file, in one process or several."""
