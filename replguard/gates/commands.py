"""Are the site's own programs content?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.gates.base import Gate, Outcome
from replguard.model.findings import Check, Finding, Severity
from replguard.site import programs

if TYPE_CHECKING:
    from replguard.gates.base import Context, Options
    from replguard.sitefile import CommandSection


class Commands(Gate):
    id = "site.commands"
    title = "the site's own programs are content"
    purpose = "A site knows what else must hold before traffic moves: licences, jobs, batch windows, an open change."
    reads = (
        "exit code and output of each program of the config; it is told REPLGUARD_PURPOSE, REPLGUARD_ACTIVE and "
        "REPLGUARD_PASSIVE"
    )
    remedy = "run the program by hand and see what it wants"
    limits = "What a program does is its own: replguard runs it with the rights of whoever runs the gate."
    codes = ("command.failed", "command.unknown")

    def takes(self, options: Options) -> float:  # noqa: ARG002 - the config says, which is not known here
        return 3600.0

    def run(self, context: Context) -> Outcome:
        wanted = [one for one in context.config.site.commands if context.purpose.value in one.when]
        if not wanted:
            return Outcome((Check(self.id, "the config names no program", applicable=False),))
        variables = {
            "REPLGUARD_PURPOSE": context.purpose.value,
            "REPLGUARD_ACTIVE": context.roles.active or "",
            "REPLGUARD_PASSIVE": context.roles.passive or "",
        }
        findings = tuple(finding for one in wanted if (finding := _judged(one, variables)))
        return Outcome((Check(self.id, f"{len(wanted)} run, {len(findings)} not content", findings),))


def _judged(section: CommandSection, variables: dict[str, str]) -> Finding | None:
    ended = programs.run(section.run, section.timeout, variables)
    missing = section.contains is not None and section.contains not in ended.output
    if ended.code == 0 and not missing:
        return None
    words = f"{section.name} {ended.words}" + (f", without {section.contains!r} in its output" if missing else "")
    failed = ended.code == 1 or (ended.code == 0 and missing)
    return Finding(
        "command.failed" if failed else "command.unknown",
        Severity.fail if failed else Severity.unknown,
        words + (f": {ended.output.splitlines()[-1]}" if ended.output else ""),
        remedy="run it by hand: " + " ".join(section.run),
        evidence={"name": section.name, "exit_code": ended.code, "output": ended.output},
    )
