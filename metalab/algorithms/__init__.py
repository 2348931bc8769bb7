"""Recipes, one a file; discovered by the catalog."""
