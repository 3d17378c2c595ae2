"""A pair of two versions, as it is in the middle of an upgrade."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from replguard.demo.servers import Pair
from replguard.gates.base import Options, Purpose
from replguard.model.findings import Severity, Verdict
from tests.conformance.application import Application
from tests.servers.choices import choices, open_choice
from tests.servers.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


USUAL = {"table.no_key", "retention.unknown"}


@pytest.fixture
def upgraded(tmp_path: Path) -> Iterator[Application]:
    """The application on the oldest version that is here, which replicates to the newest."""
    oldest, *_, newest = sorted((one for one in choices() if one.major), key=lambda one: int(str(one.major)))
    old, new = open_choice(oldest, "none"), open_choice(newest, "none")
    try:
        with workspace(Pair(old.blue, new.green, "one-way")) as db:
            application = Application(db, tmp_path)
            application.create()
            yield application
    finally:
        old.close()
        new.close()


def test_another_version_warns(upgraded: Application) -> None:
    with upgraded.clusters() as clusters:
        report = clusters.gate(Purpose.switchover, Options(datetime.now(UTC).date(), window=0.2, settle=2.0))
    warned = {item.code for check in report.checks for item in check.findings if item.severity is Severity.warn}
    assert (report.verdict, warned) == (Verdict.passed, {"clusters.version", *USUAL}), report
    (found,) = [item for check in report.checks for item in check.findings if item.code == "clusters.version"]
    assert all(server.version.partition(" ")[0] in found.message for server in upgraded.db.pair.servers)
    assert found.remedy
