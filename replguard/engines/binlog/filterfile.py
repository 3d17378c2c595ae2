"""The filters of a link as plain data: written for a report, and read back from what a user wrote in a file.

The keys are the names of the servers' own options, with underscores or dashes. Lists may be written as a server prints
them, separated by commas. Where a key is left out, the value is the one that lets more through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from replguard.engines.binlog import fragility
from replguard.engines.binlog.rawfilters import RawFilters, names, pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_FLAGS = ("case_sensitive", "replicate_same_server_id", "source_binlog_known")
_NUMBERS = {
    "lower_case_table_names": "lower_case_table_names",
    "server_id": "target_server_id",
    "source_server_id": "source_server_id",
    "source_domain_id": "source_domain_id",
}
_IDS = ("ignore_server_ids", "do_domain_ids", "ignore_domain_ids")
_SOURCE_RULES = ("source_binlog_do_db", "source_binlog_ignore_db")
_HIGHEST_ID = 2**32 - 1


def described(raw: RawFilters) -> dict[str, Any]:
    """The rules that are set, by the names of their options, and what else decides.

    >>> described(RawFilters(ignore_table=("st.event",), target_server_id=2))
    {'replicate_ignore_table': ['st.event'], 'server_id': 2, 'case_sensitive': False}
    """
    found: dict[str, Any] = {f"replicate_{kind}": list(getattr(raw, kind)) for kind in fragility.RULES}
    found["replicate_rewrite_db"] = [f"{source}->{to}" for source, to in raw.rewrite_db]
    found |= {kind: sorted(getattr(raw, kind)) for kind in _IDS}
    found |= {kind: list(getattr(raw, kind)) for kind in _SOURCE_RULES}
    found |= {key: getattr(raw, attribute) for key, attribute in _NUMBERS.items()}
    found |= {key: getattr(raw, key) for key in _FLAGS}
    found["unreadable"] = list(raw.unreadable)
    found["configured_by"] = dict(raw.configured_by)
    unset = {key for key in found if key in ("source_server_id", "source_domain_id") and found[key] is not None}
    shown = {key: value for key, value in found.items() if value or key in unset}
    return shown | {"case_sensitive": raw.case_sensitive}


def parsed(described: Mapping[str, Any], *, by_case: bool) -> RawFilters:
    """The rules that ``described`` tells. ValueError names a key that is none, or one with a value that is none.

    ``by_case`` says whether the engine compares table rules by exact case where neither ``case_sensitive`` nor
    ``lower_case_table_names`` tells.

    >>> parsed({"replicate-ignore-table": "st.event,st.dmz", "server_id": 2}, by_case=True).ignore_table
    ('st.event', 'st.dmz')
    """
    found: dict[str, Any] = {}
    for written, value in described.items():
        key = str(written).replace("-", "_")
        read = _READERS.get(key)
        if read is None:
            raise ValueError(f"{written}: no such rule; known are {', '.join(sorted(_READERS))}")
        attribute, convert = read
        if attribute in found:
            raise ValueError(f"{written}: is given twice")
        try:
            found[attribute] = convert(value)
        except ValueError as error:
            raise ValueError(f"{written}: {error}") from None
    found.setdefault("case_sensitive", by_case and not found.get("lower_case_table_names"))
    return RawFilters(**found)


def _list(value: Any) -> tuple[Any, ...]:
    """A list, or one text with commas, as the servers print it; nothing at all is an empty list."""
    if value is None:
        return ()
    if isinstance(value, str):
        return names(value)
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(value)
    return (value,)


def _texts(value: Any) -> tuple[str, ...]:
    found = _list(value)
    for text in found:
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{text!r} is no name")
    return found


def _tables(value: Any) -> tuple[str, ...]:
    found = _texts(value)
    for rule in found:
        database, dot, table = rule.partition(".")
        if not (database and dot and table):
            raise ValueError(f"{rule!r} is not written as database.table")
    return found


def _rewrites(value: Any) -> tuple[tuple[str, str], ...]:
    """``from->to``, as MariaDB prints it, ``(from,to)`` as MySQL does, or a mapping."""
    if isinstance(value, dict):
        _texts([*value.keys(), *value.values()])
        return tuple(value.items())
    found: list[tuple[str, str]] = []
    for text in [value] if isinstance(value, str) else _texts(value):
        read = pairs(text)
        if text.strip() and (not read or not all(source and to for source, to in read)):
            raise ValueError(f"{text!r} is not written as from->to")
        found += read
    return tuple(found)


def _number(value: Any) -> int:
    text = str(value).strip()
    if isinstance(value, bool | float) or not (text.isascii() and text.isdigit()) or int(text) > _HIGHEST_ID:
        raise ValueError(f"{value!r} is no number from 0 to {_HIGHEST_ID}")
    return int(text)


def _ids(value: Any) -> frozenset[int]:
    return frozenset(map(_number, _list(value)))


def _lower_case(value: Any) -> int:
    number = _number(value)
    if number not in (0, 1, 2):
        raise ValueError(f"{value!r} is neither 0, 1 nor 2")
    return number


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")  # noqa: TRY004 - one error for whatever was written wrongly
    return value


def _origins(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError(f"{value!r} is no mapping of rules to how they were set")  # noqa: TRY004 - as above
    _texts([*value.keys(), *value.values()])
    return dict(value)


def _read(keys: Iterable[str], convert: Callable[[Any], Any], prefix: str = "") -> dict[str, Any]:
    return {f"{prefix}{key}": (key, convert) for key in keys}


_READERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    **_read(fragility.DATABASE_RULES, _texts, "replicate_"),
    **_read(fragility.TABLE_RULES, _tables, "replicate_"),
    **_read(("rewrite_db",), _rewrites, "replicate_"),
    **_read(_IDS, _ids),
    **_read(_SOURCE_RULES, _texts),
    **_read(_FLAGS, _flag),
    **{key: (attribute, _number) for key, attribute in _NUMBERS.items()},
    "lower_case_table_names": ("lower_case_table_names", _lower_case),
    "unreadable": ("unreadable", _texts),
    "configured_by": ("configured_by", _origins),
}
