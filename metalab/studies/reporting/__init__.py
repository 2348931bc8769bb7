"""Reports of runs: one document, as a web page of its own or as a PDF."""
