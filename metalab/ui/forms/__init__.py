"""Forms, built from the configuration models."""
