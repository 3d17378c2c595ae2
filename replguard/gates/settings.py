"""Would an application get the same from both servers?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.engines.settings import TellsSettings
from replguard.gates.base import Gate, Outcome
from replguard.model.findings import Check, Finding, Severity
from replguard.policy import fits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from replguard.engines.base import Server
    from replguard.engines.settings import Setting
    from replguard.gates.base import Context


class Settings(Gate):
    id = "clusters.settings"
    title = "both servers are set alike where an application notices"
    purpose = (
        "With another sql_mode, time zone, collation or extension the same statement stores or finds something else on "
        "the other side, and nobody changed the application."
    )
    reads = (
        "the settings of both servers that change what statements do or what replication can, and those of connections "
        "and logs; on PostgreSQL also the extensions"
    )
    remedy = "set both servers alike, or name the setting under `gate.settings_may_differ`"
    limits = (
        "Settings of single users, sessions and connection pools are not looked at. The zone of a machine (`SYSTEM` on "
        "MySQL and MariaDB) is told by its distance from UTC in January and July of this year."
    )
    codes = ("settings.differ",)

    def run(self, context: Context) -> Outcome:
        first, second = (_settings(server) for server in context.pair)
        named = (context.pair.first.name, context.pair.second.name)
        allowed = context.config.gate.settings_may_differ
        findings = tuple(
            finding
            for finding in _differing(first, second, named)
            if not any(fits(glob, finding.evidence["setting"].casefold()) for glob in allowed)
        )
        count = len(findings)
        words = f"{len(first.keys() | second.keys())} settings, {count} differ{'s' * (count == 1)}"
        return Outcome((Check(self.id, words, findings),))


def _settings(server: Server) -> Mapping[str, Setting]:
    if not isinstance(server, TellsSettings):
        raise TypeError(f"{server.name} does not tell its settings")
    return {one.name: one for one in server.settings()}


def _differing(
    first: Mapping[str, Setting], second: Mapping[str, Setting], named: tuple[str, str]
) -> Iterator[Finding]:
    for name in sorted(first.keys() | second.keys()):
        one, other = first.get(name), second.get(name)
        if one and other and one.value == other.value:
            continue
        values = [repr(side.value) if side else "not there" for side in (one, other)]
        changes_data = any(side is not None and side.changes_data for side in (one, other))
        yield Finding(
            "settings.differ",
            Severity.fail if changes_data else Severity.warn,
            f"{name} is {values[0]} on {named[0]} and {values[1]} on {named[1]}",
            remedy=f"set {name} alike on both, or name it under gate.settings_may_differ in the config",
            evidence={"setting": name, named[0]: one.value if one else None, named[1]: other.value if other else None},
        )
