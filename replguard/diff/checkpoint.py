"""How far a comparison has come, kept on disk, so that one that was interrupted goes on from there.

What was summed holds for the snapshots of that time. So a checkpoint also holds where the links' streams began then:
whoever goes on reads them from there, and whatever moved since is read again. A checkpoint is of use only for the very
same question, which its ``subject`` is a digest of: servers, policy, tables and their columns.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from replguard.errors import ControlError, UsageError
from replguard.journal import read_json, write_json
from replguard.model.chunks import KeyRange

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from replguard.audit.tables import PairedTable
    from replguard.diff.jobs import Job
    from replguard.engines.base import Row
    from replguard.engines.pair import Pair
    from replguard.policy import Policy

SCHEMA = "replguard.diff-checkpoint/1"
EVERY = 5.0
"""Seconds between two writings."""


@dataclass(slots=True)
class Checkpoint:
    """The checkpoint file of a pair. ``starts`` are by link where its stream began, as text; ``data`` is what an
    earlier comparison left.
    """

    path: Path
    subject: str
    data: Mapping[str, Any] | None = None
    starts: dict[str, str] = field(default_factory=dict)
    jobs: list[Job] = field(default_factory=list)
    begun_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    _written: float = field(default_factory=time.monotonic)

    def load(self) -> None:
        """Take up what an earlier comparison left. UsageError where there is nothing, or it answers something else."""
        found = read_json(self.path)
        if found is None:
            raise UsageError(
                "there is no comparison of this pair to go on with",
                remedy="leave --resume away; a comparison leaves a checkpoint when it is interrupted",
            )
        if found.get("schema") != SCHEMA or found.get("subject") != self.subject:
            raise UsageError(
                "the interrupted comparison was of something else: the servers, the policy, --tables or the tables "
                "themselves have changed since",
                remedy="compare anew, without --resume",
            )
        self.data, self.starts, self.begun_at = found, dict(found["starts"]), found["begun_at"]

    def restore(self, jobs: Iterable[Job]) -> None:
        """Set each job to where it was, as far as its rows are still hashed in the same way."""
        self.jobs = list(jobs)
        states = self.data["tables"] if self.data else {}
        for job in self.jobs:
            state = states.get(job.name)
            names = [function.name for function in job.functions]
            if state and state["function"] in names:
                job.functions = job.functions[names.index(state["function"]) :]
                _restore(job, state)

    def note(self, *_: object) -> None:
        """Write it down, if it is time to."""
        if time.monotonic() - self._written >= EVERY:
            self.write()

    def write(self) -> None:
        """Write it down, where that can be: a comparison does not fail because it could not be gone on with."""
        self._written = time.monotonic()
        with suppress(ControlError):
            self._write()

    def _write(self) -> None:
        tables = {job.name: _state(job) for job in self.jobs if job.answered and not job.problem}
        write_json(
            self.path,
            {
                "schema": SCHEMA,
                "subject": self.subject,
                "begun_at": self.begun_at,
                "starts": self.starts,
                "tables": tables,
            },
        )

    def remove(self) -> None:
        """The comparison has come to its end."""
        self.path.unlink(missing_ok=True)


def path_in(folder: Path) -> Path:
    return folder / "diff-checkpoint.json"


def subject(pair: Pair, policy: Policy, tables: Iterable[PairedTable]) -> str:
    """A digest of what is compared."""
    digest = hashlib.sha256()
    for part in (
        *(server.identity.text for server in pair),
        *map(repr, (policy.rules, sorted((str(rule), sorted(names)) for rule, names in policy.ignored))),
        *(repr((table.name, sorted(_shape(table)))) for table in tables),
    ):
        digest.update(len(part).to_bytes(8, "big") + part.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _shape(table: PairedTable) -> list[str]:
    return [
        repr((cluster, side.name, side.key, side.nullable_key, [(column.name, column.type) for column in side.columns]))
        for cluster, side in table.sides.items()
    ]


def _state(job: Job) -> dict[str, Any]:
    return {
        "function": job.function,
        "reached": _key(job.reached),
        "ended": job.whole,
        "nulls_done": job.nulls_done,
        "ranges": job.answered,
        "rows": job.rows,
        "totals": [str(total) for total in job.total],
        "differing": [
            [_key(within.lower), _key(within.upper), within.nulls, list(rows)] for within, rows in job.differing
        ],
    }


def _restore(job: Job, state: Mapping[str, Any]) -> None:
    job.reached, job.ended, job.nulls_done = _row(state["reached"]), state["ended"], state["nulls_done"]
    job.asked = job.answered = state["ranges"]
    job.rows, job.total = list(state["rows"]), [int(total) for total in state["totals"]]
    job.differing = [
        (KeyRange(_row(lower), _row(upper), nulls=nulls), (rows[0], rows[1]))
        for lower, upper, nulls, rows in state["differing"]
    ]


def _key(row: Row | None) -> list[str] | None:
    return None if row is None else [value.hex() if value is not None else "" for value in row]


def _row(values: list[str] | None) -> Row | None:
    return None if values is None else tuple(bytes.fromhex(value) for value in values)
