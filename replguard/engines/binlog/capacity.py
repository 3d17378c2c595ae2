"""Room and rights on a MySQL or MariaDB server: connections, privileges, and what a link that leads back needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.binlog.ailments import settings_of
from replguard.engines.binlog.errors import grant
from replguard.engines.binlog.filterrules import logged_at_source
from replguard.engines.binlog.keeping import expires
from replguard.engines.binlog.places import as_text
from replguard.engines.binlog.privileges import Privileges, account
from replguard.engines.binlog.rawfilters import RawFilters, source_rules
from replguard.engines.binlog.server import is_on
from replguard.engines.capacity import Hindrance, Lack, Places
from replguard.errors import PrivilegeError
from replguard.model.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from replguard.engines.binlog.server import BinlogServer
    from replguard.model.links import Link

_CONNECTIONS = 10
"""As many as a watch, a pause and a link may open beside those that are open now."""
_SET_FILTERS = {"mysql": "REPLICATION_SLAVE_ADMIN", "mariadb": "REPLICATION SLAVE ADMIN"}


def places(server: BinlogServer) -> Iterator[Places]:
    settings = settings_of(server)
    used = int(as_text(server.run("capacity_connections")[0]["Value"]))
    raised = "SET GLOBAL max_connections = N, and the same in the option file"
    yield Places("connections", "max_connections", int(settings["max_connections"]), used, _CONNECTIONS, raised)
    most = int(server.run("capacity_user")[0]["most"])
    if most:
        own = server.account.rpartition("@")[0]
        mine = sum(as_text(row["User"]) == own for row in server.run("capacity_own"))
        raised = f"ALTER USER {account(server.account)} WITH MAX_USER_CONNECTIONS N, or SET GLOBAL max_user_connections"
        yield Places(
            f"connections of {account(server.account)}", "max_user_connections", most, mine, _CONNECTIONS, raised
        )


def lacks(server: BinlogServer, links: Sequence[Link]) -> Iterator[Lack]:
    """Links are switched, and filters set, on their target; what is on the other side is for the way back."""
    held, user = Privileges(server), account(server.account)
    if not held.has_everywhere("REPLICATION SLAVE"):
        remedy = grant("REPLICATION SLAVE", "*.*", user)
        yield Lack("pause, resume, watch", f"{user} lacks REPLICATION SLAVE", remedy)
    needed = _SET_FILTERS[server.flavour]
    if not held.has_everywhere(needed) and not (server.flavour == "mysql" and held.has_everywhere("SUPER")):
        target = any(link.target == server.name for link in links)
        steps = "pause, resume, filter apply" if target else "pause and resume after the direction was turned round"
        yield Lack(steps, f"{user} lacks {needed}", grant(needed, "*.*", user), moves=target)


def way_back(server: BinlogServer, link: Link, pause: float) -> Iterator[Hindrance]:
    settings = settings_of(server)
    if not is_on(server.variables, "log_bin"):
        remedy = "set log_bin in the option file and restart the server"
        yield Hindrance("back.impossible", Severity.fail, "it writes no binary log (log_bin is off)", remedy)
        return
    if not is_on(server.variables, "log_replica_updates", "log_slave_updates"):
        what = "it does not log what it applies (log_replica_updates is off), so replicas behind it miss that"
        remedy = "set log_replica_updates (MariaDB: log_slave_updates) in the option file and restart the server"
        yield Hindrance("back.fragile", Severity.warn, what, remedy)
    expire = expires(settings)
    if 0 < expire < pause:
        what = f"it removes binlog files {expire:g} s after they were written, and a pause may last {pause:g} s"
        yield Hindrance("back.retention", Severity.fail, what, f"SET GLOBAL binlog_expire_logs_seconds = {pause:.0f}")
    yield from _left_out(server)
    yield from _account(server, link)
    if not link.detail.get("auto_position"):
        what = f"{link.label} goes by file and position: a link that leads back must be given those of {server.name}"
        yield Hindrance("back.position", Severity.info, what, "use GTIDs, or note SHOW MASTER STATUS at the switchover")


def _left_out(server: BinlogServer) -> Iterator[Hindrance]:
    """What never gets into this log no link can carry."""
    do, ignore, _ = source_rules(server)
    if not (do or ignore):
        return
    rules = RawFilters(
        source_binlog_do_db=do,
        source_binlog_ignore_db=ignore,
        lower_case_table_names=server.lower_case_table_names,
    )
    remedy = "take binlog_do_db and binlog_ignore_db out of its option file and restart it; let replicas filter"
    judged = {name: logged_at_source(rules, name) for name in server.scope}
    for name, crossing in judged.items():
        if not crossing.crosses:
            severity = Severity.unknown if crossing.crosses is None else Severity.fail
            what = f"on the way into its binary log {name} {crossing.why}"
            yield Hindrance("back.filters", severity, what, remedy)
    if all(crossing.crosses for crossing in judged.values()):
        rule = "binlog_do_db" if do else "binlog_ignore_db"
        what = f"its {rule} keeps changes out of its binary log, statements by the default database they were run in"
        yield Hindrance("back.filters", Severity.warn, what, remedy)


def _account(server: BinlogServer, link: Link) -> Iterator[Hindrance]:
    """The account by which the present link logs in should exist on this side, too."""
    name = str(link.detail.get("user") or "")
    try:
        found = [dict(row) for row in server.run("capacity_replicas")]
    except PrivilegeError:
        what = "it does not show whether it has an account by which a replica can log in"
        remedy = grant("SELECT (User, Host, Repl_slave_priv)", "mysql.user", account(server.account))
        yield Hindrance("back.unseen", Severity.info, what, remedy)
        return
    able = [row for row in found if as_text(row["may"]) == "Y"]
    if not able:
        what = "no account of it has REPLICATION SLAVE, so no replica can log in"
        yield Hindrance("back.account", Severity.fail, what, "CREATE USER ..., GRANT REPLICATION SLAVE ON *.* TO ...")
    elif name and not any(_named(row, name) for row in able):
        what = f"it has no account {name!r} with REPLICATION SLAVE, by which the present link logs in"
        remedy = f"create {name!r} there too and GRANT REPLICATION SLAVE ON *.* TO it, or plan another account"
        yield Hindrance("back.account", Severity.warn, what, remedy)


def _named(row: Mapping[str, object], name: str) -> bool:
    return as_text(row["name"]) == name
