"""The Landscape page: the loss over a plane through the meta-parameters."""
