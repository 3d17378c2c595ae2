"""Subscriptions of a database as links: whose they are, in what state, and how far.

A subscription stores no identity of its publisher. What there is: the slot's name, which is unique on the publisher,
the slot's database and plugin, whether a WAL sender reads it while the apply worker runs, and positions that must fit.
A peer is the source if all of these agree there and on no other peer; where the connection string may be read, its
database must be the peer's too. Two peers that agree alike leave the link unmatched, and say so.

Turning links on and off is the business of ``control``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from psycopg.conninfo import conninfo_to_dict

from replguard.engines.postgresql.aside import found_again, is_aside
from replguard.engines.postgresql.position import lsn, number
from replguard.errors import PrivilegeError, ServerError
from replguard.model.links import Link, LinkState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from replguard.engines.base import Server
    from replguard.engines.postgresql.server import PostgresServer
    from replguard.engines.postgresql.session import Session
    from replguard.model.positions import Position

Fields = dict[str, Any]
READY = frozenset("rs")
_SETTLE = 2.0
"""Seconds that a worker or a WAL sender may take to come or go before its absence or presence counts."""


class Seen(NamedTuple):
    """One subscription at one moment: its row, its apply worker, whether any worker is there, its error counters."""

    row: Fields
    worker: Fields | None
    workers: int
    errors: Fields
    copying: tuple[str, ...]
    address: Fields | None


def find_peer(peers: Mapping[str, Server], name: str | None) -> PostgresServer | None:
    """The connected peer of that name, if it is one of this engine."""
    from replguard.engines.postgresql.server import PostgresServer  # noqa: PLC0415 - the two know each other

    server = peers.get(name or "")
    return server if isinstance(server, PostgresServer) else None


def links_of(target: PostgresServer, peers: Mapping[str, Server]) -> tuple[Link, ...]:
    """All subscriptions of the target's database."""
    found = target.session.rows("subscriptions", doing="reading subscriptions")
    return tuple(_link(target, row, peers) for row in found)


def look(session: Session, row: Fields) -> Seen:
    """The subscription's workers, counters, unfinished copies and address, read now."""
    oid = {"oid": row["oid"]}
    workers = session.rows("subscription_workers", oid)
    counted = session.rows("subscription_errors", oid)
    tables = session.rows("subscribed_tables", oid)
    return Seen(
        row=row,
        worker=next((worker for worker in workers if worker["applies"]), None),
        workers=len(workers),
        errors=counted[0] if counted else {"apply_errors": None, "sync_errors": None},
        copying=tuple(f"{table['schema']}.{table['name']}" for table in tables if table["state"] not in READY),
        address=_address(session, row["oid"]),
    )


def _address(session: Session, oid: int) -> Fields | None:
    """Host, port and database of the connection string; None where it may not be read. Nothing else leaves here."""
    try:
        text = session.row("subscription_address", {"oid": oid})["conninfo"]
    except PrivilegeError:
        return None
    parts = conninfo_to_dict(text)
    return {
        "host": parts.get("host") or parts.get("hostaddr"),
        "port": parts.get("port"),
        "dbname": parts.get("dbname"),
    }


def wait_until(question: Callable[[], bool], seconds: float = _SETTLE) -> bool:
    """Whether the question was answered with yes within so many seconds."""
    deadline = time.monotonic() + seconds
    while not question():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.05)
    return True


def _settled(target: PostgresServer, row: Fields) -> Seen:
    """An enabled subscription without its worker may be starting, a disabled one with it stopping: wait a moment."""
    seen = [look(target.session, row)]

    def as_wanted() -> bool:
        seen.append(look(target.session, row))
        return (seen[-1].worker is not None) if row["enabled"] else seen[-1].workers == 0

    if row["enabled"] is (seen[0].worker is None) and "put_aside" not in row:
        wait_until(as_wanted)
    return seen[-1]


