"""Names of binlog files, and which comes after which."""

from __future__ import annotations

import re

_NAME = re.compile(r"(?P<base>[^\x00-\x1f\ufffd]*)\.(?P<number>\d+)")


def is_file_name(name: str) -> bool:
    return bool(_NAME.fullmatch(name))


def order(name: str) -> int:
    """The number in a file's name.

    >>> order("binlog.1000000") > order("binlog.999999")
    True
    """
    found = _NAME.fullmatch(name)
    return int(found["number"]) if found else 0


def follows(before: str, after: str) -> bool:
    """Whether ``after`` is the very next file.

    >>> follows("binlog.000009", "binlog.000010"), follows("binlog.000009", "binlog.000011")
    (True, False)
    """
    return order(after) == order(before) + 1
