"""Rules written down for other tools: the servers' own forms are loaded into servers, and the audit passes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from replguard import api, config
from replguard.errors import UsageError
from tests.conformance.application import codes, told


def lines(clusters, form):
    report = clusters.export_filters(form)
    assert report.verdict == "pass", told(report)
    return [line for one in report.data["exports"] for line in one["lines"]]


def run(db, side, texts):
    for text in texts:
        if not text.startswith("--"):
            db.run(side, text.removesuffix(";"))


@pytest.mark.engines("mariadb", "mysql")
def test_statements_make_the_audit_pass(app):
    app.let_cross()
    with app.clusters() as clusters:
        assert "leak.configured" in codes(clusters.audit())
        planned = clusters.plan_filters().data["plan"]["links"][0]
        statements = lines(clusters, "sql")
        assert lines(clusters, "mycnf")[1:] == planned["persist"]
        assert "leak.configured" in codes(clusters.audit()), "an export changes nothing"
        run(app.db, "green", statements)
        assert codes(clusters.audit()) == []
        assert lines(clusters, "sql") == statements
        [pattern] = lines(clusters, "debezium")
        assert f"{app.db.name}[.]event" in pattern
        assert "module=binlogfilter" in lines(clusters, "maxscale")
        with pytest.raises(UsageError, match="publication"):
            clusters.export_filters("publication")


@pytest.mark.engines("postgresql")
def test_publication_makes_the_audit_pass(app):
    app.let_cross()
    with app.clusters() as clusters:
        assert "leak.configured" in codes(clusters.audit())
        made, script = lines(clusters, "publication"), lines(clusters, "sql")
        assert set(made[1:]) <= set(script)
        assert "leak.configured" in codes(clusters.audit()), "an export changes nothing"
        run(app.db, "blue", made)
        app.db.wait_caught_up()
        run(app.db, "green", [line for line in script if line.startswith("ALTER SUBSCRIPTION")])
        assert codes(clusters.audit()) == []
        assert told(clusters.audit()) == []
        [pattern] = lines(clusters, "debezium")
        assert pattern == "table.exclude.list=public[.]event,public[.]auditlog"
        for form in ("mycnf", "maxscale"):
            with pytest.raises(UsageError) as unlike:
                clusters.export_filters(form)
            assert unlike.value.remedy == "known for it are publication, sql, debezium"


def test_a_name_that_no_rule_can_say_is_refused(app):
    quote = '"' if app.family == "postgresql" else "`"
    app.db.both(f"CREATE TABLE {quote}dmz,a{quote} (id INT PRIMARY KEY)")
    forbidden = config.from_options(
        {"blue": app.db.blue_url, "green": app.db.green_url}, None, ("event", "auditlog", "dmz,a")
    )
    with api.connect(replace(forbidden, state_dir=app.folder / "state")) as clusters:
        if app.family == "mysql":
            refused = clusters.export_filters("mycnf")
            assert (codes(refused), refused.data["exports"]) == (["export.refused"], [])
        assert "[.]dmz\\\\x2Ca" in lines(clusters, "debezium")[0]