def _link(target: PostgresServer, row: Fields, peers: Mapping[str, Server]) -> Link:
    seen = _settled(target, _with_real_slot(row, peers))
    row = seen.row
    name, why = _match(target, seen, peers)
    source = find_peer(peers, name)
    if source:
        target.publishers[row["oid"]] = source.identity.text
    slot = slot_of(source, row["slot"]) if source else None
    applied = lsn(slot["confirmed"]) if slot and slot["confirmed"] else progress(target, row["oid"])
    state, errors = _state(seen, slot, known=source is not None)
    if source and slot and state is LinkState.running and not wait_until(lambda: _active(source, row["slot"])):
        state, errors = LinkState.broken, ("the apply worker runs, but nobody reads its slot on the source",)
    lag = _lag(source, row["slot"]) if source and state is LinkState.running else None
    if state is LinkState.running and not _steady(target, seen, hurry=lag == 0.0):
        state, errors = LinkState.broken, ("its apply worker fails and is started again (the server's log tells why)",)
    return Link(
        name=row["name"],
        target=target.name,
        source=name,
        state=state,
        address=_where(seen.address),
        why_unmatched=why,
        received=lsn(seen.worker["received"]) if seen.worker and seen.worker["received"] else None,
        applied=applied,
        lag_seconds=lag if state is LinkState.running else None,
        errors=errors,
        initial_copy=seen.copying,
        detail=_detail(seen, slot),
    )


def _with_real_slot(row: Fields, peers: Mapping[str, Server]) -> Fields:
    """The row with its real slot, where that was put aside by a change of filters that was not finished."""
    if not is_aside(row["slot"]):
        return row
    for name in peers:
        peer = find_peer(peers, name)
        slots = peer.session.rows("publication_readers") if peer else []
        if real := found_again(row["slot"], [slot["slot"] for slot in slots]):
            return {**row, "slot": real, "put_aside": row["slot"]}
    return row


def _steady(target: PostgresServer, seen: Seen, *, hurry: bool) -> bool:
    """Whether the apply worker stays the same one: one that meets an error comes back again and again.

    Half a second is spent on it, but not where nothing is behind and no error was ever counted (``hurry``).
    """
    if seen.worker is None or (hurry and seen.errors["apply_errors"] == 0):
        return seen.worker is not None
    pid = seen.worker["pid"]
    replaced = wait_until(lambda: (look(target.session, seen.row).worker or {}).get("pid") != pid, 0.6)
    return not replaced


def _where(address: Fields | None) -> str:
    if address is None:
        return ""
    return f"{address['host'] or 'localhost'}:{address['port'] or 5432}/{address['dbname'] or ''}"


def _detail(seen: Seen, slot: Fields | None) -> Fields:
    row = seen.row
    detail = {key: row[key] for key in ("oid", "owner", "enabled", "slot", "origin", "two_phase", "streaming")}
    detail |= {"disable_on_error": row["disable_on_error"], "publications": list(row["publications"])}
    detail |= {"skip_lsn": row["skip_lsn"], **seen.errors}
    if seen.address is None:
        detail["address_unknown"] = "GRANT SELECT (subconninfo) ON pg_subscription TO the user, or use a superuser"
    if slot:
        detail |= {key: slot[key] for key in ("wal_status", "safe_wal_size", "retained_bytes", "restart_lsn")}
    return detail


def slot_of(source: PostgresServer, name: str | None) -> Fields | None:
    """The slot on the source now, None where it is not there."""
    found = source.session.rows("slot", {"slot": name}) if name else []
    return found[0] if found else None


def _active(source: PostgresServer, name: str) -> bool:
    slot = slot_of(source, name)
    return bool(slot and slot["active"])


def progress(target: PostgresServer, oid: int) -> Position | None:
    """How far the subscription has applied, as the target remembers; None where it may not be asked."""
    try:
        found = target.session.rows("origin_progress", {"origin": f"pg_{oid}"})
    except PrivilegeError:
        return None
    return lsn(found[0]["applied"]) if found and found[0]["applied"] else None


