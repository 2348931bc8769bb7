"""Files and texts that nobody meant: read, refused in a sentence, and never worse.

python -m tests.fuzz --seed 7 --count 10000
"""
