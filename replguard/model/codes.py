"""All finding codes: what each means, and what it does to a verdict. The page docs/findings.md is made from this."""

from __future__ import annotations

from typing import Final, NamedTuple


class Meaning(NamedTuple):
    """What some codes mean. ``severity`` is the usual one; where another may stand, ``words`` say when. Markdown."""

    codes: tuple[str, ...]
    severity: str
    words: str


MEANINGS: Final = (
    Meaning(
        ("row.missing", "row.extra", "row.differs"),
        "fail",
        "by key, seen from the second cluster of the config: absent there, only there, not the same. `info` where "
        "the policy expects the difference",
    ),
    Meaning(
        ("trace.incomplete",),
        "info",
        "who changed differing rows last could not be told whole, and why: a part of a stream that was not or could"
        " not be read, rows without a key, a column of `changed_by` that is not there",
    ),
    Meaning(
        ("row.in_flight",),
        "info",
        "differed while a change was on its way, and is equal: which transaction, at which position",
    ),
    Meaning(
        ("row.unsettled",),
        "unknown",
        "may be drift or a change on its way: changes of it kept coming between the readings, or its link does not "
        "move. Without a key: the table as a whole",
    ),
    Meaning(
        ("row.indeterminate",),
        "unknown",
        "differs in values alone that may mean the same (`as: secret`)",
    ),
    Meaning(
        ("table.missing",),
        "fail",
        "a config table is on one side only",
    ),
    Meaning(
        ("schema.differs",),
        "fail",
        "a config table, or a type, view or routine that belongs to one (`table` is null then), is not the same on "
        "both sides; see below. `warn` where what differs changes no row",
    ),
    Meaning(
        ("sequence.behind",),
        "warn",
        "the next number of a sequence, identity column or AUTO_INCREMENT, on the side that would take over, stands"
        " in a row already; the remedy has the statement that sets it",
    ),
    Meaning(
        ("sequence.collides",),
        "warn",
        "a pair that replicates both ways, whose sides give the same numbers to rows that are written at the same time",
    ),
    Meaning(
        ("table.not_compared",),
        "unknown",
        "the rows of a config table could not be compared, and why",
    ),
    Meaning(
        ("table.unclassified",),
        "unknown",
        "no rule of the policy names the table. `warn` for `init`, which only lists it",
    ),
    Meaning(
        ("expected.unused",),
        "warn",
        "an expected difference of the policy that is not there any more",
    ),
    Meaning(
        ("repair.written",),
        "info",
        "statements that put right what differs were written to the file of `--repair-sql`",
    ),
    Meaning(
        ("repair.incomplete",),
        "warn",
        "a row that differs and for which no statement was written, and why",
    ),
    Meaning(
        ("certificate.written",),
        "info",
        "the certificate of `--certificate` was written",
    ),
    Meaning(
        ("certificate.not_written",),
        "unknown",
        "why it was not: the verdict, the strength, or a link that does not stand where its pause's receipt says",
    ),
    Meaning(
        ("selftest.missed",),
        "fail",
        "a difference that `--self-test` planted into temporary copies was not found as it was planted",
    ),
    Meaning(
        ("selftest.partial",),
        "warn, unknown where a grant is lacking",
        "a server took no temporary copies of a table: its hashes were not put to the test",
    ),
    Meaning(
        ("selftest.done",),
        "info",
        "how many differences were planted and found, by kind, and by which functions",
    ),
    Meaning(
        ("leak.configured",),
        "fail",
        "a must_not_sync table that would cross a link as it is set, or that a cascade, a trigger or a scheduled "
        "event of the target would write behind its filters; the evidence has the path. `unknown` where the filters"
        " do not tell",
    ),
    Meaning(
        ("leak.sent",),
        "fail",
        "a change to such a table is in what a link carries, and its filters would apply it. `unknown` while its "
        "transaction is not committed",
    ),
    Meaning(
        ("leak.applied",),
        "fail",
        "such a change was applied at the target and came from the other cluster. `unknown` where that cannot be "
        "observed and what was sent was not judged whole; `info` where it was",
    ),
    Meaning(
        ("filter.fragile",),
        "warn",
        "what holds today and need not tomorrow: filters that are lost on restart, rules that catch too much, too "
        "little or nothing, what joins config tables to those that must not sync; [the whole "
        "list](filters.md#what-the-audit-warns-of)",
    ),
    Meaning(
        ("plan.step", "plan.note"),
        "info",
        "a step of a plan of filters, with its statements and their undo; what was changed of rules that others had"
        " set, a link of a plan that is gone",
    ),
    Meaning(
        ("plan.refused",),
        "fail",
        "no rules can make a link let through what it should, and why: a name that no rule can express, a rule that"
        " reaches other databases",
    ),
    Meaning(
        ("export.refused",),
        "fail",
        "rules that a form of `filter export` cannot say, and why",
    ),
    Meaning(
        ("plan.stale",),
        "fail",
        "a plan does not fit any more: filters, links, tables or their classes changed since it was made",
    ),
    Meaning(
        ("plan.other_pair",),
        "fail",
        "a plan was made for other servers",
    ),
    Meaning(
        ("plan.given_up",),
        "unknown",
        "a plan that failed half-way or made the audit worse, and was taken back",
    ),
    Meaning(
        ("plan.not_undone",),
        "fail",
        "a link that could not be put back as it was, and may stand",
    ),
    Meaning(
        ("link.incomplete",),
        "fail",
        "a config table that would not cross a link, or whose initial copy is not finished",
    ),
    Meaning(
        ("link.missing",),
        "fail",
        "no link between the clusters. `unknown` where the check needs one, `info` for `diff`",
    ),
    Meaning(
        ("link.broken",),
        "fail",
        "a link that should run and does not. `unknown` where its state cannot be read",
    ),
    Meaning(
        ("link.paused",),
        "warn",
        "a link that stands in good order. `fail` where it should have been put back and was not",
    ),
    Meaning(
        ("link.running",),
        "fail",
        "a link that runs where a cutover needs it paused",
    ),
    Meaning(
        ("link.lagging",),
        "fail",
        "a link too far behind. `unknown` where its lag is not known",
    ),
    Meaning(
        ("link.unknown",),
        "unknown",
        "a link whose source could not be matched by identity. `info` where the config names the links of the pair",
    ),
    Meaning(
        ("link.unexpected",),
        "fail",
        "a link runs although the config says `links: none`",
    ),
    Meaning(
        ("replication.delayed",),
        "fail",
        "a link that is set to apply late",
    ),
    Meaning(
        ("replication.skips",),
        "fail",
        "a link that is told, or whose target is set, to skip what it should apply",
    ),
    Meaning(
        ("replication.errors",),
        "fail",
        "a link that fails again and again. `warn` where it has failed before",
    ),
    Meaning(
        ("replication.unordered",),
        "warn",
        "a target that commits in another order than its source",
    ),
    Meaning(
        ("replication.slot",),
        "fail",
        "a slot whose log is removed, or may be any moment",
    ),
    Meaning(
        ("replication.behind",),
        "fail",
        "a link that did not apply in time what its source had a moment ago",
    ),
    Meaning(
        ("replication.no_marker",),
        "unknown",
        "a marker was asked for, and the config names no table for it, or it may not be written there",
    ),
    Meaning(
        ("direction.unknown",),
        "unknown",
        "nobody said which cluster traffic is to be moved to, and the links do not tell",
    ),
    Meaning(
        ("direction.wrong",),
        "fail",
        "no link leads to the cluster that is to take over. `warn` where no move is asked for",
    ),
    Meaning(
        ("direction.loop",),
        "fail",
        "links that hand changes on in a circle",
    ),
    Meaning(
        ("clock.skew",),
        "warn",
        "clocks that differ by more than an application bears; no check goes by them",
    ),
    Meaning(
        ("settings.differ",),
        "fail",
        "a setting that is not the same on both sides, by which statements store or find something else. `warn` "
        "where only limits and manners differ",
    ),
    Meaning(
        ("table.no_key",),
        "warn",
        "a config table without a primary key, or a unique one without nullable columns",
    ),
    Meaning(
        ("table.no_identity",),
        "fail",
        "a published table whose changed rows cannot be told (PostgreSQL)",
    ),
    Meaning(
        ("events.run",),
        "fail",
        "a scheduled event of the passive side that writes a config table",
    ),
    Meaning(
        ("events.opaque",),
        "unknown",
        "a scheduled event of the passive side whose text does not tell what it writes",
    ),
    Meaning(
        ("events.unseen",),
        "unknown",
        "something that runs jobs on the passive side and is not read",
    ),
    Meaning(
        ("separate.copied",),
        "fail",
        "rows of a table that must not sync which are the same on both sides, as after a clone or an initial copy",
    ),
    Meaning(
        ("files.differ",),
        "fail",
        "a file that is not the same on all hosts, or not on all of them",
    ),
    Meaning(
        ("files.unread",),
        "unknown",
        "a manifest that cannot be read",
    ),
    Meaning(
        ("files.stale",),
        "unknown",
        "a manifest that is too old, or of the future",
    ),
    Meaning(
        ("files.incomplete",),
        "unknown",
        "something that could not be listed when a manifest was made",
    ),
    Meaning(
        ("files.unlike",),
        "unknown",
        "manifests with different keys, or without one where a secret is compared",
    ),
    Meaning(
        ("endpoint.failed",),
        "fail",
        "an endpoint that answers otherwise than it must",
    ),
    Meaning(
        ("endpoint.unreached",),
        "unknown",
        "an endpoint that did not answer, or could not be asked",
    ),
    Meaning(
        ("endpoint.answers",),
        "fail",
        "an endpoint that answers where nothing may",
    ),
    Meaning(
        ("command.failed",),
        "fail",
        "a program of the site that ended with 1, or without what its output must hold",
    ),
    Meaning(
        ("command.unknown",),
        "unknown",
        "a program of the site that did not end, or with another code than 0 and 1",
    ),
    Meaning(
        ("attestation.missing",),
        "unknown",
        "what nobody has attested",
    ),
    Meaning(
        ("attestation.expired",),
        "unknown",
        "what was attested and holds no longer",
    ),
    Meaning(
        ("attestation.given",),
        "info",
        "what was attested, by whom and until when",
    ),
    Meaning(
        ("stream.opaque",),
        "unknown",
        "a statement that travels as text and can write more tables than it names",
    ),
    Meaning(
        ("stream.unknown",),
        "unknown",
        "an event that is not understood",
    ),
    Meaning(
        ("stream.corrupt",),
        "unknown",
        "damage in a stream: a wrong checksum, a torn event",
    ),
    Meaning(
        ("stream.gap",),
        "unknown",
        "a hole in a stream: what was there has been purged",
    ),
    Meaning(
        ("stream.reopened",),
        "info",
        "a stream broke off and was opened again at its last position; a hole would be a `stream.gap`",
    ),
    Meaning(
        ("stream.restricted",),
        "unknown",
        "changes of other servers or GTID domains than those asked for were not judged. `info` where there were none",
    ),
    Meaning(
        ("freeze.changed",),
        "fail",
        "a config table was changed while it should not change; `resume` tells whether it `will_flow`, "
        "`will_not_flow` or `has_flowed` (`kind`), and warns where that was accepted. `unknown` where the stream "
        "does not tell who did it, or DDL names what no catalog has; `info` where only ignored columns differ or "
        "the policy expects the difference",
    ),
    Meaning(
        ("errant.write",),
        "fail",
        "a config table was changed on the passive side itself (not by replication). `unknown` for a table that no "
        "rule names, DDL that may mean a config table, a statement that stands in the log as text, and where rows "
        "alone tell it (PostgreSQL: they may have been loaded before the link began; `warn` where the tables were "
        "compared and are equal); `info` where only ignored columns differ or the policy expects the difference",
    ),
    Meaning(
        ("errant.unread",),
        "unknown",
        "what the passive side wrote itself and could not be judged: purged, not read within its time, or told by "
        "no log. `info` where the config tables were compared after it and are equal",
    ),
    Meaning(
        ("change.pending",),
        "warn",
        "changes of a config table wait in a paused link. `fail` for a pause",
    ),
    Meaning(
        ("pause.given_up",),
        "unknown",
        "a pause that could not be completed and was put back",
    ),
    Meaning(
        ("pause.not_verified",),
        "fail",
        "the server says that a link is not paused, or it could not be stopped after a leak was seen",
    ),
    Meaning(
        ("pause.fragile",),
        "warn",
        "what starts a paused link by itself: a restart of the target, an election in its replication group, an "
        "event; or what could not be set against that. `info` where it only may, or could not be seen",
    ),
    Meaning(
        ("pause.ended_by_itself",),
        "fail",
        "a link that `replguard pause` stopped runs, or ran meanwhile, and nobody resumed it with replguard. Told "
        "by `status` and `watch`",
    ),
    Meaning(
        ("resume.held",),
        "fail",
        "what a pause set so that links stay stopped over a restart could not be taken back",
    ),
    Meaning(
        ("pause.on_leak",),
        "warn",
        "a link was stopped by `watch --on-leak pause`: at which position, by which finding. `info` where it stood "
        "already",
    ),
    Meaning(
        ("pause.tail_unknown",),
        "unknown",
        "what a source wrote after the applied position could not be read",
    ),
    Meaning(
        ("pause.budget",),
        "fail",
        "what a paused link needs may be removed any moment, or is gone; `warn` from half of the time on, while a "
        "slot is `unreserved`, or where it is not known how long the pause may last (`info` right after the pause)",
    ),
    Meaning(
        ("pause.unguarded",),
        "warn",
        "on PostgreSQL, no slot keeps what is written to some config tables during the pause, and none could be "
        "made: resume is less exact",
    ),
    Meaning(
        ("pause.guard_left",),
        "warn",
        "a guard slot that no receipt tells of, or that could not be dropped: it keeps WAL. `info` where it is not "
        "of this pair",
    ),
    Meaning(
        ("pause.not_held",),
        "fail",
        "at a cutover: what speaks against the pause holding as its receipt says",
    ),
    Meaning(
        ("pause.tail",),
        "fail",
        "changes of a config table that had not crossed when a link was paused",
    ),
    Meaning(
        ("resume.conflict",),
        "fail",
        "a row, or a table as a whole, that both sides changed while the links stood. `warn` where a winner was "
        "named and nothing must be done before",
    ),
    Meaning(
        ("resume.settlement",),
        "fail",
        "what must be run on the losing side before the links are started, or why the named winner cannot win. "
        "`warn` where it can be run later, or no statement says it",
    ),
    Meaning(
        ("resume.no_receipt",),
        "unknown",
        "no receipt tells where a cluster stood when its replication was stopped, and no link carries what is "
        "written there. `info` where a pause that died within the last hour stopped it",
    ),
    Meaning(
        ("resume.position_lost",),
        "fail",
        "a link does not find on its source what it needs next: purged binlogs or GTIDs, a slot that is lost",
    ),
    Meaning(
        ("resume.position_unsure",),
        "unknown",
        "what a link needs next is there, and may be gone in a moment (`wal_status` unreserved), or the source does"
        " not tell",
    ),
    Meaning(
        ("resume.link_gone",),
        "fail",
        "a link that was paused is not there any more, or its source cannot be told (its slot is gone). `warn` with"
        " `--accept-upgrade`",
    ),
    Meaning(
        ("resume.identity",),
        "fail",
        "a server is not the one that was paused. `warn` with `--accept-upgrade`",
    ),
    Meaning(
        ("resume.newer_source",),
        "fail",
        "a link leads from a newer MySQL or MariaDB to an older one, and did not when it was paused. `warn` where "
        "it did, on PostgreSQL, and with `--accept-upgrade`",
    ),
    Meaning(
        ("resume.not_started",),
        "fail",
        "nothing was started: which checks failed or could not be judged. `unknown` where none failed",
    ),
    Meaning(
        ("resume.unchecked",),
        "warn",
        "a link ran already and was not started by replguard, so that nothing was asked before",
    ),
    Meaning(
        ("resume.continued",),
        "info",
        "a resume that had died was finished; what it had asked was not asked again",
    ),
    Meaning(
        ("resume.verified",),
        "info",
        "a link carries data: from where to where its position went, or that nothing waited",
    ),
    Meaning(
        ("resume.not_verified",),
        "fail",
        "a link that was started and does not carry data. `unknown` where it only did not catch up in time",
    ),
    Meaning(
        ("journal.unfinished",),
        "warn",
        "an action that was begun and whose process died; the remedy names what finishes it. `fail` in a gate for a"
        " switchover or cutover. `unknown` for `filter plan` and `filter apply`, which begin nothing before it is "
        "finished",
    ),
    Meaning(
        ("policy.unmatched",),
        "info",
        "a rule that matches no table on either side, or no table that has the columns it names",
    ),
    Meaning(
        ("policy.expired",),
        "warn",
        "a rule with an `until` that has passed: it holds no longer",
    ),
    Meaning(
        ("policy.unusable",),
        "warn",
        "a rule of the policy that cannot be applied to a table, which was compared without it: a relaxation of a "
        "key column, a row filter by a column that is not compared. `info` for globs",
    ),
    Meaning(
        ("waiver.used",),
        "info",
        "a waiver of the policy that excused findings: these stand in their checks as information, with `waived` in"
        " their evidence",
    ),
    Meaning(
        ("waiver.unused",),
        "info",
        "a waiver that excused nothing in this run",
    ),
    Meaning(
        ("waiver.expired",),
        "warn",
        "a waiver whose last day has passed: it excuses nothing",
    ),
    Meaning(
        ("evidence.touched",),
        "fail",
        "a file of a folder of evidence that was changed, added or taken away",
    ),
    Meaning(
        ("evidence.unsigned",),
        "warn",
        "evidence without a signature. `fail` where a key was asked for, or the manifest names one",
    ),
    Meaning(
        ("evidence.bad_signature",),
        "fail",
        "a manifest that was changed after it was signed, or signed by another key",
    ),
    Meaning(
        ("evidence.unknown_key",),
        "warn",
        "a signature that holds, by a key that nobody asked for",
    ),
    Meaning(
        ("clusters.version",),
        "warn",
        "the two servers are of different versions",
    ),
    Meaning(
        ("activity.transaction",),
        "fail",
        "a session, or the applier, is in a transaction for `gate.long_transaction` seconds (30) or more. `warn` "
        "where it has only read, and where no move is near (`setup`, `nightly`)",
    ),
    Meaning(
        ("activity.ddl",),
        "fail",
        "DDL runs. `warn` where no move is near",
    ),
    Meaning(
        ("activity.lock",),
        "fail",
        "a session holds a lock on a table that keeps others out, or waits for one. `warn` where no move is near",
    ),
    Meaning(
        ("activity.in_doubt",),
        "fail",
        "a transaction is prepared (XA, two-phase). `warn` where no move is near",
    ),
    Meaning(
        ("activity.backup",),
        "fail",
        "a backup runs, or the global read lock or the backup lock is held. `warn` where no move is near",
    ),
    Meaning(
        ("activity.unseen",),
        "unknown",
        "something of what goes on may not be seen, with the grant that shows it. `info` where the server shows it "
        "to nobody as it is set",
    ),
    Meaning(
        ("passive.writable",),
        "fail",
        "`gate.read_only: true` is wanted, and the passive side takes writes",
    ),
    Meaning(
        ("passive.refuses",),
        "fail",
        "`gate.read_only: true` is wanted, and the active side refuses writes",
    ),
    Meaning(
        ("passive.exempt",),
        "warn",
        "the passive side is read-only, and a session that is connected, or a role, may write there all the same",
    ),
    Meaning(
        ("passive.writer",),
        "fail",
        "a session writes to a config table of the passive side; with `gate.read_only: true`, to any table. `warn` "
        "where no move is near, and where the server does not tell to which",
    ),
    Meaning(
        ("tool.acts",),
        "fail",
        "another program changes tables or servers right now, or has left what it made: gh-ost, "
        "pt-online-schema-change, pt-table-sync, pg_repack, a failover of MHA, a replication group or a Galera node"
        " that is not at rest. `warn` where no move is near",
    ),
    Meaning(
        ("tool.manages",),
        "warn",
        "a program is there that may turn replication round by itself: orchestrator, MHA, MaxScale, Patroni, "
        "repmgr, pg_auto_failover, a replication group",
    ),
    Meaning(
        ("tool.reads",),
        "info",
        "somebody else reads a server's changes, and stays with it after a move: Debezium, a migration service, "
        "another replica, a slot that is of no link",
    ),
    Meaning(
        ("tool.operator",),
        "fail",
        "another operator of replguard is at work on this pair. `warn` where no move is near",
    ),
    Meaning(
        ("retention.short",),
        "fail",
        "the log of a link's source is not kept for as long as the pause is planned to last. `warn` where no move "
        "is near",
    ),
    Meaning(
        ("retention.lost",),
        "fail",
        "the source has removed what the link needs: it cannot go on",
    ),
    Meaning(
        ("retention.danger",),
        "fail",
        "what the link needs may be removed any moment. `warn` where no move is near",
    ),
    Meaning(
        ("retention.unknown",),
        "warn",
        "how long the log lasts is not known: the server tells neither a limit nor the room on its disk. `unknown` "
        "where the source is not known",
    ),
    Meaning(
        ("retention.enough",),
        "info",
        "the log is kept for longer than the planned pause: until when, and what ends it",
    ),
    Meaning(
        ("capacity.full",),
        "fail",
        "fewer slots, WAL senders, workers or connections are free than what comes needs. `warn` where no move is near",
    ),
    Meaning(
        ("privilege.missing",),
        "fail",
        "the user in use may not do a later step: pause, resume, watch. `warn` for `filter apply`, for the side "
        "that is no target yet, and where no move is near",
    ),
    Meaning(
        ("back.impossible",),
        "fail",
        "no link can lead back after a move: the side logs nothing that could be read. `warn` where no move is near",
    ),
    Meaning(
        ("back.retention",),
        "fail",
        "a link that leads back would soon lose its place: logs of that side are kept for too short a time. `warn` "
        "where no move is near",
    ),
    Meaning(
        ("back.account",),
        "fail",
        "nobody can log in to replicate from that side. `warn` where only the account of the present link is "
        "missing, and where no move is near; `info` where superusers alone can",
    ),
    Meaning(
        ("back.fragile",),
        "warn",
        "what that side applies is not logged, so replicas behind it miss it",
    ),
    Meaning(
        ("back.position",),
        "info",
        "links go by file and position, which must be noted at the switchover",
    ),
    Meaning(
        ("back.filters",),
        "fail, unknown, warn",
        "the log of the side that links lead to leaves a database out (`binlog_do_db`, `binlog_ignore_db`): `unknown` "
        "where the rule spells it in another case, `warn` where the rules are of other databases. Or, `warn`, a "
        "publication that a link which leads back could read publishes a table that must not sync; `info` where "
        "nothing is published yet",
    ),
    Meaning(
        ("back.unseen",),
        "info",
        "accounts for replicas are not shown to this user",
    ),
    Meaning(
        ("diff.not_exact",),
        "unknown",
        "a comparison that is not exact where a cutover needs one",
    ),
    Meaning(
        ("history.not_stored",),
        "unknown",
        "a nightly run that could not be stored, so that nobody knows what is new; it is told all the same",
    ),
    Meaning(
        ("notify.failed",),
        "warn",
        "a notification of the nightly run that was not sent; only the scheme of its URL is shown",
    ),
    Meaning(
        ("check.not_run",),
        "unknown",
        "a check that could not run, and why",
    ),
)

CODES: Final = {code: meaning for meaning in MEANINGS for code in meaning.codes}
"""By code."""
