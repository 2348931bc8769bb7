"""Task families, one a file; discovered by the catalog."""
