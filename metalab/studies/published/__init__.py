"""One published experiment a file; a study is found by being there."""
