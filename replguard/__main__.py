"""``python -m replguard`` and the command ``replguard``: the one place that knows command line and demo."""

import sys


def main() -> None:
    """Run the command line."""
    from replguard.cli.app import start  # noqa: PLC0415 - importing the package must not import the command line
    from replguard.cli.commands import Place  # noqa: PLC0415

    demo = Place(
        "replguard.demo.command", "Start an embedded replicating pair, plant trouble, and tell the whole story."
    )
    sys.exit(start(sys.argv[1:], {"demo": demo}))


if __name__ == "__main__":
    main()
