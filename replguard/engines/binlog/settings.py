"""The settings by which MySQL and MariaDB servers behave in different ways for an application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.binlog.ailments import settings_of
from replguard.engines.settings import Setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.engines.binlog.server import BinlogServer

_DATA = (
    "sql_mode",
    "character_set_server",
    "collation_server",
    "default_collation_for_utf8mb4",
    "character_set_collations",
    "old_mode",
    "lower_case_table_names",
    "explicit_defaults_for_timestamp",
    "default_storage_engine",
    "innodb_strict_mode",
    "foreign_key_checks",
    "unique_checks",
)
_BEHAVIOUR = (
    "transaction_isolation",
    "tx_isolation",
    "autocommit",
    "completion_type",
    # Its offset is another on each side where both are written.
    "auto_increment_increment",
    "group_concat_max_len",
    "max_allowed_packet",
    "default_week_format",
    "div_precision_increment",
    "lc_time_names",
    "log_bin_trust_function_creators",
    "sql_require_primary_key",
    "sql_generate_invisible_primary_key",
    "innodb_lock_wait_timeout",
    "wait_timeout",
    "max_connections",
    "log_bin",
    "log_slave_updates",
    "log_replica_updates",
    "gtid_mode",
    "enforce_gtid_consistency",
    "gtid_strict_mode",
    "binlog_format",
    "binlog_row_image",
    "binlog_row_metadata",
    "binlog_row_value_options",
)


def settings(server: BinlogServer) -> Iterator[Setting]:
    found = settings_of(server)
    for names, changes_data in ((_DATA, True), (_BEHAVIOUR, False)):
        for name in names:
            if name in found:
                yield Setting(name, found[name], changes_data)
    yield Setting("time_zone", _zone(server, found.get("time_zone", "")), changes_data=True)


def _zone(server: BinlogServer, name: str) -> str:
    """SYSTEM by what it does: its abbreviation is of several zones, and in some of the season when the server began."""
    if name != "SYSTEM":
        return name
    (row,) = server.run("system_zone")
    return f"SYSTEM, in January UTC{_offset(row['january'])}, in July UTC{_offset(row['july'])}"


def _offset(minutes: int) -> str:
    """As a server writes it.

    >>> _offset(-210), _offset(60)
    ('-03:30', '+01:00')
    """
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
