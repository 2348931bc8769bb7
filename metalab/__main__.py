"""`python -m metalab`, and the console script."""

import sys


def main() -> int:
    """Run the command line; Qt is imported only when a window opens."""
    from metalab.cli.main import run  # noqa: PLC0415 - keeps `import metalab` light

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
