"""Explanations of the field: terms, the first page, a tour, lessons."""
