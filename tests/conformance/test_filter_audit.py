"""Everything that `filter audit` warns of, planted on real pairs and found; the mended pair is silent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from replguard.config import with_option_files, with_rules
from replguard.demo.servers import until
from replguard.errors import UsageError
from replguard.model.findings import Verdict
from tests.conformance.application import Application, codes, of
from tests.servers.choices import versions
from tests.servers.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from replguard.demo.servers import Pair
    from replguard.model.findings import Finding, Report

_LATER = "made later crosses"
"""Said of every link with ignore rules."""


def fragile(report: Report) -> list[Finding]:
    return [item for item in of(report, "filter.fragile") if _LATER not in item.message]


def of_rules(app: Application) -> list[Finding]:
    """All but what other tests set at run time on the same servers: that is told until they are restarted."""
    settings = ("binlog_format", "slave_run_triggers_for_rbr")
    return [item for item in fragile(audited(app)) if item.evidence.get("rule") not in settings]


def warned(report: Report) -> str:
    return "\n".join(f"{item.message} -> {item.remedy}" for item in fragile(report))


def audited(app: Application) -> Report:
    with app.clusters() as clusters:
        return clusters.audit()


def assert_told(report: Report, *words: str) -> None:
    told = warned(report)
    assert [word for word in words if word not in told] == [], told


def planned(app: Application) -> Report:
    with app.clusters() as clusters:
        return clusters.plan_filters()


def audited_with(
    app: Application,
    folder: Path,
    *lines: str,
    side: str = "green",
    look: Callable[[Application], Report] = audited,
) -> Report:
    """An audit, or something else, that was given an option file of one side."""
    path = folder / "my.cnf"
    path.write_text("\n".join(["[mysqld]", *lines]))
    before = app.config
    try:
        app.config = with_option_files(app.config, [f"{side}={path}"])
        return look(app)
    finally:
        app.config = before


@pytest.mark.engines("mariadb", "mysql")
def test_what_a_restart_takes_away(make_pair: Callable[..., Pair], tmp_path: Path) -> None:
    """What is said of a restart is what a restart then does, with and without the option file at hand."""
    pair = make_pair()
    with workspace(pair) as db:
        app = Application(db, tmp_path)
        app.create()
        db.both("DROP TABLE rule")
        apart = [f"replicate-ignore-table={db.name}.{table}" for table in ("event", "auditlog")]
        in_one = [f"replicate-ignore-table={db.name}.event,{db.name}.auditlog"]

        lost = audited(app)
        assert lost.verdict is Verdict.passed
        [finding] = fragile(lost)
        assert finding.evidence["tables"] == [f"{db.name}.auditlog", f"{db.name}.event"]
        assert "lost on restart" in finding.message
        assert "--option-file green=PATH" in str(finding.remedy)
        [after] = lost.data["after_restart"].values()
        assert "replicate_ignore_table" not in after["filters"]

        assert fragile(audited_with(app, tmp_path, *apart)) == []
        assert_told(audited_with(app, tmp_path, "skip-name-resolve"), "does not have it")
        assert_told(audited_with(app, tmp_path, apart[0]), f"{db.name}.auditlog, which must not sync, would cross")
        assert_told(audited_with(app, tmp_path, *in_one), f"{db.name}.auditlog, {db.name}.event, which must not sync")
        gone = audited_with(app, tmp_path, *apart, f"replicate-wild-ignore-table={db.name}.acc%")
        assert_told(gone, f"{db.name}.account, which must be identical, would no longer cross")

        started_with(pair, *in_one)
        blind = audited(app)
        assert blind.verdict is Verdict.passed
        assert_told(blind, "a single name to the server")
        seen = audited_with(app, tmp_path, *in_one)
        assert codes(seen) == ["leak.configured"] * 2
        steps = of(audited_with(app, tmp_path, *in_one, look=planned), "plan.step")
        set_to = " ".join(text for step in steps for text in step.evidence["statements"])
        assert [table for table in ("event", "auditlog") if table not in set_to] == []
        db.run("blue", "INSERT INTO event VALUES (50, 'crosses')")
        db.wait_caught_up()
        assert db.query("green", "SELECT id FROM event WHERE id = 50") == [(50,)]

        read_by_itself(pair, tmp_path / "own.cnf", "max-connect-errors=77", *apart)
        if pair.engine == "mariadb":  # the place of an option file is told to who may read files
            pair.green.run("GRANT FILE ON *.* TO replguard")
        own = audited(app)
        assert fragile(own) == []
        [after] = own.data["after_restart"].values()
        assert after["read"] == [str(tmp_path / "own.cnf")]
        assert_told(audited_with(app, tmp_path, "skip-name-resolve"), "whether it survives a restart cannot be told")

        _settings(app, pair, tmp_path)
        if pair.engine == "mariadb":  # MySQL chooses it when a server is made
            assert "lower_case_table_names" not in warned(audited(app))
            started_with(pair, "lower-case-table-names=1")
            assert_told(audited(app), "lower_case_table_names is 0 on blue and 1 on green")


def started_with(pair: Pair, *options: str) -> None:
    server: Any = pair.green
    server.options = tuple(f"--{option}" for option in options)
    server.restart()
    until(lambda: not _stopped(pair), "the link to run again")


def read_by_itself(pair: Pair, path: Path, *lines: str) -> None:
    """Restart green with an option file of its own, where everything else stands on the command line."""
    path.write_text("\n".join(["[mysqld]", *lines]))
    server: Any = pair.green
    program = [word for word in server.program() if not word.startswith(("--no-defaults", "--defaults-file"))]
    place = program.index(str(server.installation.server)) + 1
    server.program = lambda: [*program[:place], f"--defaults-file={path}", *program[place:]]
    started_with(pair)


def _stopped(pair: Pair) -> bool:
    with pair.green.connect() as connection:
        show = "SHOW ALL SLAVES STATUS" if pair.engine == "mariadb" else "SHOW REPLICA STATUS"
        [row] = connection.records(show)
    return "No" in {value for name, value in row.items() if name.endswith(("IO_Running", "SQL_Running"))}


def _settings(app: Application, pair: Pair, folder: Path) -> None:
    """The format of the source's log: globally, as one session has it, and after a restart of the source."""
    app.db.run("blue", "SET GLOBAL binlog_format = 'MIXED'")
    with pair.blue.connect() as session:
        session.run("SELECT 1")
        app.db.run("blue", "SET GLOBAL binlog_format = 'ROW'")
        report = audited(app)
    assert_told(report, "binlog_format of blue is ROW now, and perhaps something else after a restart")
    written = audited_with(app, folder, "binlog-format = statement", side="blue")
    assert_told(written, "binlog_format of blue is ROW now, and statement after a restart", "my.cnf:2 says so")
    assert "binlog_format" not in warned(audited_with(app, folder, "binlog_format=row", side="blue"))
    if pair.engine == "mysql":
        assert_told(report, "sessions on blue log statements", "root@127.0.0.1 (MIXED, 1)")
        app.db.run("blue", "SET PERSIST_ONLY binlog_format = 'STATEMENT'")
        assert_told(audited(app), "binlog_format of blue is ROW now, and STATEMENT after a restart: it is persisted so")
        app.db.run("blue", "SET PERSIST binlog_format = 'ROW'")
        assert "binlog_format" not in warned(audited(app))
    app.db.run("blue", "SET GLOBAL binlog_format = 'MIXED'")
    assert_told(audited(app), "binlog_format of blue is MIXED: a change that travels as a statement")
    app.db.run("blue", "SET GLOBAL binlog_format = 'ROW'")


