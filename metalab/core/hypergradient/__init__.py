"""Hypergradient estimators: how d outer loss / d phi is obtained. One a file."""
