"""What ails a link of MySQL or MariaDB beyond its state: delays, errors that are skipped, orders that are not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.health import Ailment
from replguard.model.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from replguard.engines.binlog.server import BinlogServer
    from replguard.model.links import Link

_OFF = {"", "0", "OFF", "NONE"}
_NO_ORDER = "minimal"


def settings_of(server: BinlogServer) -> dict[str, str]:
    """Every setting, by its name."""
    return {str(row["Variable_name"]).lower(): str(row["Value"]) for row in server.run("settings")}


def ailments(server: BinlogServer, link: Link) -> Iterator[Ailment]:
    """By the link's status, and the settings of its target that hold for all links."""
    settings = settings_of(server)
    yield from _delay(link)
    yield from _skips(link, settings)
    yield from _order(link, settings)


def _delay(link: Link) -> Iterator[Ailment]:
    if delay := int(link.detail["delay_seconds"]):
        yield Ailment(
            "replication.delayed",
            f"{link.label} is set to apply {delay} s late, so {link.target} is never caught up",
            f"on {link.target}, with the link stopped: CHANGE MASTER ... TO MASTER_DELAY = 0 "
            "(MySQL: CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 0)",
        )


def _skips(link: Link, settings: Mapping[str, str]) -> Iterator[Ailment]:
    if count := int(link.detail["skip_counter"]):
        yield Ailment(
            "replication.skips",
            f"{link.label} is told to skip the next {count} events (sql_slave_skip_counter)",
            f"on {link.target}: SET GLOBAL sql_slave_skip_counter = 0",
        )
    for name in ("slave_skip_errors", "replica_skip_errors"):
        if (value := settings.get(name, "OFF")).upper() not in _OFF:
            yield Ailment(
                "replication.skips",
                f"{link.target} skips what it cannot apply with errors {value} ({name}): rows may be missing unseen",
                f"take {name} out of the option file of {link.target}, restart it, and compare with `replguard diff`",
            )
            return
    for name in ("slave_exec_mode", "replica_exec_mode"):
        if settings.get(name, "STRICT").upper() == "IDEMPOTENT":
            yield Ailment(
                "replication.skips",
                f"{link.target} applies changes though the row is missing or there already ({name} = IDEMPOTENT)",
                f"on {link.target}: SET GLOBAL {name} = 'STRICT', and compare with `replguard diff`",
            )
            return


def _order(link: Link, settings: Mapping[str, str]) -> Iterator[Ailment]:
    """MySQL's workers may commit out of order; MariaDB's only in the mode that is called none, or minimal."""
    for workers, order in (
        ("replica_parallel_workers", "replica_preserve_commit_order"),
        ("slave_parallel_workers", "slave_preserve_commit_order"),
    ):
        if int(settings.get(workers, "0") or 0) > 1 and settings.get(order, "ON").upper() == "OFF":
            yield Ailment(
                "replication.unordered",
                f"{link.target} commits in another order than its source ({order} = OFF): a position that is reached "
                "does not tell that all before it is there",
                f"on {link.target}, with the link stopped: SET GLOBAL {order} = ON",
                Severity.warn,
            )
            return


def passes_on(server: BinlogServer, link: Link) -> str | None:
    """A server skips what it wrote itself, by its server id, unless it is told not to."""
    if server.variables.get("replicate_same_server_id", "OFF").upper() == "ON":
        return f"{link.target} applies its own changes when they come back (replicate_same_server_id = ON)"
    return None
