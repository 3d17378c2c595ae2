"""Would the logs last for a pause as long as it is planned, and do the links still find what they need?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.gates.activity import severity
from replguard.gates.base import Gate, Outcome
from replguard.model.findings import Check

if TYPE_CHECKING:
    from replguard.gates.base import Context, Options


class Retention(Gate):
    id = "capacity.retention"
    title = "logs are kept for as long as the pause is planned to last"
    purpose = (
        "While replication is paused, its source must keep all that is written. Where files expire, a slot is given up "
        "or the disk fills before the pause ends, the other side has to be copied anew."
    )
    reads = (
        "on the source of each link: how old and how large its log may become, what it keeps already, how fast it "
        "grows, and how much room is left on the disk where the server tells (MariaDB with the plugin DISKS). "
        "`gate.pause` in the config, or `gate --pause`, says how long the pause is to be"
    )
    remedy = "raise the limit that the finding names before the pause, make room on the disk, or plan a shorter pause"
    limits = (
        "The rate is that of the past, or of a moment where the server knows no longer one. MySQL and PostgreSQL do "
        "not tell how much room is left on the disk: look at it yourself, and name it to `replguard pause --free-disk`."
    )
    codes = ("retention.short", "retention.lost", "retention.danger", "retention.unknown", "retention.enough")

    def takes(self, options: Options) -> float:
        return min(options.window, 1.0)

    def run(self, context: Context) -> Outcome:
        if not context.links:
            return Outcome((Check(self.id, "no link needs a log", applicable=False),))
        pause = context.config.gate.pause if context.options.pause is None else context.options.pause
        sample = self.takes(context.options)
        found = context.control.retention(context.pair, context.links, pause, sample, severity(context))
        return Outcome((Check(self.id, f"for a pause of {pause:g} s", tuple(found)),))


class Positions(Gate):
    id = "resume.position"
    title = "every link still finds on its source what it needs next"
    purpose = (
        "A link whose source has removed what it needs next cannot go on: it breaks when it is next connected, and a "
        "resume would be refused. It is better to know that before the pause."
    )
    reads = (
        "where each link stands, and what its source still holds: `gtid_purged` and binlog files (MySQL, MariaDB), "
        "the slot and its `wal_status` (PostgreSQL)"
    )
    remedy = "where the place is lost, copy the target anew and set replication up again; else keep the log longer"
    codes = ("resume.position_lost", "resume.position_unsure")

    def run(self, context: Context) -> Outcome:
        if not context.links:
            return Outcome((Check(self.id, "no link has a position", applicable=False),))
        return Outcome((context.control.places(context.pair, context.links),))
