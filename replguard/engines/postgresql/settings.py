"""The settings by which PostgreSQL databases behave in different ways for an application."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from replguard.engines.postgresql.quoting import quoted
from replguard.engines.settings import Setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.engines.postgresql.server import PostgresServer

_DATA = (
    "server_encoding",
    "TimeZone",
    "DateStyle",
    "standard_conforming_strings",
    "backslash_quote",
    "array_nulls",
    "transform_null_equals",
    "session_replication_role",
    "default_text_search_config",
)
_BEHAVIOUR = (
    "IntervalStyle",
    "bytea_output",
    "extra_float_digits",
    "default_transaction_isolation",
    "default_transaction_read_only",
    "default_transaction_deferrable",
    "search_path",
    "lc_messages",
    "lc_monetary",
    "lc_numeric",
    "lc_time",
    "max_connections",
    "statement_timeout",
    "lock_timeout",
    "wal_level",
    "max_replication_slots",
    "max_wal_senders",
    "max_logical_replication_workers",
    "max_worker_processes",
    "max_prepared_transactions",
    "track_commit_timestamp",
)
_JOBS = ("pg_cron", "pg_dbms_job", "pg_later", "pg_task")

_RUNS_JOBS = re.compile("pg_timetable|pgagent", re.IGNORECASE)


def settings(server: PostgresServer) -> Iterator[Setting]:
    for row in server.session.rows("settings", {"names": [*_DATA, *_BEHAVIOUR]}, doing="reading settings"):
        name = row["name"]
        changes_data = name in _DATA or name not in _BEHAVIOUR
        yield Setting(name, str(row["value"]), changes_data)


def schedulers(server: PostgresServer) -> Iterator[str]:
    remedy = f"GRANT pg_read_all_settings TO {quoted(server.facts['role'])}"
    row = server.session.row("schedulers", doing="looking for what runs jobs by itself", remedy=remedy)
    loaded = [part.strip().rpartition("/")[2].removesuffix(".so") for part in str(row["libraries"]).split(",")]
    for name in _JOBS:
        if name in loaded:
            yield f"{name} is loaded, and its jobs are not read"
    programs = {str(row["program"]) for row in server.session.rows("tools_programs")}
    for program in sorted(filter(_RUNS_JOBS.match, programs)):
        yield f"{program} is connected, and its jobs are not read"
