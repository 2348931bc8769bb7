"""The workspaces in the centre of the window: one file each, one line in the table."""
