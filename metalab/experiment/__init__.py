"""The configuration of an experiment: sections, fields, what goes together, names, codes.

No Qt, no files but experiments as TOML; nothing here draws or computes.
"""
