"""That a pause lasts: links kept stopped where a server would start them by itself, and told where it may all the same.

What is set for that stands in the receipt (``held``), and resume takes it back.
"""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from replguard.engines.controls import Restarter, StaysStopped, Step
from replguard.errors import PrivilegeError, ServerError, Unsupported
from replguard.model.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from replguard.engines.pair import Pair
    from replguard.journal import Entry
    from replguard.model.links import Link

ACTION = "release"
CODE = "pause.fragile"


def hold(pair: Pair, links: Iterable[Link], entry: Entry, held: list[dict[str, Any]]) -> list[Finding]:
    """Keep these links stopped where that can be, and tell where not. What is done is added to ``held``."""
    found = []
    for target, into in _by_target(links).items():
        replication = pair.server(target).replication
        if not isinstance(replication, StaysStopped):
            continue
        for link in into:
            try:
                steps = replication.hold(link, {one.name for one in into})
                for step in steps:
                    _do(replication, step, entry, held)
            except (PrivilegeError, Unsupported) as error:
                found.append(_not_held(link, error))
                break
    return found


def statements(pair: Pair, links: Iterable[Link]) -> list[str]:
    """What :func:`hold` will run, as far as that can be told before; for showing it first."""
    found = []
    for target, into in _by_target(links).items():
        replication = pair.server(target).replication
        with suppress(PrivilegeError, Unsupported):
            steps = (
                replication.hold(into[0], {one.name for one in into}) if isinstance(replication, StaysStopped) else ()
            )
            found += [f"{target}: {line}" for step in steps for line in step.statements]
    return found


def _do(replication: StaysStopped, step: Step, entry: Entry, held: list[dict[str, Any]]) -> None:
    data = json.loads(json.dumps(asdict(step)))
    entry.note(step.words, {"action": ACTION, "cluster": step.cluster, "label": step.words, "step": data})
    replication.do(step)
    if data not in held:
        held.append(data)


def kept(receipt: Mapping[str, Any] | None, entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """What pauses before this one set and nobody has taken back: by the receipt, or by what died half-way."""
    steps = list((receipt or {}).get("held", ()))
    undo = [step for entry in entries for step in entry.data["undo"] if step.get("action") == ACTION]
    return steps + [one["step"] for one in undo if one["step"] not in steps]


def release_statements(steps: Iterable[Mapping[str, Any]]) -> list[str]:
    """What :func:`release` will run, for showing it first."""
    return [f"{step['cluster']}: {line}" for step in steps for line in step["undo"]]


def release(pair: Pair, steps: Iterable[Mapping[str, Any]], note: Callable[[str], None]) -> list[Finding]:
    """Take back what was set, for resume; what could not be is told, and must be tried again."""
    found = []
    for step in steps:
        try:
            note(f"no more: {step['words']}")
            release_one(pair, step)
        except ServerError as error:
            found.append(_not_released(step, error))
    return found


def release_one(pair: Pair, step: Mapping[str, Any]) -> None:
    """Take one step back; done again it changes nothing."""
    replication = pair.server(step["cluster"]).replication
    if not isinstance(replication, StaysStopped):
        raise Unsupported(f"{step['cluster']} cannot take back: {step['words']}", cluster=step["cluster"])
    replication.undo(Step(**step))


def restarters(pair: Pair, links: Iterable[Link]) -> list[Finding]:
    """What would start links again behind everybody's back; what could not be asked is told as well."""
    found = []
    for link in links:
        replication = pair.server(link.target).replication
        try:
            seen = replication.restarters(link) if isinstance(replication, StaysStopped) else ()
        except ServerError as error:
            seen = (Restarter(f"what may start {link.label} again could not be read: {error.message}", sure=False),)
        found += [_restarts(link, one) for one in seen]
    return found


def _by_target(links: Iterable[Link]) -> dict[str, list[Link]]:
    found: defaultdict[str, list[Link]] = defaultdict(list)
    for link in links:
        found[link.target].append(link)
    return found


def _restarts(link: Link, restarter: Restarter) -> Finding:
    return Finding(
        CODE,
        Severity.warn if restarter.sure else Severity.info,
        restarter.sentence,
        cluster=link.target,
        link=link.label,
        remedy=f"look at `replguard status` now and then, and after a restart of {link.target}",
    )


def _not_released(step: Mapping[str, Any], error: ServerError) -> Finding:
    return Finding(
        "resume.held",
        Severity.fail,
        f"what the pause set is set still ({step['words']}), and could not be taken back: {error.message}",
        cluster=step["cluster"],
        remedy=error.remedy
        or f"run `replguard resume` again, or by hand on {step['cluster']}: {'; '.join(step['undo'])}",
    )


def _not_held(link: Link, error: ServerError) -> Finding:
    return Finding(
        CODE,
        Severity.warn,
        f"{link.label} could not be kept stopped over a restart of {link.target}: {error.message}",
        cluster=link.target,
        link=link.label,
        remedy=error.remedy or f"do not restart {link.target} meanwhile, or start it with skip_replica_start",
    )
