"""``python -m replguard`` and the command ``replguard``: the one place that knows command line and demo."""

import gc
import sys


def main() -> None:
    """Run the command line."""
    gc.set_threshold(50_000, 20, 20)  # what is imported and read is no garbage: looking for it took a tenth of the time
    from replguard.cli.app import start  # noqa: PLC0415 - importing the package must not import the command line
    from replguard.cli.commands import Place  # noqa: PLC0415

    demo = Place(
        "replguard.demo.command", "Start an embedded replicating pair, plant trouble, and tell the whole story."
    )
    try:
        sys.exit(start(sys.argv[1:], {"demo": demo}))
    finally:
        gc.freeze()  # a process that ends need not search its memory for cycles, which takes a tenth of a second


if __name__ == "__main__":
    main()
