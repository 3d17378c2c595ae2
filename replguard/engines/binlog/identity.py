"""Which identities MySQL and MariaDB write under, as their GTID positions tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SHOWN = (
    "hostname",
    "port",
    "version_comment",
    "binlog_format",
    "gtid_mode",
    "gtid_strict_mode",
    "read_only",
    "super_read_only",
)


def uuids(gtid_set: str) -> frozenset[str]:
    """The servers in a MySQL GTID set.

    >>> sorted(uuids("3E11FA47-71CA-11E1-9E33-C80AA9429562:1-5:tag:7"))
    ['3e11fa47-71ca-11e1-9e33-c80aa9429562']
    """
    return frozenset(found.lower() for found in _UUID.findall(gtid_set))


def server_ids(gtid_list: str) -> frozenset[str]:
    """The servers in a MariaDB GTID list.

    >>> sorted(server_ids("0-1-270,1-2-3"))
    ['1', '2']
    """
    return frozenset(server for _, server, _ in triples(gtid_list))


def triples(gtid_list: str) -> tuple[tuple[str, str, int], ...]:
    """A MariaDB GTID list as (domain, server, sequence number).

    >>> triples("0-1-270, 1-2-3")
    (('0', '1', 270), ('1', '2', 3))
    """
    found = (part.strip().split("-") for part in gtid_list.split(",") if part.strip())
    return tuple((domain, server, int(number)) for domain, server, number in found)


def shown(variables: Mapping[str, str]) -> dict[str, object]:
    """What of the settings stands in an identity's detail, for both flavours."""
    detail: dict[str, object] = {name: variables[name] for name in _SHOWN if name in variables}
    detail["server_id"] = int(variables.get("server_id", "0"))
    detail["lower_case_table_names"] = int(variables.get("lower_case_table_names", "0"))
    replica_updates = variables.get("log_replica_updates", variables.get("log_slave_updates", "OFF"))
    detail["log_bin"] = variables.get("log_bin") == "ON"
    detail["log_replica_updates"] = replica_updates == "ON"
    return detail
