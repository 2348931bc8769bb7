"""The library: the runs of a folder as a table that is filtered, grouped and edited."""
