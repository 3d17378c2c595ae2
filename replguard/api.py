"""What a Python user calls: two clusters, connected, and everything that can be asked of them.

::

    import replguard

    config = replguard.load_config("replguard.yaml")
    with replguard.connect(config) as clusters:
        report = clusters.diff()
    if report.verdict != "pass":
        ...

Each method does one command's work and returns a :class:`replguard.Report`; the command line only parses and prints.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replguard import config as configuration
from replguard._version import __version__
from replguard.audit import links as audit_links
from replguard.audit import tables as audit_tables
from replguard.engines.pair import Pair
from replguard.errors import ConnectError, ReplguardError, UsageError
from replguard.model.findings import Check, ClusterFacts, Finding, Report, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from replguard.audit.tables import TableMap
    from replguard.config import Config
    from replguard.control import certificate as certificates
    from replguard.control import filterapply
    from replguard.control import pause as pausing
    from replguard.control import resume as resuming
    from replguard.control.breaker import Breaker
    from replguard.diff import repair
    from replguard.diff import run as comparison
    from replguard.diff.checkpoint import Checkpoint as DiffCheckpoint
    from replguard.engines.base import OnStatement, Server
    from replguard.gates import base as gate_base
    from replguard.model.links import Link
    from replguard.policy import Policy
    from replguard.sitefile import AttestationSection
    from replguard.watch import run as watching
    from replguard.watch import scan as scanning
    from replguard.watch.checkpoint import Checkpoint

_WHICHEVER = "run `replguard pause` or `replguard resume`, whichever is wanted now"


def load_config(path: str | Path = configuration.DEFAULT_FILE) -> Config:
    """Read a config file. Raises ConfigError or PolicyError, which name file, line and key."""
    return configuration.load(Path(path))


@contextmanager
def connect(config: Config, on_statement: OnStatement = lambda _cluster, _statement: None) -> Iterator[Clusters]:
    """Connect to both clusters; ``on_statement`` is called with every statement before it is sent.

    Raises ConnectError and its children, SameServerError, UnlikeEnginesError.
    """
    with Pair.open(config, on_statement) as pair:
        yield Clusters(config, pair)


def load_policy(preset: str | None = None, must_not_sync: Iterable[str] = ()) -> Policy:
    """The policy of a preset and of globs of tables that must not sync: all that :func:`scan` needs to know.

    Raises PolicyError for a preset that is none.
    """
    return configuration.policy_of(preset, tuple(must_not_sync))


def scan(paths: Iterable[str | Path], policy: Policy, options: scanning.Options | None = None) -> Report:
    """Judge binlog or relay-log files of one server by a policy, without any server.

    By the filters of ``options``, else as a replica without filters would apply them, which the evidence says. Raises
    UsageError for files that cannot be read as one stream.
    """
    from replguard.watch import scan as scanning
    from replguard.watch.uncharted import uncharted

    started = _now()
    seen = scanning.scan(_paths(paths), scanning.Subject(uncharted(policy)), options or scanning.Options())
    return Report("scan", __version__, started, _now(), checks=(seen.check,), coverage=seen.coverage, data=seen.data)


class Clusters:
    """Two connected clusters. Every method may be called any number of times and reads the servers anew."""

    def __init__(self, config: Config, pair: Pair) -> None:
        self.config = config
        self.pair = pair

    def tables(self) -> TableMap:
        """Both catalogs, classified by the policy."""
        return audit_tables.read([*self.pair], self.config.policy)

    def links(self) -> tuple[tuple[Link, ...], tuple[Link, ...]]:
        """The links between the two clusters, and all links into either."""
        found = self.pair.links()
        return audit_links.between(found, (self.pair.first.name, self.pair.second.name)), found

    def status(self) -> Report:
        """Links, their state, positions and lag; a pause that holds; an action that was not finished."""
        from replguard.control import breaker, budget, guard, receipt, retention, returned

        started = _now()
        ours, found = self.links()
        held = receipt.load(self._folder)
        guards = guard.left_over(self.pair, held)
        stopped = breaker.of_receipt(held)
        data: dict[str, Any] = {"receipt": held, "tls": {server.name: server.tls() for server in self.pair}}
        budgets = retention.now(self.pair, ours, held)
        data["budget"] = [one.as_data() for one in budgets]
        paused = returned.check(self._folder, ours)
        checks = (audit_links.check(found, self.config), *([paused] if paused else []), *self._unfinished())
        checks = (*checks, *([guards] if guards else []))
        if budgets:
            checks = (*checks, budget.check(budgets))
        if stopped:
            checks = (*checks, Check("status.receipt", "stopped by a watch", stopped))
        return self._report("status", started, checks, links=_facts(found), data=data)

    def classify(self) -> Report:
        """Which table is in which class by which rule; rules that match nothing."""
        from replguard.audit import classes

        started = _now()
        tables = self.tables()
        rows = [audit_tables.describe(table) for table in tables]
        return self._report("policy show", started, (classes.check(tables, started.date()),), data={"tables": rows})

    def audit(self) -> Report:
        """Policy against the filters of every link, as they are set and as they will be after a restart."""
        from replguard.audit import ofpair, restart
        from replguard.diff import sequences
        from replguard.policy import TableClass

        started = _now()
        ours, found = self.links()
        tables = self.tables()
        judged, rules = ofpair.audit_pair(self.pair, tables, ours, links_wanted=self.config.links != "none")
        if ours:
            counters = sequences.check(self.pair, tables, tables.of(TableClass.config), ours)
            judged = replace(judged, findings=(*judged.findings, *sequences.weaknesses(counters)))
        state = audit_links.check(found, self.config, needed=False)
        open_questions = any(finding.severity is Severity.unknown for finding in state.findings)
        data = {
            "filters": {link.label: dict(found.describe()) for link, found in rules.items()},
            "after_restart": restart.described(rules),
        }
        checks = (judged, state) if open_questions else (judged,)
        return self._report("filter audit", started, checks, links=_facts(found), data=data)

    def plan_filters(self, path: Path | None = None) -> Report:
        """What must be run so that every link lets through what the policy says; nothing is changed.

        ``path`` is where the plan is written, for :meth:`apply_filters`, with its SQL beside it; it stands in ``data``
        as well. Raises UsageError where no file can be written there.
        """
        from replguard.control import filterplan, planfile

        started = _now()
        if path:
            planfile.check_writable(path)
        ours, found = self.links()
        wanted = self.config.links != "none"
        made = filterplan.make(self.pair, self.tables(), ours, self._folder, links_wanted=wanted)
        if path and made.plan:
            planfile.store(path, made.plan)
        checks = (made.check, *self._unknown_links(found))
        if made.plan and not made.plan.steps:
            # Not all that crosses can be kept apart by filters: what is left then is told, and no pass.
            checks += tuple(check for check in self.audit().checks if check.id == "filter.audit")
        data = {"plan": made.plan.document() if made.plan else None}
        return self._report("filter plan", started, checks, links=_facts(found), data=data)

    def apply_filters(self, path: Path, options: filterapply.Options | None = None) -> Report:
        """Apply the plan in a file and audit what is set then; what fails is taken back.

        Raises UsageError for a file that holds no plan, or one that was changed.
        """
        from replguard.control import filterapply, planfile
        from replguard.control.locking import OperatorLock

        started = _now()
        plan, tables = planfile.load(path), self.tables()
        with OperatorLock(self.pair, "filter apply") as lock:
            given = replace(options or filterapply.Options(), still=lock.still)
            job = filterapply.Job(self.pair, self._folder, plan, path.absolute(), given)
            checks = filterapply.apply(job, tables, lambda: self.audit().checks)
        persist = [
            {"cluster": link.persist_on, "link": link.link, "lines": link.persist}
            for link in plan.links
            if link.persist
        ]
        return self._report("filter apply", started, checks, links=_facts(self.links()[1]), data={"persist": persist})

    def export_filters(self, form: str) -> Report:
        """The policy's rules in the words of another tool, in ``data``. ``form`` is one of ``filterexport.FORMS``.

        Raises UsageError for a form that is none, or none of this engine.
        """
        from replguard.control import filterexport

        started = _now()
        ours, found = self.links()
        made = filterexport.make(self.pair, self.tables(), ours, form)
        data = {"for": form, "exports": [one.data() for one in made.exports]}
        unknown = () if form in filterexport.OF_TOOLS else self._unknown_links(found)
        return self._report("filter export", started, (made.check, *unknown), links=_facts(found), data=data)

    def undo_filters(self, path: Path | None = None, options: filterapply.Options | None = None) -> Report:
        """Take back a plan that was applied, whole or in part; without a file the one that was not finished."""
        from replguard.control import filterapply, filterundo
        from replguard.control.locking import OperatorLock

        started = _now()
        with OperatorLock(self.pair, "filter apply --undo") as lock:
            given = replace(options or filterapply.Options(), still=lock.still)
            job = filterapply.job(self.pair, self._folder, path, given)
            checks = filterundo.undo(job) if job else (filterundo.nothing(),)
        return self._report("filter apply", started, checks, links=_facts(self.links()[1]))

    def watch(self, options: watching.Options) -> Report:
        """Both sides' streams against policy and filters."""
        from replguard.control import returned
        from replguard.watch import run as watching

        return self._watched(watching.watch, replace(options, returned=lambda: returned.look(self.pair, self._folder)))

    def pending(self, options: watching.Options | None = None) -> Report:
        """What waits in every link: each forbidden and each config change, nothing moved."""
        from replguard.watch import preview
        from replguard.watch import run as watching

        return self._watched(preview.preview, options or watching.Options())

    def breaker(self, show: Callable[[str], None] = lambda _line: None) -> Breaker:
        """What stops a link at the first leak, for the options of :meth:`watch`; ``show`` is told what it runs."""
        from replguard.control.breaker import Breaker

        return Breaker(self.pair, self._folder, show)

    def checkpoint(self, name: str) -> Checkpoint:
        """The checkpoint of this name, for the options of :meth:`watch`. UsageError for what is no name."""
        from replguard.watch.checkpoint import Checkpoint

        return Checkpoint.named(self._folder, name)

    def receipt(self, text: str) -> dict[str, Any] | None:
        """The receipt that ``text`` names: ``receipt`` is that of the pause that holds, else it is a path.

        None for what names no file. UsageError where no pause holds.
        """
        from replguard.control import receipt
        from replguard.journal import read_json

        if text != "receipt":
            return read_json(Path(text)) if Path(text).is_file() else None
        held = receipt.load(self._folder)
        if held is None:
            raise UsageError("no pause of this pair holds, so there is no receipt", remedy="give the path of one")
        return held

    def _watched(self, look: Callable[..., watching.Watched], options: watching.Options) -> Report:
        started = _now()
        ours, found = self.links()
        seen = look(self.pair, self.tables(), ours, options)
        checks = (*seen.checks, *self._unknown_links(found))
        return self._report("watch", started, checks, coverage=seen.coverage, links=_facts(found))

    def _unknown_links(self, links: tuple[Link, ...]) -> tuple[Check, ...]:
        """Links of which nobody knows whether they join the two clusters."""
        state = audit_links.check(links, self.config, needed=False)
        unknown = tuple(finding for finding in state.findings if finding.code == "link.unknown")
        return (Check(state.id, state.summary, unknown),) if unknown else ()

    def scan(
        self, paths: Iterable[str | Path], options: scanning.Options | None = None, link: str | None = None
    ) -> Report:
        """Log files, judged by the filters and catalogs of the link that carries them: ``link`` names it, by its label
        or name, else it is told by the server that keeps the files. Raises UsageError, ServerError.
        """
        from replguard.watch import scan as scanning
        from replguard.watch.carrier import carrier

        started = _now()
        named = _paths(paths)
        ours, _ = self.links()
        chosen = carrier(scanning.look(named), self.pair, ours, link)
        filters = self.pair.server(chosen.target).filters.of(chosen, self._source(chosen))
        subject = scanning.Subject(self.tables(), chosen, filters)
        seen = scanning.scan(named, subject, options or scanning.Options())
        return self._report(
            "scan", started, (seen.check,), coverage=seen.coverage, links=_facts((chosen,)), data=seen.data
        )

    def diff(
        self,
        options: comparison.Options | None = None,
        repairs: repair.Request | None = None,
        certificate: certificates.Request | None = None,
        *,
        self_test: bool = False,
    ) -> Report:
        """Schema and data of the config tables.

        ``repairs`` asks for a file of statements that put right what differs, ``certificate`` for one that says that
        nothing does: the report tells where it may not be written. ``self_test`` asks whether the comparison finds
        differences that are planted into temporary copies. Raises UsageError where a file cannot be written.
        """
        from replguard.audit import classes
        from replguard.diff import run as comparison

        started = _now()
        if repairs:
            repairs.check()
            repairs.changed((self.pair.first.name, self.pair.second.name))
        if certificate:
            certificate.check()
        options = options or comparison.Options(started.date())
        if certificate and options.resume:
            raise UsageError(
                "a certificate is of one time, and --resume goes on with a comparison of another",
                remedy="compare anew, without --resume",
            )
        tables = self.tables()
        _, found = self.links()
        point = self._point(tables, options)
        compared = comparison.diff(self.pair, tables, found, options, point)
        point.remove()
        state = audit_links.check(found, self.config, needed=False)
        told = tuple(item for item in state.findings if item.code in ("link.missing", "link.unknown"))
        named = [*(classes.unclassified(tables) if options.tables is None else []), *classes.no_table(tables)]
        checks = (
            *compared.checks,
            Check("policy.tables", f"{len(tables.tables)} tables", tuple(named)),
            Check(state.id, state.summary, _only_told(told), applicable=state.applicable),
            *([repairs.write(self.pair, tables, found, compared.drift)] if repairs else []),
            *([self._self_test(tables, options)] if self_test else []),
        )
        report = self._report(
            "diff", started, checks, coverage=compared.coverage, strength=compared.strength, links=_facts(found)
        )
        if not certificate:
            return report
        issued = certificate.issue(report, self.config, self.pair, self._folder, options.tables)
        return replace(report, checks=(*report.checks, issued))

    def _self_test(self, tables: TableMap, options: comparison.Options) -> Check:
        from replguard.diff import selftest

        wanted = tuple(table for table in tables if options.wants(table))
        return selftest.self_test(self.pair, replace(tables, tables=wanted), options.today)

    def _point(self, tables: TableMap, options: comparison.Options) -> DiffCheckpoint:
        """Where a comparison writes down how far it is; with ``resume`` it holds what an interrupted one left."""
        from replguard.diff import checkpoint

        wanted = [table for table in tables if options.wants(table)]
        subject = checkpoint.subject(self.pair, self.config.policy, wanted)
        point = checkpoint.Checkpoint(checkpoint.path_in(self._folder), subject)
        if options.resume:
            point.load()
        return point

    def pause(self, options: pausing.Options | None = None) -> Report:
        """Drain and stop all links, verify it, and write a receipt. ControlError where another operator is at work."""
        from replguard.control import pause as pausing
        from replguard.control.locking import OperatorLock

        started = _now()
        tables = self.tables()
        with OperatorLock(self.pair, "pause") as lock:
            given = replace(options or pausing.Options(), still=lock.still)
            done = pausing.pause(self.pair, tables, self._folder, given)
        return self._report("pause", started, done.checks, links=_facts(done.links), data={"receipt": done.receipt})

    def resume(self, options: resuming.Options | pausing.Options | None = None) -> Report:
        """Start all links again, where nothing speaks against it, and see them carry data.

        What a pause was told is enough for a resume that accepts nothing. ControlError where another operator is at
        work, UsageError for a winner that is none of the clusters.
        """
        from replguard.control import resume as resuming
        from replguard.control.locking import OperatorLock

        started = _now()
        asked = resuming.Options.of(options)
        tables = self.tables()
        with OperatorLock(self.pair, "resume") as lock:
            given = replace(asked, still=lock.still)
            done = resuming.resume(self.pair, tables, self._folder, given, lambda: self.audit().checks)
        data = {"conflicts": done.conflicts}
        return self._report("resume", started, done.checks, coverage=done.coverage, links=_facts(done.links), data=data)

    def gate(
        self,
        purpose: gate_base.Purpose | None = None,
        options: gate_base.Options | None = None,
        on_check: Callable[[gate_base.Gate, gate_base.Outcome | None], None] = lambda _gate, _outcome: None,
        show: Callable[[str], None] = lambda _line: None,
    ) -> Report:
        """Every check, one verdict; by default for the nightly run. ``show`` is told what a marker runs."""
        from replguard.control import forgate
        from replguard.deadlines import within
        from replguard.gates import base as gate_base
        from replguard.gates import roles, waivers
        from replguard.gates import run as gate_run

        started = _now()
        wanted = purpose or gate_base.Purpose.nightly
        given = options or gate_base.Options(started.date())
        (ours, found), tables, facts = within(
            given.deadline,
            "reading links, catalogs and positions",
            lambda: (self.links(), self.tables(), {server.name: _cluster(server) for server in self.pair}),
            "look whether a server hangs or a lock is held; give it more time with --deadline",
        )
        names = (self.pair.first.name, self.pair.second.name)
        sides = roles.roles(names, ours, given.to, self.config.gate.active)
        known = forgate.Known(self._folder, show)
        context = gate_base.Context(self.pair, self.config, tables, ours, found, wanted, given, sides, known)
        ran = gate_run.run(context, self._again, on_check)
        data = {
            "for": wanted.value,
            "roles": {"active": sides.active, "passive": sides.passive, "why": sides.why},
            "abandoned": list(ran.abandoned),
        }
        return Report(
            "gate",
            __version__,
            started,
            _now(),
            # As they were at the beginning: a server may hang by now, and a report must be made all the same.
            clusters=facts,
            checks=waivers.apply(ran.outcome.checks, self.config.waivers, given.today),
            coverage=ran.outcome.coverage,
            links=_facts(found),
            strength=ran.outcome.strength,
            data=data,
        )

    def attest(self, names: Iterable[str]) -> None:
        """Note in the state folder that whoever runs this attests these sentences of the config now. KeyError for a
        name that is none of them.
        """
        from replguard.control import attested

        known = {one.name: one for one in self.config.site.attestations}
        if wanted := [known[name] for name in names]:
            attested.attest(self._folder, wanted)

    def unattested(self, purpose: str) -> list[AttestationSection]:
        """What the gate for this purpose asks somebody to attest, and nobody has, or not any more."""
        from replguard.control import attested
        from replguard.gates import attestations

        return attestations.lacking(self.config.site.attestations, purpose, attested.load(self._folder))

    def certify(self, report: Report, path: Path) -> Report:
        """Write the certificate of the comparison in a gate for a cutover to a file, where it may be issued.

        The report comes back with a check that tells so, or why not: that warns, since the gate has its own verdict.
        """
        from replguard.control import certificate as certificates

        issued = certificates.issue(report, self.config, self.pair, self._folder, path, None)
        findings = tuple(
            replace(finding, severity=Severity.warn) if finding.severity is Severity.unknown else finding
            for finding in issued.findings
        )
        summary = f"written to {path.name}" if path.exists() else issued.summary
        told = tuple(
            replace(finding, evidence={"file": path.name}) if "file" in finding.evidence else finding
            for finding in findings
        )
        return replace(report, checks=(*report.checks, replace(issued, summary=summary, findings=told)))

    def _again(self) -> Pair:
        """Connections of their own to the same two servers. ConnectError where others answer now."""
        pair = Pair.open(self.config, self.pair.on_statement)
        for mine, fresh in zip(self.pair, pair, strict=True):
            if mine.identity.text != fresh.identity.text:
                pair.close()
                raise ConnectError(
                    f"cluster {mine.name!r} was {mine.identity.text}, and {fresh.identity.text} answers there now",
                    remedy="after a failover start again; name the server itself in the URL, not a proxy",
                    cluster=mine.name,
                )
        return pair

    @property
    def receipt_path(self) -> Path:
        """Where the receipt of a pause of this pair lies."""
        from replguard.control import receipt

        return receipt.path_in(self._folder)

    @property
    def _folder(self) -> Path:
        from replguard.control import receipt

        return receipt.state_folder(self.config, self.pair)

    def _source(self, link: Link) -> Server:
        return self.pair.server(str(link.source))

    def _unfinished(self) -> tuple[Check, ...]:
        """What was begun and not finished, because its process died."""
        from replguard.journal import Journal

        entries = Journal(self._folder).unfinished()
        findings = tuple(
            Finding(
                "journal.unfinished",
                Severity.warn,
                f"a {entry.data['action']} begun at {entry.data['begun_at']} by {entry.data['by']} was not finished",
                remedy=entry.data.get("remedy") or _WHICHEVER,
                evidence={"steps": entry.data["steps"]},
            )
            for entry in entries
        )
        return (Check("journal", f"{len(entries)} unfinished", findings),) if entries else ()

    def _report(self, command: str, started: datetime, checks: tuple[Check, ...], **parts: Any) -> Report:
        facts = {server.name: _cluster(server) for server in self.pair}
        return Report(command, __version__, started, _now(), clusters=facts, checks=checks, **parts)


def _paths(paths: Iterable[str | Path]) -> list[Path]:
    return [Path(path) for path in paths]


def _only_told(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """A comparison needs no link: what is said of links informs, and the data decides."""
    return tuple(replace(finding, severity=Severity.info) for finding in findings)


def _facts(links: tuple[Link, ...]) -> tuple[Any, ...]:
    return tuple(map(audit_links.facts, links))


def _cluster(server: Server) -> ClusterFacts:
    try:
        position = server.replication.position().text
    except ReplguardError:
        position = None
    identity = server.identity
    return ClusterFacts(identity.engine, identity.version, identity.text, position)


def _now() -> datetime:
    return datetime.now(UTC)
