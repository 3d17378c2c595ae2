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
    "binlog_format",
    "binlog_row_image",
)


def settings(server: BinlogServer) -> Iterator[Setting]:
    found = settings_of(server)
    for names, changes_data in ((_DATA, True), (_BEHAVIOUR, False)):
        for name in names:
            if name in found:
                yield Setting(name, found[name], changes_data)
    zone = found.get("time_zone", "")
    yield Setting("time_zone", found.get("system_time_zone", zone) if zone == "SYSTEM" else zone, changes_data=True)
