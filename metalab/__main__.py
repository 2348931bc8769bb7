"""`python -m metalab`, and the console script: joins command line and window."""

import sys


def main() -> int:
    """Run the command line; Qt is imported only when a window opens."""
    from metalab.cli.main import run  # noqa: PLC0415 - keeps `import metalab` light

    return run(sys.argv[1:], show=_show_window)


def _show_window(preset: str | None) -> int:
    from metalab.ui.app import run_window  # noqa: PLC0415 - Qt only for a window

    return run_window(preset=preset)


if __name__ == "__main__":
    sys.exit(main())
