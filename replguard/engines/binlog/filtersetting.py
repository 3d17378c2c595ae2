"""Setting the filters of a channel or connection: the steps, done and taken back. What MySQL and MariaDB share.

Only the applier of the one link is stopped, and started again only if it ran; what was received meanwhile is applied by
the new rules. A flavour says how rules are read and in which statements they are set. Every statement is whole: it sets
a list, or none of it.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from replguard.engines.binlog import fragility, wantedrules
from replguard.engines.binlog.connection import literal
from replguard.engines.binlog.replication import POLL_SECONDS, STOP_SECONDS
from replguard.engines.controls import Exported, LinkPlan, Step
from replguard.errors import ControlError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from replguard.engines.base import Server
    from replguard.engines.binlog.rawfilters import RawFilters
    from replguard.engines.binlog.replication import Status
    from replguard.engines.binlog.server import BinlogServer
    from replguard.engines.controls import WantedFilter
    from replguard.engines.sqlfiles import Quoted
    from replguard.model.links import Link

    Rules = Mapping[str, Sequence[str]]
    """Rules by kind (``ignore_table``); every kind that is there is set as a whole."""

APPLIER = "applier"


class SettableFilters(ABC):
    """See :class:`replguard.engines.controls.SetsFilters`."""

    @property
    @abstractmethod
    def server(self) -> BinlogServer: ...

    @abstractmethod
    def rules_of(self, link: Link, source: Server | None) -> RawFilters:
        """The rules as they are set now."""

    @abstractmethod
    def statements(self, link: Link, rules: Rules) -> Iterator[tuple[tuple[str, ...], Quoted]]:
        """The statements that set these rules, each with the kinds that it sets; the applier must stand."""

    @abstractmethod
    def option_lines(self, link: Link, rules: Rules) -> tuple[str, ...]:
        """Lines for the option file by which the rules are there after a restart."""

    def state(self, link: Link, source: Server) -> dict[str, Any]:
        """The rules that are set, what the source keeps out of its binlog, and whether the applier runs."""
        return self._state(link, self.rules_of(link, source))

    def plan(self, link: Link, source: Server, wanted: WantedFilter) -> LinkPlan:
        """Stop the applier if it runs, set the lists that differ, start it again. Nothing is changed here."""
        raw = self.rules_of(link, source)
        state = self._state(link, raw)
        choice = wantedrules.choose(raw, wanted)
        if choice.refused:
            return LinkPlan(link, state, (), refused=tuple(choice.refused))
        rules = {kind: sorted(getattr(choice.raw, kind)) for kind in fragility.RULES}
        changed = {kind: texts for kind, texts in rules.items() if texts != state[_key(kind)]}
        before = {kind: state[_key(kind)] for kind in changed}
        steps = [self._set(link, kinds, changed, before) for kinds, _ in self.statements(link, changed)]
        if steps and state[APPLIER] == "running":
            steps = [self._stop(link), *steps, self._start(link)]
        kept = {_key(kind): texts for kind, texts in rules.items() if texts}
        kept |= {"replicate_rewrite_db": state["replicate_rewrite_db"]} if raw.rewrite_db else {}
        return LinkPlan(
            link,
            state,
            tuple(steps),
            persist=self.option_lines(link, kept) if kept else (),
            persist_on=self.server.name,
            notes=tuple(choice.notes),
        )

    @property
    def exports(self) -> tuple[str, ...]:
        return ("mycnf", "sql", "debezium", "maxscale")

    def export(self, form: str, link: Link, source: Server, wanted: WantedFilter) -> Exported:
        """Option lines, or the statements that set every list that is not empty, now or then."""
        raw = self.rules_of(link, source)
        choice = wantedrules.choose(raw, wanted)
        rules = {kind: sorted(getattr(choice.raw, kind)) for kind in fragility.RULES}
        rules = {kind: texts for kind, texts in rules.items() if texts or getattr(raw, kind)}
        writers = {"mycnf": lambda: self._options(link, raw, rules), "sql": lambda: self._script(link, rules)}
        lines = writers[form]()
        refused = tuple(choice.refused)
        return Exported(self.server.name, () if refused else lines, tuple(choice.notes), refused)

    def _options(self, link: Link, raw: RawFilters, rules: Rules) -> tuple[str, ...]:
        kept: dict[str, Sequence[str]] = {_key(kind): texts for kind, texts in rules.items() if texts}
        rewritten = [f"{source}->{to}" for source, to in raw.rewrite_db]
        return self.option_lines(link, kept | ({"replicate_rewrite_db": rewritten} if rewritten else {}))

    def _script(self, link: Link, rules: Rules) -> tuple[str, ...]:
        texts = [text for _, text in self.statements(link, rules)]
        lines = [self._text(link, "stop_applier"), *texts, self._text(link, "start_applier")] if texts else []
        return tuple(f"{line};" for line in lines)

    def do(self, link: Link, source: Server, step: Step) -> None:  # noqa: ARG002 - of the protocol
        """Stopping what stands, starting what runs and setting what is set change nothing."""
        if step.action == "set":
            self._send(link, step.detail["rules"])
        elif step.action == "stop":
            self.server.replication.stop_applier(link)
        else:
            self._run_applier(link)

    def undo(self, link: Link, source: Server, step: Step) -> None:  # noqa: ARG002 - of the protocol
        """The other way round."""
        if step.action == "set":
            self._send(link, step.detail["before"])
        elif step.action == "stop":
            self._run_applier(link)
        else:
            self.server.replication.stop_applier(link)

    def _state(self, link: Link, raw: RawFilters) -> dict[str, Any]:
        found: dict[str, Any] = {_key(kind): sorted(set(getattr(raw, kind))) for kind in fragility.RULES}
        found["replicate_rewrite_db"] = [f"{source}->{to}" for source, to in raw.rewrite_db]
        found["source_binlog_do_db"] = list(raw.source_binlog_do_db)
        found["source_binlog_ignore_db"] = list(raw.source_binlog_ignore_db)
        found[APPLIER] = "running" if self._status(link).applier == "Yes" else "stopped"
        return found

    def _status(self, link: Link) -> Status:
        status = next((one for one in self.server.replication.statuses() if one.name == link.name), None)
        if status is None:
            raise ControlError(f"{link.label} is no longer there", cluster=self.server.name)
        return status

    def _stop(self, link: Link) -> Step:
        stop, start = (self._text(link, name) for name in ("stop_applier", "start_applier"))
        return Step(
            self.server.name, link.label, "stop", "stop applying", (stop,), (start,), after={APPLIER: "stopped"}
        )

    def _start(self, link: Link) -> Step:
        stop, start = (self._text(link, name) for name in ("stop_applier", "start_applier"))
        words = "go on applying"
        return Step(self.server.name, link.label, "start", words, (start,), (stop,), after={APPLIER: "running"})

    def _set(self, link: Link, kinds: tuple[str, ...], changed: Rules, before: Rules) -> Step:
        new, old = ({kind: list(rules[kind]) for kind in kinds} for rules in (changed, before))
        return Step(
            self.server.name,
            link.label,
            "set",
            f"set {', '.join(map(_key, kinds))}",
            tuple(text for _, text in self.statements(link, new)),
            tuple(text for _, text in self.statements(link, old)),
            detail={"rules": new, "before": old},
            after={_key(kind): texts for kind, texts in new.items()},
        )

    def _text(self, link: Link, name: str) -> Quoted:
        return self.server.text(name, link=literal(link.name))

    def _send(self, link: Link, rules: Rules) -> None:
        with self.server.open("control", read_only=False) as session:
            for _, text in self.statements(link, rules):
                session.send(text, what="set_filter")

    def _run_applier(self, link: Link) -> None:
        """Start the applier and see it run."""
        with self.server.open("control", read_only=False) as session:
            session.run("start_applier", link=literal(link.name))
        deadline = time.monotonic() + STOP_SECONDS
        while (status := self._status(link)).applier != "Yes":
            if time.monotonic() >= deadline or any(not error.startswith("receiver") for error in status.errors):
                why = "; ".join(status.errors) or "the server does not say why"
                raise ControlError(f"{link.label} does not apply: {why}", cluster=self.server.name)
            time.sleep(POLL_SECONDS)


def _key(kind: str) -> str:
    return f"replicate_{kind}"
