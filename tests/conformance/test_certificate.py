"""``--certificate`` on every engine: written only of what is identical while links are paused, and never else."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from replguard.control import receipt
from replguard.control.certificate import Request
from replguard.control.pause import Options as PauseOptions
from replguard.control.resume import Options as ResumeOptions
from replguard.diff.run import Options
from replguard.errors import UsageError
from replguard.model.certificate import is_whole
from replguard.model.findings import Report, Strength, Verdict
from tests.conformance.application import CONFIG_TABLES, Application, of
from tests.servers.choices import versions

if TYPE_CHECKING:
    from replguard.api import Clusters

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "certificate.schema.json").read_text())
QUICK = Options(datetime.now(UTC).date(), settle=5.0)


def asked(clusters: Clusters, path: Path, options: Options = QUICK) -> Report:
    return clusters.diff(options, certificate=Request(path))


def refused(report: Report, path: Path) -> str:
    """Why it was not written: a file that is not there, and a verdict that is no pass."""
    assert not path.exists()
    assert report.verdict is not Verdict.passed
    return "; ".join(item.message for item in of(report, "certificate.not_written"))


def written(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.validate(document, SCHEMA)
    assert is_whole(document)
    return document


@pytest.mark.engines("mariadb", "mysql", *versions())
def test_it_is_written_only_where_a_pause_makes_it_certain(app: Application, tmp_path: Path) -> None:
    path = tmp_path / "certificate.json"
    with app.clusters() as clusters:
        assert "no pause of this pair holds" in refused(asked(clusters, path), path)
        assert clusters.pause(PauseOptions(reason="cutover")).verdict is Verdict.passed
        app.db.run("green", "INSERT INTO auditlog VALUES (77, 'what green writes for itself')")
        report = asked(clusters, path)
        assert (report.verdict, report.strength) == (Verdict.passed, Strength.exact)
        content = clusters.receipt_path.read_bytes()
        document = written(path)
        with pytest.raises(UsageError, match="never written over"):
            asked(clusters, path)

        assert document["strength"] == "exact"
        assert document["pause"]["reason"] == "cutover"
        assert document["inputs"]["receipt"] == hashlib.sha256(content).hexdigest()
        tables = {table["table"]: table for table in document["tables"]}
        assert {name for name, table in tables.items() if table["compared"]} == set(CONFIG_TABLES)
        assert tables["account"]["rows"] == {"blue": 20, "green": 20}
        for endpoint in app.config.endpoints:
            assert endpoint.password
            assert endpoint.password not in path.read_text()
        changed = {**document, "issued_at": "2020-01-01T00:00:00"}
        assert not is_whole(changed)

        other = tmp_path / "other.json"
        app.db.run_local("green", "UPDATE account SET name = 'drift' WHERE id = 3")
        drift = asked(clusters, other)
        assert drift.verdict is Verdict.failed
        assert "the verdict is fail" in refused(drift, other)
        app.db.run_local("green", "UPDATE account SET name = 'name3' WHERE id = 3")

        place = clusters.receipt_path
        held = receipt.load(place.parent) or {}
        forged = {**held, "links": [{**held["links"][0], "applied": "0/1", "received": "0/1"}]}
        place.write_text(json.dumps(forged))
        assert "was paused at 0/1" in refused(asked(clusters, other), other)
        place.write_text(json.dumps({**held, "drained": False}))
        assert "drained" in refused(asked(clusters, other), other)
        place.write_bytes(content)

        # A guard slot tells of rows that were changed and changed back.
        assert clusters.resume(ResumeOptions(accept_changes=True)).verdict is Verdict.passed
        assert "no pause of this pair holds" in refused(asked(clusters, other), other)
        assert clusters.pause().verdict is Verdict.passed
        app.db.run("blue", "UPDATE account SET name = 'waits' WHERE id = 1")
        assert "verdict" in refused(asked(clusters, other), other)
