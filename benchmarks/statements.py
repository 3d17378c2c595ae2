"""How fast statements are looked through, and how often ordinary DDL is taken for one that names a forbidden table.

    python -m benchmarks.statements

The corpus is ``tests/corpus/ddl``: ``ordinary.sql`` is DDL of the kind that applications run, with forbidden names in
every place but a table's; ``hits.sql`` names a forbidden table in each statement.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from replguard.config import policy_of
from replguard.engines.binlog.statements import operation, references
from replguard.policy import TableClass

if TYPE_CHECKING:
    from collections.abc import Callable

    from replguard.model.tables import TableName
    from replguard.policy import Policy

CORPUS = Path(__file__).parent.parent / "tests" / "corpus" / "ddl"
PRESETS = ("securetransport-zero-downtime", "zato")
ROUNDS = 20


def corpus(name: str) -> list[str]:
    return [text for text in (CORPUS / f"{name}.sql").read_text(encoding="utf-8").split("\n\n") if text.strip()]


def hits(texts: list[str], policy: Policy) -> tuple[int, int]:
    """How many statements name a forbidden table for certain, and how many perhaps."""
    certain = perhaps = 0
    for text in texts:
        found = references(text, "st")
        sure, maybe = (any(_forbidden(policy, name) for name in names) for names in (found.tables, found.guessed))
        certain += sure
        perhaps += maybe and not sure
    return certain, perhaps


def _forbidden(policy: Policy, name: TableName) -> bool:
    return policy.classify(name).table_class is TableClass.must_not_sync


def rate(judge: Callable[[str], object], texts: list[str]) -> float:
    """Statements a second of processor time, the best of some rounds."""
    best = min(_seconds(judge, texts) for _ in range(ROUNDS))
    return len(texts) / best


def _seconds(judge: Callable[[str], object], texts: list[str]) -> float:
    begun = time.process_time()
    for text in texts:
        judge(text)
    return time.process_time() - begun


def main() -> None:
    ordinary, must_hit = corpus("ordinary"), corpus("hits")
    for preset in PRESETS:
        certain, perhaps = hits(ordinary, policy_of(preset))
        share = 100 * (certain + perhaps) / len(ordinary)
        print(f"{preset}: of {len(ordinary)} ordinary statements {certain} hit, {perhaps} may hit: {share:.1f} % false")
    certain, perhaps = hits(must_hit, policy_of(must_not_sync=("event",)))
    print(f"of {len(must_hit)} statements that name a forbidden table, {certain} hit and {perhaps} may hit")
    dml = [f"INSERT INTO account (id, name, event) VALUES ({number}, 'it''s {number}', NULL)" for number in range(1000)]
    for what, texts in (("ordinary DDL", ordinary), ("short DML", dml)):
        tables, kinds = rate(lambda text: references(text, "st"), texts), rate(operation, texts)
        print(f"{what}: tables of {tables:,.0f} statements/s, kinds of {kinds:,.0f} statements/s, one core")


if __name__ == "__main__":
    main()
