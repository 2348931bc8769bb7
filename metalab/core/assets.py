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


GAPMINDER = "gapminder.csv@95da6f825d13427f"
"""Life expectancy of 142 countries in 12 years each, as experiments name the table."""

PHARMACOKINETICS = "simulated-pharmacokinetics.csv@196bcd741d834a9a"
"""Simulated concentrations of a drug in 80 subjects, 6 to 12 times each."""
