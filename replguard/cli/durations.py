"""Lengths of time as people write them."""

from __future__ import annotations

import re

import typer

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "": 1.0}


def seconds(text: str | float) -> float:
    """A duration in seconds; typer.BadParameter for anything else.

    >>> seconds("30s"), seconds("1.5m"), seconds("200ms"), seconds("7")
    (30.0, 90.0, 0.2, 7.0)
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", str(text))
    if not match or match.group(2) not in _UNITS:
        raise typer.BadParameter(f"{text!r} is no duration: write 30s, 5m or 1h")
    return float(match.group(1)) * _UNITS[match.group(2)]
