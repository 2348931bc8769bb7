"""What is drawn: one view a file, each fed with a `RunHistory`."""
