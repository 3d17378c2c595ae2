"""The rows of one cluster's own life: its topology, queue, logs and transfers, which must not reach the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from replguard.demo.draw import PROTOCOLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.demo.draw import Draw, Maker, Row


def _auditlog(draw: Draw) -> Iterator[Row]:
    for number in range(1, draw.size // 2 + 3):
        old, new = draw.json({"disabled": False}), draw.json({"disabled": True})
        name, admin = f"account{number}", f"admin{number % draw.admins + 1}"
        yield draw.past(digits=3), f"{draw.site}-1", admin, "UPDATE", "Account", name, old, new


def _clusternode(draw: Draw) -> Iterator[Row]:
    for number in (1, 2):
        yield f"{draw.site}-{number}", f"198.51.100.{number}", draw.past(digits=3), number == 1, "5.5-20260226"


def _dmz_zone(draw: Draw) -> Iterator[Row]:
    yield 1, f"{draw.site} zone", True, f"the edges of {draw.site}"
    yield 2, "Private", False, f"the inside of {draw.site}"


def _dmz_edge(draw: Draw) -> Iterator[Row]:
    for number in (1, 2):
        yield number, 1, f"{draw.site}-edge{number}", True


def _dmz_edge_ip_address(draw: Draw) -> Iterator[Row]:
    for number in (1, 2):
        yield number, f"203.0.113.{draw.random.randint(1, 254)}"


def _dmz_edge_protocol(draw: Draw) -> Iterator[Row]:
    for number in (1, 2):
        yield number, "sftp", draw.random.randint(2000, 2999)
        yield number, "https", draw.random.randint(8000, 8999)


def _event(draw: Draw) -> Iterator[Row]:
    for number in range(1, draw.size // 2 + 3):
        kind, state = draw.one(("FileArrived", "Scheduled", "Retry")), draw.one(("new", "taken", "done"))
        owner = draw.maybe(f"{draw.site}-{number % 2 + 1}")
        yield kind, number % 10, state, owner, number % 4, draw.past(digits=3), draw.maybe(draw.octets(50, 500))


def _logging_event(draw: Draw) -> Iterator[Row]:
    for number in range(1, draw.size + 3):
        when = int(draw.midnight.timestamp()) * 1000 + number
        yield (
            when,
            draw.one(("INFO", "WARN", "ERROR")),
            "server.transfer",
            f"{draw.site}-worker-{number % 8}",
            f"event {number}",
        )


def _transferdata(draw: Draw) -> Iterator[Row]:
    for number in range(draw.size):
        account, address = f"account{number + 1}", draw.maybe(f"192.0.2.{number % 250 + 1}")
        protocol, inbound = draw.one(PROTOCOLS), draw.chance(0.6)
        yield *draw.transfer(number), account, f"user{number + 1}", protocol, inbound, address, f"{draw.site}-1"


def _transferdetails(draw: Draw) -> Iterator[Row]:
    for number in range(draw.size):
        size = draw.random.getrandbits(40)
        yield (
            *draw.transfer(number),
            f"/inbox/file{number}.csv",
            size,
            draw.octets(32, 32),
            draw.json({"mode": "binary"}),
        )


def _transferprotocolcommands(draw: Draw) -> Iterator[Row]:
    for number in range(draw.size):
        yield *draw.transfer(number), 1, f"STOR file{number}.csv", "226 done"


def _subtransmissionstatus(draw: Draw) -> Iterator[Row]:
    for number in range(draw.size):
        yield *draw.transfer(number), 1, draw.one(("complete", "failed")), draw.random.getrandbits(32)


# Table, lower case: the columns that are given, and who makes the rows. The database numbers events and log entries.
TABLES: Final[dict[str, tuple[str, Maker]]] = {
    "auditlog": ("logged node administrator_login operation object_kind object_name old_value new_value", _auditlog),
    "clusternode": ("name address started is_primary version", _clusternode),
    "dmz_zone": ("id name is_default description", _dmz_zone),
    "dmz_edge": ("id zone_id name enabled", _dmz_edge),
    "dmz_edge_ip_address": ("edge_id address", _dmz_edge_ip_address),
    "dmz_edge_protocol": ("edge_id protocol port", _dmz_edge_protocol),
    "event": ("kind priority state owner_node attempts created payload", _event),
    "logging_event": ("logged_ms level logger thread message", _logging_event),
    "transferdata": (
        "id starttime account_name login protocol inbound remote_address server_node",
        _transferdata,
    ),
    "transferdetails": ("transfer_id starttime file_name file_size sha256 parameters", _transferdetails),
    "transferprotocolcommands": ("transfer_id starttime position command reply", _transferprotocolcommands),
    "subtransmissionstatus": ("transfer_id starttime position status bytes_sent", _subtransmissionstatus),
}
