"""The gate: every check once, one verdict. A check that fails to run is an unknown finding and stops no other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from replguard.errors import ReplguardError
from replguard.gates.base import Outcome
from replguard.gates.clusters import Clusters
from replguard.gates.data import Data
from replguard.gates.errant import Errant
from replguard.gates.filters import Filters
from replguard.gates.links import Links
from replguard.gates.streams import Streams
from replguard.model.findings import Check, Coverage

if TYPE_CHECKING:
    from collections.abc import Callable

    from replguard.gates.base import Context, Gate

GATES: tuple[Gate, ...] = (Clusters(), Links(), Filters(), Streams(), Data(), Errant())


def run(context: Context, on_check: Callable[[Gate, Outcome | None], None] = lambda _gate, _outcome: None) -> Outcome:
    """Run all gates in order; ``on_check`` is called before (with None) and after each."""
    outcomes: list[Outcome] = []
    for gate in GATES:
        on_check(gate, None)
        earlier = tuple(check for done in outcomes for check in done.checks)
        outcome = _guarded(gate, replace(context, earlier=earlier))
        on_check(gate, outcome)
        outcomes.append(outcome)
    return Outcome(
        tuple(check for outcome in outcomes for check in outcome.checks),
        Coverage(
            tables=tuple(table for outcome in outcomes for table in outcome.coverage.tables),
            streams=tuple(stream for outcome in outcomes for stream in outcome.coverage.streams),
        ),
        next((outcome.strength for outcome in outcomes if outcome.strength), None),
    )


def _guarded(gate: Gate, context: Context) -> Outcome:
    try:
        return gate.run(context)
    except ReplguardError as error:
        return Outcome((Check.not_run(gate.id, error.message, error.remedy, error.cluster),))
    except Exception as error:  # noqa: BLE001 - a fault of ours in one check must not hide what the others find
        why = f"replguard failed: {type(error).__name__}: {error}"
        return Outcome((Check.not_run(gate.id, why, "run again with --debug and report this"),))
