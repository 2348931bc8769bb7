"""The catalog: what components, recipes and presets there are, and how they are set."""
