"""Filters that stand in a file: as somebody wrote them, or in the document of ``filter audit --format json``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from replguard.errors import UsageError
from replguard.yamlfile import YamlFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_REMEDY = "save `replguard filter audit --format json` to a file, or write its data.filters by hand"


def read(path: Path, link: str | None = None) -> dict[str, Any]:
    """The filters of one link: YAML or JSON, a mapping of rules or a whole document.

    ``link`` chooses among several links by label (``blue->green``) or name. Raises ConfigError and UsageError.
    """
    content = _content(path)
    if not isinstance(content, dict):
        raise UsageError(f"{path} holds no filters: it is no mapping", remedy=_REMEDY)
    if "schema" in content and "checks" in content:
        return _of_document(path, content, link)
    if link is not None:
        raise UsageError(
            f"{path} holds the filters of one link, and --link chooses among several", remedy="leave --link out"
        )
    return content


def _content(path: Path) -> Any:
    """JSON is YAML but for its escapes of two code units, so that it is tried as what it looks like first."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return YamlFile.read(path, remedy=_REMEDY).data


def _of_document(path: Path, document: Mapping[str, Any], link: str | None) -> dict[str, Any]:
    data = document.get("data")
    found = data.get("filters") if isinstance(data, dict) else None
    if not isinstance(found, dict) or not found:
        raise UsageError(f"{path} is a report without filters of a link", remedy=_REMEDY)
    fitting = {label: filters for label, filters in found.items() if link in (None, label, label.partition("/")[2])}
    if len(fitting) != 1:
        told = ", ".join(found)
        what = f"no link {link!r}" if link is not None else "more than one link"
        raise UsageError(f"{path} holds {what}: {told}", remedy="choose one with --link LABEL")
    (filters,) = fitting.values()
    if not isinstance(filters, dict):
        raise UsageError(f"{path}: the filters of a link are no mapping", remedy=_REMEDY)
    return filters
