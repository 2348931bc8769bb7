"""What fills the centre of the window: one workspace a file, each fed with a `RunHistory`."""
