"""``python -m replguard`` and the command ``replguard``."""


def main() -> None:
    """Run the command line."""
    from replguard.cli.app import app  # noqa: PLC0415 - importing the package must not import the command line

    app()


if __name__ == "__main__":
    main()
