"""What MySQL and MariaDB do behind the back of their filters, and what of it the audit tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from replguard.model.findings import Verdict
from tests.conformance.application import codes, of

if TYPE_CHECKING:
    from tests.conformance.application import Application


@pytest.mark.engines("mariadb")
@pytest.mark.parametrize(
    ("rule", "number"), [("IGNORE_SERVER_IDS", "@@server_id"), ("IGNORE_DOMAIN_IDS", "@@gtid_domain_id")]
)
def test_a_link_that_drops_what_its_source_writes_is_incomplete(app: Application, rule: str, number: str) -> None:
    [(dropped,)] = app.db.query("blue", f"SELECT {number}")
    app.db.run("green", "STOP SLAVE", f"CHANGE MASTER TO {rule} = ({dropped})", "START SLAVE")
    try:
        with app.clusters() as clusters:
            report = clusters.audit()
        assert report.verdict is Verdict.failed
        assert codes(report) == ["link.incomplete"] * 4
        assert rule in of(report, "link.incomplete")[0].message
    finally:
        app.db.run("green", "STOP SLAVE", f"CHANGE MASTER TO {rule} = ()", "START SLAVE")
