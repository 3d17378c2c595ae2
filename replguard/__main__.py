"""``python -m replguard`` and the command ``replguard``: the one place that knows command line and demo."""


def main() -> None:
    """Run the command line."""
    from replguard.cli.app import app  # noqa: PLC0415 - importing the package must not import the command line
    from replguard.demo.command import EPILOG, demo  # noqa: PLC0415

    app.command("demo", epilog=EPILOG)(demo)
    app()


if __name__ == "__main__":
    main()