def _state(seen: Seen, slot: Fields | None, *, known: bool) -> tuple[LinkState, tuple[str, ...]]:
    row = seen.row
    errors: list[str] = []
    if row["slot"] is None:
        errors.append("the subscription has no slot")
    elif known and slot is None:
        errors.append(f"its slot {row['slot']} is gone from the source")
    elif slot and slot["lost"]:
        errors.append(
            f"its slot {row['slot']} is lost (wal_status {slot['wal_status']}): the source removed WAL it needs"
        )
    if row.get("put_aside"):
        errors.append("its slot is put aside since a change of its filters that was not finished")
    if row["skip_lsn"]:
        errors.append(f"it is told to skip the transaction at {row['skip_lsn']}")
    counted = seen.errors["apply_errors"]
    if row["enabled"] and seen.worker is None:
        times = f"; {counted} apply errors counted" if counted else ""
        errors.append(f"it is enabled, but its apply worker does not stay up (the server's log tells why){times}")
    if not row["enabled"] and seen.workers:
        errors.append("it is disabled, but a worker still runs")
    if errors:
        return LinkState.broken, tuple(errors)
    if row["enabled"]:
        return LinkState.running, ()
    if row["disable_on_error"] and counted:
        counts = f"disable_on_error is set and {counted} apply errors are counted"
        return LinkState.unknown, (f"it is disabled; {counts}: it may have disabled itself",)
    return LinkState.paused, ()


def _lag(source: PostgresServer, slot: str) -> float | None:
    """How long it took to apply what the source has now: measured, for at most a second; else what the sender says."""
    began = time.monotonic()
    end = None

    def reached() -> bool:
        nonlocal end
        now = slot_of(source, slot)
        if now is None or now["confirmed"] is None:
            return False
        end = end or number(now["wal_end"])
        return number(now["confirmed"]) >= end

    if reached():
        return 0.0
    if wait_until(reached, 1.0):
        return time.monotonic() - began
    now = slot_of(source, slot)
    if not now or not now["active_pid"]:
        return None
    sender = source.session.rows("sender", {"pid": now["active_pid"]})
    return sender[0]["replay_lag"] if sender else None


def _match(target: PostgresServer, seen: Seen, peers: Mapping[str, Server]) -> tuple[str | None, str | None]:
    """The one peer that fits, or None and why."""
    if seen.row["slot"] is None:
        return None, "the subscription names no slot"
    reasons: list[str] = []
    fitting: list[str] = []
    for name in peers:
        peer = find_peer(peers, name)
        if peer is None or peer.identity.text == target.identity.text:
            continue
        try:
            against = _against(target, peer, seen)
        except ServerError as error:
            against = f"it could not be asked: {error.message}"
        if against:
            reasons.append(f"not {name}: {against}")
        else:
            fitting.append(name)
    if len(fitting) > 1:
        fitting = [name for name in fitting if _addressed(peers[name], seen.address)] or fitting
    if len(fitting) == 1:
        return fitting[0], None
    if fitting:
        return None, f"slot {seen.row['slot']!r} fits on {' and '.join(fitting)} alike"
    return None, "; ".join(reasons) or "there is no other cluster to compare with"


def _addressed(peer: Server, address: Fields | None) -> bool:
    if address is None:
        return False
    here = (peer.endpoint.host, str(peer.endpoint.port or 5432), peer.endpoint.database)
    return here == (address["host"], str(address["port"] or 5432), address["dbname"])


def _against(target: PostgresServer, peer: PostgresServer, seen: Seen) -> str | None:
    """What speaks against this peer being the source; None if nothing."""
    name = seen.row["slot"]
    slot = slot_of(peer, name)
    if slot is None:
        return f"it has no logical slot {name!r}"
    if not slot["here"] or slot["plugin"] != "pgoutput":
        return f"its slot {name!r} is of another database or plugin"
    if seen.address and seen.address["dbname"] not in (None, peer.endpoint.database):
        return f"the subscription connects to database {seen.address['dbname']!r}"
    if seen.worker is None:
        return None
    if not wait_until(lambda: _active(peer, name)):
        now = look(target.session, seen.row).worker
        if now and now["pid"] == seen.worker["pid"]:
            return f"the subscription's worker runs, but nobody reads slot {name!r} there"
        return None  # a worker that comes and goes proves nothing against the peer
    received = seen.worker["received"]
    if received and number(received) > number((slot_of(peer, name) or slot)["wal_end"]):
        return f"the subscription received {received}, which that server has not written yet"
    return None
