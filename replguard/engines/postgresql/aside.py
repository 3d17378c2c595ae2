"""A subscription whose slot is put aside: it is enabled, and cannot receive.

A refresh is refused while a subscription is disabled, and an enabled one applies what waits in its slot. So for the
time of a refresh the subscription is given the name of a slot that does not exist: its worker finds nothing to read,
whoever dies meanwhile, and nothing of what waits is applied. The name is made of the real slot's, so that this is
found again.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PREFIX = "replguard_aside_"


def aside(slot: str) -> str:
    """The name that stands for this slot while it is put aside.

    >>> aside("st_from_blue")
    'replguard_aside_0c4f5cb630db23d13e956a49'
    """
    return _PREFIX + hashlib.blake2b(slot.encode(), digest_size=12).hexdigest()


def is_aside(name: str | None) -> bool:
    return bool(name and name.startswith(_PREFIX))


def found_again(name: str, slots: Iterable[str]) -> str | None:
    """The slot that was put aside under this name; None where it is not among these."""
    return next((slot for slot in slots if aside(slot) == name), None)