_STOP = {"mariadb": "STOP SLAVE", "mysql": "STOP REPLICA SQL_THREAD"}
_START = {"mariadb": "START SLAVE", "mysql": "START REPLICA SQL_THREAD"}
_SET = {
    "mariadb": "SET GLOBAL replicate_{} = {}",
    "mysql": "CHANGE REPLICATION FILTER REPLICATE_{} = ({}) FOR CHANNEL ''",
}


def rule(app: Application, kind: str, *texts: str) -> None:
    """Set one kind of rule of the link into green."""
    engine = app.db.engine
    if engine == "mariadb":
        value = "'" + ",".join(texts) + "'"
    else:
        value = ", ".join(
            texts if kind.endswith("db") or not kind.startswith("wild") else [f"'{one}'" for one in texts]
        )
    app.db.run("green", _STOP[engine], _SET[engine].format(kind, value), _START[engine])


@pytest.mark.engines("mariadb", "mysql")
def test_rules_and_what_joins_both_classes(app: Application) -> None:
    name = app.db.name
    assert_told(audited(app), f"{name}.rule has no primary key")
    app.db.both("DROP TABLE rule")
    app.config = with_rules(app.config, ("audit_row",))
    lost = [["replicate_ignore_table"]]
    assert [found.evidence["rules"] for found in of_rules(app)] == lost

    rule(app, "wild_ignore_table", f"{name}.aud_tlog", f"{name}.gone", "%.zzz", f"{name}.a%")
    told = audited(app)
    assert_told(
        told,
        "an unescaped _ stands for any character",
        f"'{name}.gone' matches no table",
        "'%.zzz' matches too much: it speaks of every database",
        f"replicate_wild_ignore_table '{name}.a%' matches too much: {name}.auditlog, which must not sync, and also "
        f"{name}.account",
    )
    assert codes(told) == ["link.incomplete"]
    rule(app, "wild_ignore_table")
    rule(app, "do_table", f"{name}.account")
    rule(app, "do_db", name)
    assert_told(audited(app), "are mixed: the first rule that matches decides", "judges DDL and statements by the USE")
    rule(app, "do_table")
    rule(app, "do_db")
    assert [found.evidence["rules"] for found in of_rules(app)] == lost

    app.db.both(
        "CREATE TABLE audit_row (id INT PRIMARY KEY, account BIGINT, FOREIGN KEY a (account) REFERENCES account (id))",
        "CREATE TABLE mark (id INT PRIMARY KEY, event BIGINT, FOREIGN KEY e (event) REFERENCES event (id))",
    )
    app.keep_apart("event", "auditlog", "audit_row")
    app.db.both("CREATE TRIGGER noted AFTER INSERT ON event FOR EACH ROW UPDATE account SET email = 'x' WHERE id = 1")
    [(before,)] = app.db.query("green", "SELECT @@GLOBAL.event_scheduler")
    try:
        app.db.run("green", "SET GLOBAL event_scheduler = ON")
        app.db.run_local(
            "green", "CREATE EVENT tidy ON SCHEDULE EVERY 1 YEAR STARTS '2037-01-01' DO DELETE FROM setting"
        )
        told = audited(app)
        assert told.verdict is Verdict.passed
        assert_told(
            told,
            f"a row of {name}.account cannot be deleted by blue->green while green has its own rows",
            f"a row of {name}.mark cannot be applied by blue->green where green lacks the row that it names",
            f"the trigger noted on blue crosses the border between config and must_not_sync: {name}.event must not",
            f"the event {name}.tidy, which green runs by itself, writes {name}.setting",
        )
    finally:
        app.db.run_local("green", "DROP EVENT IF EXISTS tidy", f"SET GLOBAL event_scheduler = {before}")
    for side in ("blue", "green"):  # what drops an ignored table is ignored with it
        app.db.run_local(side, "DROP TRIGGER IF EXISTS noted", "DROP TABLE audit_row, mark")
    app.keep_apart("event", "auditlog")
    assert [found.evidence["rules"] for found in of_rules(app)] == lost, warned(audited(app))


