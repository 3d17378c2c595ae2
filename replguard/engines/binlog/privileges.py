"""What a user may do, read from SHOW GRANTS.

The information schema hides what a user may not read, without a word: a table that is not seen must never pass for one
that is equal. So the catalog asks here first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.engines.binlog.connection import quoted
from replguard.engines.binlog.errors import grant
from replguard.errors import PrivilegeError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from replguard.engines.binlog.server import BinlogServer

_NAME = r"(?:`(?:[^`]|``)*`|'(?:[^']|'')*'|\*|[\w$%]+)"
_LINE = re.compile(
    rf"(?P<verb>GRANT|REVOKE) (?P<privileges>.+?) ON (?P<database>{_NAME})\.(?P<object>{_NAME}) (?:TO|FROM) "
    rf"(?P<grantee>{_NAME}(?:@{_NAME})?)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Grant:
    """One line of SHOW GRANTS about a whole server or a whole database (``database`` is a LIKE pattern or ``*``)."""

    privileges: frozenset[str]
    database: str
    grantee: str
    revoked: bool = False

    def gives(self, privilege: str, database: str) -> bool:
        return bool(self.privileges & {privilege, "ALL PRIVILEGES"}) and self.covers(database)

    def covers(self, database: str) -> bool:
        return self.database == "*" or like(self.database, database)


def like(pattern: str, name: str) -> bool:
    r"""Whether a database name matches the pattern of a GRANT.

    >>> like(r"st\_%", "st_1"), like("st_", "stx"), like(r"st\_", "stx"), like("ST", "st")
    (True, True, False, True)
    """
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    expression = "".join({"%": ".*", "_": "."}.get(part, re.escape(part[-1])) for part in parts)
    return re.fullmatch(expression, name, re.DOTALL | re.IGNORECASE) is not None


def parse(line: str) -> Grant | None:
    r"""What a line of SHOW GRANTS says about databases; None for tables, columns, routines and roles.

    >>> parse("GRANT SELECT, TRIGGER ON `st`.* TO `a`@`%`").gives("SELECT", "st")
    True
    >>> parse("GRANT `role`@`%` TO `a`@`%`") is None
    True
    """
    found = _LINE.match(line)
    if not found or found["object"] != "*":
        return None
    words = frozenset(word.strip().upper() for word in found["privileges"].split(","))
    grantee = _bare(found["grantee"].partition("@")[0])
    return Grant(words, _bare(found["database"]), grantee, revoked=found["verb"] == "REVOKE")


def _bare(name: str) -> str:
    if name[:1] in {"`", "'"}:
        return name[1:-1].replace(name[0] * 2, name[0])
    return name


class Privileges:
    """What the connected user may do on whole databases."""

    def __init__(self, server: BinlogServer) -> None:
        self._server = server
        # MariaDB lists the privileges of every role that was granted, also of those that are not set; MySQL merges
        # those of the active ones into the user's own lines.
        grantees = {server.account.rpartition("@")[0], "PUBLIC"}
        if server.flavour == "mariadb":
            grantees |= {_bare(str(row["name"])) for row in server.run("active_roles")}
        lines = (str(value) for row in server.run("show_grants") for value in row.values())
        self._grants = [found for line in lines if (found := parse(line)) and found.grantee in grantees]

    def has(self, privilege: str, database: str) -> bool:
        """Whether ``privilege`` holds for every table of ``database``."""
        held = any(grant.gives(privilege, database) and not grant.revoked for grant in self._grants)
        taken = any(grant.gives(privilege, database) and grant.revoked for grant in self._grants)
        return held and not taken

    def has_everywhere(self, privilege: str) -> bool:
        """Whether ``privilege`` was given on the whole server."""
        return any(
            grant.database == "*" and not grant.revoked and bool(grant.privileges & {privilege, "ALL PRIVILEGES"})
            for grant in self._grants
        )

    def require(self, privilege: str, databases: Iterable[str], *, hidden: str = "tables") -> None:
        """PrivilegeError, with the statements that help, unless ``privilege`` holds for all of ``databases``.

        ``hidden`` is what the server would leave out without a word.
        """
        lacking = [name for name in databases if not self.has(privilege, name)]
        if not lacking:
            return
        user = account(self._server.account)
        remedy = " ".join(grant(privilege, self.scope(name), user) for name in lacking)
        message = f"{user} lacks {privilege} on {', '.join(lacking)}: {hidden} could be hidden from it"
        raise PrivilegeError(message, remedy=remedy, cluster=self._server.name)

    def require_everywhere(self, privilege: str, *, hidden: str) -> None:
        """PrivilegeError, with the statement that helps, unless ``privilege`` was given on the whole server."""
        if self.has_everywhere(privilege):
            return
        user = account(self._server.account)
        message = f"{user} lacks {privilege}: {hidden} could be hidden from it"
        raise PrivilegeError(message, remedy=grant(privilege, "*.*", user), cluster=self._server.name)

    def scope(self, database: str) -> str:
        """The database as the user's grants spell it: of two patterns that match, MySQL looks at one alone."""
        known = (grant.database for grant in self._grants if grant.database != "*" and grant.covers(database))
        return f"{quoted(next(known, _escaped(database)))}.*"


def account(current_user: str) -> str:
    """CURRENT_USER() as a GRANT names it.

    >>> account("guard@10.0.%")
    "'guard'@'10.0.%'"
    """
    user, _, host = current_user.rpartition("@")
    return "'" + user.replace("'", "''") + "'@'" + host + "'"


def _escaped(name: str) -> str:
    """A database name in a GRANT is a pattern."""
    return name.replace("_", r"\_").replace("%", r"\%")
