"""Where a cluster's database is: the URL a user writes, taken apart.

URLs are written as for SQLAlchemy, with the short schemes ``mysql://``, ``mariadb://`` and ``postgresql://`` (a driver
after a ``+`` is accepted and ignored: replguard brings its own). ``${NAME}`` in a part is taken from the environment
*after* the URL was taken apart, so that a password may hold any character.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote

from replguard.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

ENGINES = {"mysql": "mysql", "mariadb": "mariadb", "postgresql": "postgresql", "postgres": "postgresql"}
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SECRET_OPTIONS = frozenset({"password", "passwd", "sslpassword", "ssl_key_password"})
_EXAMPLE = "write it as mariadb://user:${PASSWORD}@host:3306/database (or mysql://, postgresql://)"
_URL = re.compile(
    r"(?P<scheme>[a-z]+)(?:\+\w+)?://(?:(?P<user>[^:@/]*)(?::(?P<password>.*?))?@)?"
    r"(?:\[(?P<v6>[0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|(?P<host>[^/:?@\[\]]*))(?::(?P<port>[^/?@]*))?"
    r"(?:/(?P<database>[^?@]*))?"
    r"(?:\?(?P<query>.*))?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One cluster's database; ``engine`` is what the URL's scheme says, the server may know better.

    Neither ``password`` nor ``options``, which may hold one, appear in the value's text. ``options`` are the URL's
    query: ``unix_socket``, ``ssl_ca``, ``sslmode``, ``connect_timeout``, ``read_default_file``, ... ``option_files``
    are those that the server itself reads when it starts, or copies of them.
    """

    name: str
    engine: str
    host: str | None
    port: int | None
    user: str | None
    password: str | None = field(repr=False)
    database: str
    schemas: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    option_files: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """Host, port and database, safe to show."""
        where = self.host or self.options.get("unix_socket") or self.options.get("host") or "localhost"
        port = f":{self.port}" if self.port else ""
        return f"{where}{port}/{self.database}"


def expand(text: str, what: str) -> str:
    """``text`` with every ``${NAME}`` replaced from the environment; ConfigError where a variable is not set.

    >>> expand("plain", "a value")
    'plain'
    """
    _refuse_odd(text, what)

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise ConfigError(
                f"{what} uses ${{{name}}}, but the environment has no variable {name}",
                remedy=f"set it before the call: export {name}=...",
            )
        return os.environ[name]

    return _VARIABLE.sub(value, text)


def _refuse_odd(text: str, what: str) -> None:
    """What looks like a variable and is none would be taken as it stands, and fail where nobody looks for it."""
    if "${" in _VARIABLE.sub("", text):
        raise ConfigError(
            f"{what} holds a ${{...}} that names no variable",
            remedy="a variable's name is letters, digits and underscores: ${BLUE_PASSWORD}; a literal ${ is %24{",
        )


def has_literal_password(url: str) -> bool:
    """Whether a password of the URL, or of its options, is written out instead of taken from the environment.

    >>> has_literal_password("mysql://u:secret@h/d"), has_literal_password("mysql://u:${P}@h/d")
    (True, False)
    """
    match = _URL.fullmatch(url)
    if not match:
        return False
    options = [item.partition("=") for item in (match["query"] or "").split("&")]
    secrets = [match["password"] or "", *(value for key, _, value in options if unquote(key) in _SECRET_OPTIONS)]
    return any(_VARIABLE.sub("", secret) for secret in secrets)


def endpoint(name: str, url: str, schemas: tuple[str, ...] = ()) -> Endpoint:
    """Take a cluster's URL apart; ConfigError says what is missing. Never shows the password."""
    what = f"the URL of cluster {name!r}"
    if whole := _VARIABLE.fullmatch(url.strip()):
        url = expand(whole.group(), what)
    match = _URL.fullmatch(url.strip())
    if not match:
        raise ConfigError(f"{what} cannot be read", remedy=_EXAMPLE)
    if match["scheme"] not in ENGINES:
        raise ConfigError(f"{what} has the scheme {match['scheme']!r}, which no engine serves", remedy=_EXAMPLE)
    database = _part(match["database"], what)
    if not database:
        raise ConfigError(f"{what} names no database", remedy=_EXAMPLE)
    return Endpoint(
        name=name,
        engine=ENGINES[match["scheme"]],
        host=match["v6"].replace("%25", "%") if match["v6"] else _part(match["host"], what),
        port=_port(_part(match["port"], what), what),
        user=_part(match["user"], what),
        password=_part(match["password"], what),
        database=database,
        schemas=schemas,
        options=_options(match["query"], what),
    )


def _part(text: str | None, what: str) -> str | None:
    """One part of the URL: percent escapes resolved in what is written, variables inserted as they are."""
    if not text:
        return None
    _refuse_odd(text, what)
    pieces: list[str] = []
    end = 0
    for match in _VARIABLE.finditer(text):
        pieces += [unquote(text[end : match.start()]), expand(match.group(), what)]
        end = match.end()
    return "".join([*pieces, unquote(text[end:])])


def _port(text: str | None, what: str) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 65536:
        raise ConfigError(f"{what} has no valid port", remedy=_EXAMPLE)
    return int(text)


def _options(query: str | None, what: str) -> dict[str, str]:
    pairs = [item.partition("=") for item in (query or "").split("&") if item]
    return {unquote(key): _part(value, what) or "" for key, _, value in pairs}