@pytest.mark.engines("mariadb")
def test_triggers_that_a_target_runs_for_what_it_applies(app: Application) -> None:
    app.db.both("CREATE TRIGGER again BEFORE INSERT ON account FOR EACH ROW SET NEW.email = 'x'")
    assert "fires on green" not in warned(audited(app))
    app.db.run("green", "STOP SLAVE", "SET GLOBAL slave_run_triggers_for_rbr = YES", "START SLAVE")
    try:
        assert_told(
            audited(app),
            f"the trigger again on {app.db.name}.account fires on green for changes that are applied",
            "slave_run_triggers_for_rbr of green is YES now, and perhaps something else after a restart",
        )
    finally:
        app.db.run("green", "STOP SLAVE", "SET GLOBAL slave_run_triggers_for_rbr = NO", "START SLAVE")


@pytest.mark.engines(*versions())
def test_publications_and_what_joins_both_classes(app: Application) -> None:
    """On PostgreSQL the catalog outlives a restart, but for settings that wait for one."""
    app.config = with_rules(app.config, ("account_old", "audit_row"))
    assert fragile(audited(app)) == []

    _publications(app)
    _joined(app)
    _numbers(app)
    _pending(app)
    first, second = app.config.endpoints
    app.config = replace(app.config, endpoints=(first, replace(second, option_files=("/etc/my.cnf",))))
    with pytest.raises(UsageError, match="PostgreSQL keeps its filters in the catalog"):
        audited(app)


