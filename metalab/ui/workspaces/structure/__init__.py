"""The Structure page: the bilevel problem as a picture, with the run inside it."""
