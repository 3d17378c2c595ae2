"""A gate where a server's default collation is not that of its own catalog."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from replguard.gates.base import Options, Purpose
from replguard.model.findings import Verdict

if TYPE_CHECKING:
    from tests.conformance.application import Application


@pytest.mark.engines("mysql")
def test_another_default_collation_hinders_nothing_and_must_be_alike(app: Application) -> None:
    """MySQL cannot read some views of its own catalog then (1267)."""
    wanted = Options(datetime.now(UTC).date(), window=0.2, settle=2.0)
    other = "SET GLOBAL default_collation_for_utf8mb4 = utf8mb4_general_ci"
    usual = "SET GLOBAL default_collation_for_utf8mb4 = utf8mb4_0900_ai_ci"
    try:
        app.db.run("blue", other)
        with app.clusters() as clusters:
            unlike = clusters.gate(Purpose.switchover, wanted)
        app.db.run("green", other)
        with app.clusters() as clusters:
            alike = clusters.gate(Purpose.switchover, wanted)
    finally:
        for side in ("blue", "green"):
            app.db.run(side, usual)
    assert [check.id for check in unlike.checks if check.verdict is not Verdict.passed] == ["clusters.settings"], unlike
    assert alike.verdict is Verdict.passed, alike
