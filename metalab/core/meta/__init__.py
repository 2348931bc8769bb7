"""Meta-parameterisations: how phi enters the inner problem. One a file."""
