"""Does the pause hold, as its receipt says?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from replguard.gates.base import Gate, Outcome, Purpose
from replguard.model.findings import Check, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.gates.base import Context


class Receipt(Gate):
    id = "pause.receipt"
    title = "the pause holds as its receipt says"
    purpose = (
        "Links that somebody stopped by hand were not drained, and links that ran since carried what nobody looked at. "
        "The receipt of a pause says where each link was stopped, drained and verified."
    )
    reads = "the receipt of `replguard pause` in the state folder, and where each link stands now"
    remedy = "`replguard resume`, then `replguard pause` again, by the same state folder"
    limits = "That nothing was written on either side since is the question of the comparison, which must be exact."
    codes = ("pause.not_held", "pause.tail")
    when = frozenset({Purpose.cutover})

    def run(self, context: Context) -> Outcome:
        if context.config.links == "none" and not context.links:
            return Outcome((Check(self.id, "no link is wanted, none is there", applicable=False),))
        findings = (*_not_held(context), *_tail(context))
        held = context.control.receipt()
        words = f"paused at {held['paused_at']} by {held['by']}" if held else "no pause holds"
        return Outcome((Check(self.id, words, findings),))


def _not_held(context: Context) -> Iterator[Finding]:
    for words in context.control.against_pause(context.pair):
        yield Finding(
            "pause.not_held",
            Severity.fail,
            words,
            remedy="run `replguard resume`, then `replguard pause` again, and this gate after it",
        )


def _tail(context: Context) -> Iterator[Finding]:
    """Changes of config tables that were written before the pause ended and had not crossed."""
    for entry in (context.control.receipt() or {}).get("tail", ()):
        yield Finding(
            "pause.tail",
            Severity.fail,
            f"{entry['changes']} changes of {entry['schema']}.{entry['table']} were behind the place where "
            f"{entry['link']} was paused",
            link=entry["link"],
            schema=entry["schema"],
            table=entry["table"],
            remedy="let them cross: `replguard resume --accept-changes`, then `replguard pause` again",
        )
