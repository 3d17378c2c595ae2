"""Amounts of bytes as people write them."""

from __future__ import annotations

import re

from replguard.errors import UsageError

_UNITS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def size(text: str) -> int:
    """Bytes; units are powers of 1024. UsageError for anything else.

    >>> size("20GB"), size("1.5 GiB"), size("512k"), size("7")
    (21474836480, 1610612736, 524288, 7)
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?\s*", text.casefold())
    if not match:
        raise UsageError(f"{text!r} is no amount of bytes", remedy="write 20GB, 512MB or a number of bytes")
    return int(float(match[1]) * 1024 ** _UNITS[match[2]])


def by_cluster(given: list[str], clusters: list[str]) -> dict[str, int]:
    """CLUSTER=SIZE, as often as given. UsageError for a cluster that is none."""
    found = {}
    for text in given:
        name, _, amount = text.partition("=")
        if name not in clusters:
            raise UsageError(f"--free-disk {text}: {name!r} is none of {', '.join(clusters)}", remedy="CLUSTER=SIZE")
        found[name] = size(amount)
    return found
