"""Plans of filters on real servers: made on a pair that leaks, applied, audited, refused where stale, taken back."""

from __future__ import annotations

import pytest

from replguard.control import filterapply, planfile
from tests.conformance.application import codes, told

pytestmark = pytest.mark.engines("mariadb", "mysql")


def plan(clusters, path):
    report = clusters.plan_filters(path)
    return report, (planfile.load(path) if path.exists() else None)


def test_a_leaking_pair_is_planned_applied_and_audited(app, tmp_path):
    path = tmp_path / "filters.plan"
    shown: list[str] = []
    app.let_cross()
    with app.clusters() as clusters:
        assert "leak.configured" in codes(clusters.audit())
        report, made = plan(clusters, path)
        assert report.verdict == "pass", told(report)
        assert [link.link for link in made.links] == ["blue->green"]
        assert "leak.configured" in codes(clusters.audit()), "a plan changes nothing"
        done = clusters.apply_filters(path, filterapply.Options(show=shown.append))
        assert done.verdict == "pass", told(done)
        assert shown == [f"green: {line}" for step in made.links[0].steps for line in step.statements]
        again = clusters.apply_filters(path)
        assert again.verdict == "pass"
        assert "nothing to do" in again.checks[0].summary
        nothing = clusters.plan_filters()
        assert nothing.verdict == "pass"
        assert "nothing to do" in nothing.checks[0].summary
    app.db.run("blue", "INSERT INTO event VALUES (77, 'x')", "INSERT INTO account VALUES (77, 'y', NULL)")
    app.db.wait_caught_up()
    assert app.db.query("green", "SELECT count(*) FROM account WHERE id = 77") == [(1,)]
    assert app.db.query("green", "SELECT count(*) FROM event WHERE id = 77") == [(0,)]
