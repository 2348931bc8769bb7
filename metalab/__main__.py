"""`python -m metalab`, and the console script: joins command line and window."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def main() -> int:
    """Run the command line; Qt is imported only when a window opens."""
    from metalab.cli.channel import lost_output, open_channels  # noqa: PLC0415
    from metalab.cli.main import run  # noqa: PLC0415 - keeps `import metalab` light
    from metalab.cli.output import warn  # noqa: PLC0415

    open_channels()
    code = run(sys.argv[1:], show=_show_window)
    lost = lost_output()
    if lost is not None:
        # The exit code stays that of the work, which is done.
        warn(f"what was printed is lost: {lost}")
    return code


def _show_window(preset: str | None, file: "Path | None" = None) -> int:
    from metalab.ui.shell.app import run_window  # noqa: PLC0415 - Qt only for a window

    return run_window(preset=preset, file=file)


if __name__ == "__main__":
    sys.exit(main())
