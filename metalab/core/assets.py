"""Folder of the pictures and tables that come with metalab."""

from functools import cache
from pathlib import Path

import metalab


@cache
def assets_folder() -> Path:
    """Return their folder: inside an installed package, beside it in a checkout.

    Raises:
        FileNotFoundError: The installation is not whole.
    """
    package = Path(metalab.__file__).parent
    for folder in (package / "assets", package.parent / "assets"):
        if (folder / "icons").is_dir():
            return folder
    raise FileNotFoundError(f"no assets folder in or beside {package}")