def _publications(app: Application) -> None:
    for name, what in (("everything", "ALL TABLES"), ("the_schema", "TABLES IN SCHEMA public")):
        app.db.run("blue", f"CREATE PUBLICATION {name} FOR {what}")
        set_to = f"ALTER SUBSCRIPTION {app.subscription} SET PUBLICATION {{}} WITH (refresh = false)"
        app.db.run("green", set_to.format(f"from_blue, {name}"))
        told = audited(app)
        assert told.verdict is Verdict.passed
        assert_told(
            told, what, "public.event is published but not subscribed: the next REFRESH PUBLICATION lets it cross"
        )
        app.db.run("green", set_to.format("from_blue"))
        app.db.run("blue", f"DROP PUBLICATION {name}")
    app.db.both("CREATE TABLE late (value text)")
    assert codes(audited(app)) == ["link.incomplete"]
    app.db.run("blue", "ALTER PUBLICATION from_blue ADD TABLE late")
    told = audited(app)
    assert codes(told) == ["link.incomplete"]
    assert_told(told, "public.late has no replica identity, so delete and update fails in the application")
    app.db.run("blue", "ALTER TABLE late ADD PRIMARY KEY (value)")
    app.db.run("green", "ALTER TABLE late ADD PRIMARY KEY (value)")
    app.refresh()
    assert fragile(audited(app)) == []


def _joined(app: Application) -> None:
    app.db.both(
        "CREATE TABLE account_old () INHERITS (account)",
        "CREATE TABLE audit_row (id int PRIMARY KEY, account bigint CONSTRAINT a REFERENCES account ON DELETE CASCADE)",
        "ALTER TABLE late ADD event bigint CONSTRAINT e REFERENCES event",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN UPDATE account SET email = NULL; RETURN NEW; END'",
        "CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER noted AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE TRIGGER again BEFORE INSERT ON account FOR EACH ROW EXECUTE FUNCTION g()",
    )
    app.db.run("green", "ALTER TABLE account ENABLE ALWAYS TRIGGER again")
    told = audited(app)
    assert told.verdict is Verdict.passed
    assert_told(
        told,
        "public.account_old, which must not sync, inherits from public.account",
        "no key acts on what is applied: rows of public.audit_row on green lose the row that they name",
        "rows of public.late name rows that green does not have",
        "the trigger noted on blue and green crosses the border",
        "the trigger again on public.account fires on green for changes that are applied",
    )
    app.db.both(
        "DROP TRIGGER noted ON event",
        "DROP TRIGGER again ON account",
        "DROP TABLE account_old, audit_row",
        "ALTER TABLE late DROP event",
    )
    assert fragile(audited(app)) == []


def _numbers(app: Application) -> None:
    app.db.both("CREATE TABLE numbered (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY)")
    app.db.run("blue", "ALTER PUBLICATION from_blue ADD TABLE numbered")
    app.refresh()
    assert fragile(audited(app)) == []
    app.db.run("blue", "INSERT INTO numbered DEFAULT VALUES")
    app.db.wait_caught_up()
    assert_told(audited(app), "public.numbered_id_seq of green would go on with 1")
    app.db.run("green", "SELECT setval('numbered_id_seq', 1)")
    assert fragile(audited(app)) == []


def _pending(app: Application) -> None:
    [(before,)] = app.db.query("blue", "SELECT setting FROM pg_settings WHERE name = 'max_wal_senders'")

    def pending() -> bool:
        return app.db.query("blue", "SELECT pending_restart FROM pg_settings WHERE name = 'max_wal_senders'") == [
            (True,)
        ]

    try:
        app.db.run("blue", f"ALTER SYSTEM SET max_wal_senders = {int(before) + 1}", "SELECT pg_reload_conf()")
        until(pending, "the setting to wait for a restart")
        assert_told(audited(app), f"max_wal_senders of blue is {before} now and may be something else after a restart")
    finally:
        # Taking it out of the file leaves the mark; writing what holds removes it.
        app.db.run("blue", f"ALTER SYSTEM SET max_wal_senders = {before}", "SELECT pg_reload_conf()")
        until(lambda: not pending(), "the setting to stay as it is")
        app.db.run("blue", "ALTER SYSTEM RESET max_wal_senders", "SELECT pg_reload_conf()")
    assert fragile(audited(app)) == []
