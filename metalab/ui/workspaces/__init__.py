"""The pages in the centre of the window: what a page is, and one package for each."""
