"""The shape of what a user writes: ``replguard.yaml`` and presets, as models.

They are the source of ``schemas/config.schema.json`` and ``schemas/policy.schema.json``.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from replguard.policy import Equality  # noqa: TC001 - pydantic resolves it at run time
from replguard.sitefile import SiteFile

Glob = Annotated[str, Field(min_length=1, description="table or schema.table; * and ? are globs, _ is an underscore")]
Globs = list[Glob]
Groups = dict[str, Globs]


_UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0, "": 1.0}
_DURATION = r"^\s*(\d+(?:\.\d+)?)\s*(s|m|min|h|d|)\s*$"


def _seconds(value: object) -> object:
    """A length of time in seconds.

    >>> _seconds("2h"), _seconds("1.5m"), _seconds(30)
    (7200.0, 90.0, 30)
    """
    if not isinstance(value, str):
        return value
    match = re.match(_DURATION, value)
    if not match:
        raise ValueError(f"{value!r} is no duration: write 30m, 2h or 1d")
    return float(match[1]) * _UNITS[match[2]]


Duration = Annotated[
    float,
    Field(gt=0, allow_inf_nan=False),
    BeforeValidator(_seconds),
    WithJsonSchema({"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": _DURATION}]}),
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ClusterSection(_Strict):
    """One cluster's database."""

    url: str = Field(description="SQLAlchemy URL; ${NAME} is taken from the environment")
    schemas: list[str] = Field(default=[], description="narrows the scope (PostgreSQL) or widens it (MySQL, MariaDB)")
    option_file: str | list[str] = Field(
        default=[], description="my.cnf of the server, or a copy: what its filters are after a restart (MySQL, MariaDB)"
    )


Where = Annotated[str, Field(description="comparisons of columns with literals: name = 'node.ip'")]
Reason = Annotated[str, Field(min_length=1)]
Until = Annotated[date | None, Field(default=None, description="last day on which the rule holds")]
Columns = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]
Tolerance = Annotated[Decimal | None, Field(default=None, gt=0, allow_inf_nan=False)]


class ExpectedSection(_Strict):
    """Rows that legitimately differ."""

    table: Glob
    where: Where
    reason: Reason
    until: Until


class RelaxSection(_Strict):
    """Columns whose values need not be equal byte by byte."""

    table: Glob
    columns: Columns = Field(description="names or globs")
    as_: Equality = Field(alias="as")
    reason: Reason
    tolerance: Tolerance = Field(description="float: the largest absolute distance")
    relative: Tolerance = Field(description="float: the largest distance as a share of the larger number")
    until: Until


class OnlyRowsSection(_Strict):
    """The only rows of a table that are compared."""

    table: Glob
    where: Where
    reason: Reason
    until: Until


class NaturalKeySection(_Strict):
    """What names a row on both sides, where each cluster has numbered its rows itself."""

    table: Glob
    key: Columns
    ignore: list[Annotated[str, Field(min_length=1)]] = Field(default=[], description="columns that hold such numbers")
    reason: Reason


class AuditTableSection(_Strict):
    """A table in which the application notes who changed rows; read by ``diff --trace``."""

    of: Glob = Field(description="the tables that it is about")
    table: Glob
    key: Columns = Field(description="columns that hold the key of the row, in its order")
    latest: str = Field(min_length=1, description="column that grows from line to line: a number or a time")
    columns: Columns = Field(description="what is shown of the last line")


class _Rules(_Strict):
    """What a config and a preset can both say."""

    must_not_sync: Globs | Groups = []
    local: Globs | Groups = []
    config: Globs | None = Field(default=None, description='default ["*"]')
    lookalikes: Globs = []
    ignore_columns: dict[str, list[str]] = {}
    changed_by: dict[str, list[str]] = Field(
        default={}, description="columns that tell who changed a row and when, shown with rows that differ"
    )
    audit_tables: list[AuditTableSection] = []
    expected_differences: list[ExpectedSection] = []
    relax: list[RelaxSection] = []
    only_rows: list[OnlyRowsSection] = []
    natural_keys: list[NaturalKeySection] = []


class PolicySection(_Rules):
    """The ``policy:`` of a config."""

    preset: str | None = Field(default=None, min_length=1, description="name of a preset, or path of a preset file")
    waivers: list[WaiverSection] = []


class PresetFile(_Rules):
    """A preset: the rules of one product, as data."""

    name: str
    version: str
    title: str
    source: str
    links: Literal["none"] | None = Field(default=None, description="none: the application synchronises by itself")


class LinkSection(_Strict):
    """One link that is expected, by the names of its clusters."""

    source: str
    target: str
    name: str | None = Field(default=None, description="channel, connection or subscription; default: any")


class GateSection(_Strict):
    """What the gate holds the pair to."""

    active: str | None = Field(default=None, description="the cluster that serves now; default: the source of the link")
    marker: str | None = Field(
        default=None,
        pattern=r"^[^.]+\.[^.]+$",
        description="schema.table that the site has made for `gate --marker`: id (integer, primary key), token (text)",
    )
    settings_may_differ: list[str] = Field(default=[], description="settings that need not be equal; globs")
    long_transaction: float = Field(
        default=30.0, ge=0, allow_inf_nan=False, description="seconds for which a transaction may be open"
    )
    read_only: bool = Field(default=False, description="whether the passive side must refuse writes")
    pause: Duration = Field(default=7200.0, description="how long a pause is planned to last: 30m, 2h, 1d")


class WaiverSection(_Strict):
    """A finding that is known and accepted for a time."""

    code: str = Field(min_length=1, description="finding code; globs")
    subject: str = Field(
        default="*", min_length=1, description="schema.table, table, link or cluster that it is about; globs"
    )
    reason: Reason
    owner: str = Field(min_length=1, description="who answers for it")
    until: date = Field(description="last day on which it holds")


class ConfigFile(SiteFile):
    """``replguard.yaml``."""

    clusters: dict[str, ClusterSection] = Field(min_length=2, max_length=2)
    policy: PolicySection = PolicySection()
    links: Literal["none", "discover"] | list[LinkSection] | None = None
    state_dir: str | None = None
    gate: GateSection = GateSection()
    history: str | None = Field(
        default=None,
        min_length=1,
        description="SQLAlchemy URL of the history of `replguard report`; ${NAME} is taken "
        "from the environment; default: a file in the state folder",
    )
    notify: list[Annotated[str, Field(min_length=1)]] = Field(
        default=[],
        description="apprise URLs that `replguard report` tells; ${NAME} is taken from the environment",
    )
