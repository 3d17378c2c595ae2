"""``python -m replguard`` and the command ``replguard``: the one place that knows command line and demo."""

import sys


def main() -> None:
    """Run the command line."""
    from replguard.cli.app import app, start  # noqa: PLC0415 - importing the package must not import the command line
    from replguard.demo.command import EPILOG, demo  # noqa: PLC0415

    app.command("demo", epilog=EPILOG)(demo)
    sys.exit(start(sys.argv[1:]))


if __name__ == "__main__":
    main()
