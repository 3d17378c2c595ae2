"""Where the history lies: as the option says, the environment, the config, or in the user's state folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replguard.errors import ConfigError

if TYPE_CHECKING:
    from replguard.cli.session import Session

VARIABLE = "REPLGUARD_HISTORY"
HISTORY = Annotated[
    str | None,
    typer.Option(
        "--history",
        metavar="URL",
        help=f"SQLAlchemy URL of the history [default: ${VARIABLE}, else `history:` of the config, else a file].",
    ),
]


def history_url(session: Session, given: str | None, *, needs_config: bool = True) -> str:
    """The URL. Where no config is needed, one is read only if it is named or lies here. ConfigError for a password that
    all users could read.
    """
    from replguard.endpoint import has_literal_password  # noqa: PLC0415 - not needed for --help
    from replguard.history.store import default_url  # noqa: PLC0415

    if given:
        if has_literal_password(given):
            raise ConfigError(
                "the password of --history stands on the command line, where every user of this machine can read it",
                remedy="write ${NAME} in its place, in single quotes, and export NAME",
            )
        return given
    if os.environ.get(VARIABLE):
        return os.environ[VARIABLE]
    if needs_config or _config_is_there(session):
        config = session.config
        return config.history or default_url(config.state_dir)
    from platformdirs import user_state_path  # noqa: PLC0415

    return default_url(user_state_path("replguard"))


def _config_is_there(session: Session) -> bool:
    from replguard import config  # noqa: PLC0415

    common = session.common
    return (
        bool(common.config or common.cluster or "REPLGUARD_CONFIG" in os.environ) or Path(config.DEFAULT_FILE).exists()
    )
