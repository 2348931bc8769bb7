"""What somebody's own component owes, tried out: `metalab check FILE.py`."""
