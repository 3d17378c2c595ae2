"""Errors of MySQL and MariaDB servers and of their driver, turned into replguard's own.

Every number is named here and nowhere else. Messages carry what the server said; no message of these servers holds a
password, and the driver's connection arguments are never printed.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from replguard import errors
from replguard.engines import tls
from replguard.engines.binlog.tls import on_handshake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.endpoint import Endpoint

AUTH = frozenset({1045, 1251, 1524, 1698, 1820, 1862, 2059, 2061, 3118, 4151})
"""Password or user refused, an authentication plugin that does not fit, an account locked or expired."""
NO_SUCH_DATABASE = 1049
NO_ACCESS_TO_DATABASE = 1044
PRIVILEGE = frozenset({1044, 1142, 1143, 1227, 1370, 3630})
NEEDS_TLS = 3159
OFFERS_NO_TLS = 2026
UNREACHABLE = frozenset({2002, 2003, 2005})
LOST = frozenset({0, 1053, 1080, 1152, 1153, 1158, 1159, 1160, 1161, 1184, 1927, 2006, 2013, 2014, 2027, 2055, 3032})
"""0 is what the driver itself says on a connection that was lost before."""
INTERRUPTED = frozenset({1205, 1317, 1907, 1969, 3024})
"""A lock waited for too long, KILL QUERY, and the statement time limits of both flavours."""
NO_SUCH_TABLE = frozenset({1051, 1146})
_ONE_OF = re.compile(r"\(at least one of\) the (?P<privileges>.+?) privilege")


def number(error: BaseException) -> int | None:
    """The server's or driver's error number."""
    first = error.args[0] if error.args else None
    return first if isinstance(first, int) else None


def text(error: BaseException) -> str:
    """What the server said, with its number.

    >>> text(Exception(1045, "Access denied"))
    'Access denied (1045)'
    """
    code = number(error)
    said = error.args[1] if code is not None and len(error.args) > 1 else error
    return f"{said} ({code})" if code is not None else str(said) or type(error).__name__


def address(endpoint: Endpoint) -> str:
    """Where the endpoint is, as a message may show it."""
    return endpoint.options.get("unix_socket") or f"{endpoint.host or 'localhost'}:{endpoint.port or 3306}"


def needed(message: str) -> str:
    """The privilege that a message asks for, as it stands in a GRANT.

    >>> needed("Access denied; you need (at least one of) the SUPER, REPLICATION CLIENT privilege(s)")
    'REPLICATION CLIENT'
    >>> needed("Access denied; you need (at least one of) the SUPER or REPLICATION_SLAVE_ADMIN privilege(s)")
    'REPLICATION_SLAVE_ADMIN'
    >>> needed("SELECT command denied to user 'a'@'b' for table `c`.`d`")
    'SELECT'
    >>> needed("Access denied; you need SYSTEM_VARIABLES_ADMIN and PERSIST_RO_VARIABLES_ADMIN privileges for this")
    'SYSTEM_VARIABLES_ADMIN, PERSIST_RO_VARIABLES_ADMIN'
    """
    if found := re.search(r"you need (\w+) and (\w+) privileges", message):
        return f"{found[1]}, {found[2]}"
    if found := _ONE_OF.search(message):
        names = [name.strip() for name in re.split(r",| or ", found["privileges"])]
        return next((name for name in reversed(names) if name != "SUPER"), names[-1])
    if found := re.match(r"([A-Z ]+?) command denied", message):
        return found[1]
    return "EXECUTE" if "routine" in message else "SELECT"


def grant(privileges: str, scope: str, user: str) -> str:
    """The statement that gives ``privileges``; ``scope`` and ``user`` are quoted already."""
    return f"GRANT {privileges} ON {scope} TO {user};"


def on_connect(error: BaseException, endpoint: Endpoint) -> errors.ServerError:
    """What it means that a connection could not be made."""
    code, where, user = number(error), address(endpoint), endpoint.user or "the operating system's user"
    if code == OFFERS_NO_TLS:
        return tls.plain(endpoint, where)
    if code == NEEDS_TLS:
        return tls.refused(
            endpoint, where, text(error), "add ssl_mode=required, or better ssl_ca=FILE, to the cluster's URL"
        )
    if broken := on_handshake(error, endpoint, where):
        return broken
    if code in AUTH:
        remedy = (
            f"Check user and password of cluster {endpoint.name}, and from which hosts {user} may connect. An account "
            "that REQUIREs a client certificate is let in with ssl_cert and ssl_key alone."
        )
        return errors.AuthError(f"{where} refuses {user}: {text(error)}", remedy=remedy, cluster=endpoint.name)
    if code == NO_SUCH_DATABASE:
        remedy = "Check the database's name in the URL; it may be spelled in another case."
        message = f"{where} has no database {endpoint.database!r}"
        return errors.NoSuchDatabase(message, remedy=remedy, cluster=endpoint.name)
    if code == NO_ACCESS_TO_DATABASE:
        scope = "`" + endpoint.database.replace("`", "``") + "`.*"
        remedy = f"{grant('SELECT', scope, account(text(error), endpoint))} Or the database does not exist."
        return errors.PrivilegeError(text(error), remedy=remedy, cluster=endpoint.name)
    if code in UNREACHABLE | LOST or isinstance(error, OSError):
        remedy = "Check that the server runs there, and that firewalls let this host through."
        return errors.ConnectError(f"cannot reach {where}: {text(error)}", remedy=remedy, cluster=endpoint.name)
    return errors.ConnectError(f"cannot connect to {where}: {text(error)}", cluster=endpoint.name)


def on_statement(
    error: BaseException, endpoint: Endpoint, what: str, statement: str = "", known_as: str = ""
) -> errors.ServerError:
    """What it means that a statement failed; ``what`` names it.

    ``known_as`` is the account that the server lets act, as a GRANT names it: messages name the client's host instead.
    """
    code, said = number(error), f"{what}: {text(error)}" if what else text(error)
    if code in PRIVILEGE:
        message = str(error.args[1]) if len(error.args) > 1 else ""
        remedy = grant(needed(message), _scope(message, statement), known_as or account(message, endpoint))
        return errors.PrivilegeError(said, remedy=remedy, cluster=endpoint.name)
    if code in LOST or isinstance(error, OSError):
        return errors.ConnectionLost(f"lost the connection to {address(endpoint)}: {said}", cluster=endpoint.name)
    if code in INTERRUPTED:
        return errors.DeadlineError(said, cluster=endpoint.name)
    return errors.StatementError(said, cluster=endpoint.name)


def account(message: str, endpoint: Endpoint) -> str:
    """The account as a GRANT names it: as the server spelled it, else the user of the URL."""
    found = re.search(r"'[^']*'@'[^']*'", message)
    return found.group() if found else "'" + (endpoint.user or "") + "'@'%'"


def _scope(message: str, statement: str = "") -> str:
    """What a message is about. Some servers tell a table without its database, which the statement knows.

    >>> _scope("SELECT command denied to user 'a'@'b' for table 'user'", "SELECT u.User FROM mysql.user AS u")
    'mysql.`user`'
    >>> _scope("SELECT command denied to user 'a'@'b' for table `c`.`d`")
    '`c`.`d`'
    """
    table = re.search(r"for table (`(?:[^`]|``)+`\.`(?:[^`]|``)+`|'(?P<bare>[^']+)')", message)
    if table and table["bare"]:
        named = "`" + table["bare"].replace("`", "``") + "`"
        either = f"{re.escape(named)}|{re.escape(table['bare'])}\\b"
        spelled = rf"\b(?:FROM|JOIN|INTO|UPDATE|TABLE) (?P<schema>`(?:[^`]|``)+`|\w+)\.(?:{either})"
        found = re.search(spelled, statement, re.IGNORECASE)
        return f"{found['schema']}.{named}" if found else named
    if table:
        return table[1]
    database = re.search(r"to database '(?P<name>[^']+)'", message)
    return f"`{database['name']}`.*" if database else "*.*"


@contextmanager
def translated(endpoint: Endpoint, what: str = "", statement: str = "", known_as: str = "") -> Iterator[None]:
    """Turn what the driver raises inside into replguard's errors."""
    import pymysql  # noqa: PLC0415 - imported where it is needed: starting up must be quick

    try:
        yield
    except (pymysql.Error, OSError) as error:
        raise on_statement(error, endpoint, what, statement, known_as) from error


def driver_errors() -> tuple[type[BaseException], ...]:
    """What the driver raises, for the few places that look at a number themselves."""
    import pymysql  # noqa: PLC0415 - see above

    kinds: tuple[Any, ...] = (pymysql.Error, OSError)
    return kinds
