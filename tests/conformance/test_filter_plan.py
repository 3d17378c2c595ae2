"""Plans of filters on real servers: made on a pair that leaks, applied, audited, refused where stale, taken back."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest

from replguard import api, config
from replguard.audit.links import between
from replguard.control import filterapply, planfile
from replguard.demo.servers import until
from replguard.errors import ControlError, StatementError, UsageError
from replguard.model.plain import sha256
from tests.conformance.application import Application, codes, of, told
from tests.conformance.mysql_mariadb_sides import LOCAL, START, STOP, of_server, two_sides

pytestmark = pytest.mark.engines("mariadb", "mysql")


@pytest.fixture
def leaking(app):
    """The application, with one forbidden table that would cross."""
    app.let_cross()
    return app


@pytest.fixture
def path(tmp_path):
    return tmp_path / "filters.plan"


@contextmanager
def connected(app, on_statement):
    with api.connect(app.config, on_statement) as clusters:
        yield clusters


def rules(clusters):
    """What is set on every link, and whether it runs."""
    links = between(clusters.pair.links(), ["blue", "green"])
    return {
        link.label: (clusters.pair.server(link.target).filters.of(link, None).raw.ignore_table, link.state.value)
        for link in links
    }


def entries(app):
    return [json.loads(file.read_text()) for file in sorted((app.folder / "state").rglob("journal/*.json"))]


def test_a_leaking_pair_is_planned_applied_and_audited(leaking, path):
    shown: list[str] = []
    with leaking.clusters() as clusters:
        before = rules(clusters)
        report = clusters.plan_filters(path)
        assert report.verdict == "pass", told(report)
        (planned,) = planfile.load(path).links
        assert (planned.link, planned.runs, planned.persist_on) == ("blue->green", True, "green")
        assert rules(clusters) == before, "a plan changes nothing"
        assert "leak.configured" in codes(clusters.audit())
        written = planfile.sql_path(path).read_text()
        assert all(line in written for step in planned.steps for line in (*step.statements, *step.undo))
        assert all(line in written for line in planned.persist)
        asked = partial(second_operator, leaking, path)
        done = clusters.apply_filters(path, filterapply.Options(show=shown.append, confirm=asked))
        assert done.verdict == "pass", told(done)
        assert shown == [f"green: {line}" for step in planned.steps for line in step.statements]
        assert clusters.apply_filters(path).checks[0].summary.startswith("nothing to do"), "applied is applied"
        assert clusters.plan_filters().checks[0].summary.startswith("nothing to do")
        assert clusters.status().verdict == "pass"
    leaking.db.run("blue", "INSERT INTO event VALUES (77, 'x')", "INSERT INTO account VALUES (77, 'y', NULL)")
    leaking.db.wait_caught_up()
    assert leaking.db.query("green", "SELECT count(*) FROM account WHERE id = 77") == [(1,)]
    assert leaking.db.query("green", "SELECT count(*) FROM event WHERE id = 77") == [(0,)]
    (entry,) = entries(leaking)
    assert (entry["action"], entry["outcome"]) == ("filter apply", "applied")
    assert [step["step"] for step in entry["steps"]] == [
        *(f"blue->green: {step.words}" for step in planned.steps),
        "blue->green: look at it again",
    ]
    assert [undo["statements"] for undo in entry["undo"]] == [list(step.undo) for step in planned.steps]
    with leaking.clusters() as clusters:
        assert clusters.undo_filters(path).verdict == "pass"
        assert rules(clusters) == before
        assert clusters.undo_filters().checks[0].summary.startswith("nothing to take back")


def test_what_no_filter_can_do_is_no_pass(app, path):
    """A cascade writes a forbidden table behind the filters, which are as they should be; no rule names a comma."""
    reference = "FOREIGN KEY (account) REFERENCES account (id) ON DELETE CASCADE"
    app.db.both(f"CREATE TABLE auditlog_of (id BIGINT PRIMARY KEY, account BIGINT, {reference})")
    app.keep_apart("event", "auditlog", "auditlog_of")
    policy = config.policy_of(None, ("event", "auditlog", "auditlog_of"))
    with under(app, replace(app.config, policy=policy)).clusters() as clusters:
        report = clusters.plan_filters()
        assert report.checks[0].summary.startswith("nothing to do")
        assert (report.verdict, codes(report)) == ("fail", ["leak.configured"])
    app.db.both("CREATE TABLE `one,two` (id BIGINT PRIMARY KEY)")
    policy = config.policy_of(None, ("event", "auditlog", "auditlog_of", "one,two"))
    with under(app, replace(app.config, policy=policy)).clusters() as clusters:
        report = clusters.plan_filters(path)
        assert (report.verdict, [item.code for item in told(report)]) == ("fail", ["plan.refused"])
        assert not path.exists()


def second_operator(app, path):
    """Somebody else is refused while the first one is still asked."""
    with app.clusters() as other, pytest.raises(ControlError, match="another operator"):
        other.apply_filters(path)
    return True


def altered(path, **changes):
    """The plan in a file with some facts changed, as if it had been made so."""
    content = {**json.loads(path.read_text()), **changes}
    content["sha256"] = sha256({key: value for key, value in content.items() if key != "sha256"})
    path.write_text(json.dumps(content))


def test_what_does_not_fit_any_more_is_refused(leaking, path, tmp_path):
    def refused(app=leaking, asked=False):
        with app.clusters() as clusters:
            report = clusters.apply_filters(path, filterapply.Options(confirm=lambda: asked))
            return report.verdict, [item.code for item in told(report)]

    with leaking.clusters() as clusters:
        clusters.plan_filters(path)
        before = rules(clusters)
    whole = path.read_text()
    assert refused() == ("inconclusive", ["check.not_run"]), "nobody said yes"
    leaking.db.both("CREATE TABLE later (id BIGINT PRIMARY KEY)")
    assert refused(asked=True) == ("fail", ["plan.stale"])
    leaking.db.both("DROP TABLE later")
    stricter = replace(leaking.config, policy=config.policy_of(None, ("event", "auditlog", "setting")))
    assert refused(under(leaking, stricter), asked=True) == ("fail", ["plan.stale"])
    leaking.stop_applying()
    assert refused(asked=True) == ("fail", ["plan.stale"]), "the link was running"
    leaking.let_cross("auditlog")
    assert refused(asked=True) == ("fail", ["plan.stale"]), "other rules"
    leaking.let_cross()
    altered(path, clusters={"blue": {**json.loads(whole)["clusters"]["blue"], "identity": "else"}})
    assert refused(asked=True) == ("fail", ["plan.other_pair"])
    path.write_text(whole.replace("stop applying", "drop everything"))
    with pytest.raises(UsageError, match="was changed since it was made"):
        refused(asked=True)
    path.write_text(whole[:-50])
    with pytest.raises(UsageError):
        refused(asked=True)
    unclear = replace(leaking.config.policy, rules=tuple(rule for rule in leaking.config.policy.rules if rule.names))
    with under(leaking, replace(leaking.config, policy=unclear)).clusters() as clusters:
        report = clusters.plan_filters(tmp_path / "none.plan")
        assert (report.verdict, report.data["plan"]) == ("inconclusive", None)
        assert {item.code for item in told(report)} == {"table.unclassified"}
        assert not (tmp_path / "none.plan").exists()
        assert [found for found, _ in rules(clusters).values()] == [found for found, _ in before.values()]
    assert entries(leaking) == []


def under(app, other):
    """The same application under another config."""
    made = Application(app.db, app.folder)
    made.config = other
    return made


def test_what_fails_or_makes_the_audit_worse_is_taken_back(leaking, path):
    def fail(text, cluster, statement):
        if statement == text and not failed:
            failed.append(text)
            raise StatementError("planted", cluster=cluster)

    with leaking.clusters() as clusters:
        clusters.plan_filters(path)
        before = rules(clusters)
    statements = [line for step in planfile.load(path).links[0].steps for line in step.statements]
    for text in statements:
        failed: list[str] = []
        with connected(leaking, partial(fail, text)) as clusters:
            report = clusters.apply_filters(path)
            assert failed
            assert [(item.code, "planted" in item.message) for item in told(report)] == [("plan.given_up", True)], text
            assert "everything is as it was" in report.checks[0].summary
            assert rules(clusters) == before
            assert clusters.status().verdict == "pass", "it runs, and nothing is left unfinished"
    # A plan that stops a config table as well, as if the rules were not understood.
    with leaking.clusters() as clusters:
        links = json.loads(path.read_text())["links"]
        (step,) = (step for step in links[0]["steps"] if step["action"] == "set")
        worse = sorted([*step["after"]["replicate_ignore_table"], f"{leaking.schema}.account"])
        step["detail"]["rules"]["ignore_table"] = step["after"]["replicate_ignore_table"] = worse
        altered(path, links=links)
        report = clusters.apply_filters(path)
        (given_up,) = told(report)
        assert given_up.code == "plan.given_up"
        assert "account must be identical, but would not cross" in given_up.message
        assert rules(clusters) == before
    assert [entry["outcome"] for entry in entries(leaking)] == ["undone"] * (len(statements) + 1)


def killed(app, path, at):
    """Apply a plan in a process that dies before this statement is sent, or after the last one (None)."""
    last = planfile.load(path).links[0].steps[-1].statements[-1]
    seen: list[str] = []

    def die(_cluster, statement):
        if statement == at or (at is None and last in seen):
            os._exit(9)
        seen.append(statement)

    child = os.fork()
    if not child:
        try:
            with connected(app, die) as clusters:
                clusters.apply_filters(path)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_a_plan_that_was_killed_is_finished_or_taken_back(leaking, path, thorough):
    with leaking.clusters() as clusters:
        clusters.plan_filters(path)
        before = rules(clusters)
    planned = planfile.load(path).links[0]
    places = [*(line for step in planned.steps for line in step.statements), None]
    ways = [(place, back) for place in places for back in (False, True)]
    for place, back in ways if thorough else ((places[1], False), (places[2], True), (None, False)):
        killed(leaking, path, place)
        with leaking.clusters() as clusters:
            status = clusters.status()
            (open_entry,) = of(status, "journal.unfinished")
            assert f"filter apply {path}" in str(open_entry.remedy)
            if place == planned.steps[-1].statements[-1]:
                assert "link.broken" in codes(status), "left stopped, and told"
            assert [item.code for item in told(clusters.plan_filters())] == ["journal.unfinished"]
            other = shutil.copy(path, path.with_suffix(".other"))
            altered(other, by="somebody else")
            assert [item.code for item in told(clusters.apply_filters(other))] == ["journal.unfinished"]
            done = clusters.undo_filters() if back else clusters.apply_filters(path)
            assert done.verdict == "pass", (place, told(done))
            assert "journal.unfinished" not in codes(clusters.status())
            assert (rules(clusters) == before) is back
            assert all(state == "running" for _, state in rules(clusters).values())
            if not back:
                clusters.undo_filters(path)
    assert {entry["closed_at"] is None for entry in entries(leaking)} == {False}


def test_only_the_link_that_leaks_is_stopped(two_way_db, tmp_path, path):
    app = Application(two_way_db, tmp_path)
    app.create_two_way(apart=False)
    app.keep_apart("event", "auditlog")
    sent: list[tuple[str, str]] = []
    with connected(app, lambda cluster, text: sent.append((cluster, text))) as clusters:
        assert len(rules(clusters)) == 2
        clusters.plan_filters(path)
        steps = {link.link: len(link.steps) for link in planfile.load(path).links}
        assert steps == {"blue->green": 0, "green->blue": 3}
        assert clusters.apply_filters(path).verdict == "pass"
        acted = {cluster for cluster, text in sent if text.startswith(("STOP", "START", "CHANGE", "SET GLOBAL"))}
        assert acted == {"blue"}, "green's link was as it should be"
        assert {state for _, state in rules(clusters).values()} == {"running"}
    two_way_db.run("green", "INSERT INTO event VALUES (1, 'of green')", "INSERT INTO account VALUES (3, 'x', NULL)")
    two_way_db.wait_caught_up()
    assert two_way_db.query("blue", "SELECT count(*) FROM event") == [(0,)]


@contextmanager
def reading(server, lines):
    """A server of ours restarted so that it reads these lines as its option file.

    It is not restarted once more: what the lines name is gone after the test.
    """
    file = server.folder / "filters.cnf"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    program = server.program
    server.program = lambda: [f"--defaults-file={file}" if "defaults" in word else word for word in program()]
    try:
        server.restart()
        yield
    finally:
        del server.program


HOSTILE = ("ev`ent", "it's", 'say "x"', "per%cent_1", "dot.ted", "Ümlaut", "has blank", "ha#sh", "semi;colon", "a:b")


def test_hostile_names_and_what_outlives_a_restart(pair, pairs, tmp_path, path):
    """Rules for any name that a rule can name, on each channel of its own, and the same from the option file."""
    apart = pairs.get("none")
    names = ["we`ird 'x'", *(["planned"] if apart.engine == "mysql" else [])]
    with two_sides(of_server("blue", apart.blue), of_server("green", apart.green)) as (blue, green):
        for side in (blue, green):
            quoted = [table.replace("`", "``") for table in ("account", *HOSTILE)]
            side.sql(LOCAL, *(f"CREATE TABLE `{table}` (id BIGINT PRIMARY KEY)" for table in quoted))
        source, target = blue.connect(), green.connect()

        def known():
            return all(link.source for link in target.replication.links({"blue": source}))

        for name in names:
            # A source lets one channel of a replica run at a time.
            green.replicate(blue, name.replace("'", "''"))
            until(known, "the link to be known")
            green.switch(STOP, name.replace("'", "''"))
        green.switch(START, "we`ird ''x''")
        urls = {side.name: apart.server(side.name).url(side.database) for side in (blue, green)}
        given = config.from_options(urls, None, (*HOSTILE, "per%cent_*", "tmp_*"))
        given = replace(given, state_dir=tmp_path / "state")
        with api.connect(given) as clusters:
            until(lambda: "running" in {state for _, state in rules(clusters).values()}, "one of the links to run")
            assert clusters.plan_filters(path).verdict == "pass"
            plan = planfile.load(path)
            assert {link.name: link.runs for link in plan.links} == {name: name.startswith("we") for name in names}
            done = clusters.apply_filters(path)
            assert done.verdict == "pass", told(done)
            assert len(done.data["persist"]) == len(names)
        blue.sql(*(f"INSERT INTO `{table.replace('`', '``')}` VALUES (1)" for table in (*HOSTILE, "account")))
        until(lambda: green.sql("SELECT id FROM account"), "account to arrive")
        for table in HOSTILE:
            assert green.sql(f"SELECT id FROM `{table.replace('`', '``')}`") == (), table
        lines = [line for link in plan.links for line in link.persist]
        with reading(apart.green, lines), api.connect(given) as clusters:
            assert clusters.plan_filters().checks[0].summary.startswith("nothing to do")
            assert {name for name, _ in rules(clusters).items()} == {link.link for link in plan.links}
            assert "leak.configured" not in codes(clusters.audit())
