"""The window. The only package that imports Qt."""

import sys

if sys.platform == "win32":
    # From torch 2.9 its libraries cannot be loaded there after Qt's. Elsewhere the window
    # is painted first (`runs.system.preload`).
    import torch  # noqa: F401  # pyright: ignore[reportUnusedImport]
