"""What ails a subscription beyond its state: errors that come back, a slot in danger. A skip breaks its state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.health import Ailment
from replguard.model.findings import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from replguard.engines.postgresql.server import PostgresServer
    from replguard.model.links import Link


def ailments(server: PostgresServer, link: Link) -> Iterator[Ailment]:
    yield from _errors(server, link)
    yield from _slot(link, link.detail)


def _errors(server: PostgresServer, link: Link) -> Iterator[Ailment]:
    """The counters of now, beside those of when the link was read: growing ones are errors of this very moment."""
    rows = server.session.rows("subscription_errors", {"oid": link.detail["oid"]})
    for key, what in (("apply_errors", "applying"), ("sync_errors", "copying a table")):
        then, now = link.detail.get(key), rows[0][key] if rows else None
        if then is None or now is None:
            continue
        if now > then:
            words = f"{link.label} fails again and again: {now - then} errors while {what} since the gate began"
            yield Ailment("replication.errors", words, f"see the log of {link.target}")
        elif now:
            yield Ailment(
                "replication.errors",
                f"{link.label} has failed {now} times while {what} since its counters were reset",
                f"see the log of {link.target}; then SELECT pg_stat_reset_subscription_stats({link.detail['oid']})",
                Severity.warn,
            )


def _slot(link: Link, detail: Mapping[str, Any]) -> Iterator[Ailment]:
    if detail.get("wal_status") in ("unreserved", "lost"):
        yield Ailment(
            "replication.slot",
            f"the slot {detail['slot']} of {link.label} is {detail['wal_status']}: what it needs is removed, or may be "
            "any moment",
            f"raise max_slot_wal_keep_size on {link.source}, or copy {link.target} anew where the slot is lost",
        )


def passes_on(link: Link) -> str | None:
    """A subscription with the origin `any` takes what its publisher has received from elsewhere."""
    if link.detail.get("origin") == "none":
        return None
    return f"subscription {link.name} on {link.target} asks for changes of any origin"
