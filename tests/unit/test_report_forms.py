"""The forms of a report: what a build server, a scanner, a monitor and a browser get, whatever names hold."""

from __future__ import annotations

import json
import textwrap
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from prometheus_client.parser import text_string_to_metric_families

from replguard.config import load
from replguard.model.findings import (
    Check,
    ClusterFacts,
    Coverage,
    Finding,
    LinkFacts,
    Report,
    Severity,
    TableCoverage,
    Verdict,
)
from replguard.report.evidence import config_document
from replguard.report.html import LISTED, render
from replguard.report.junit import junit
from replguard.report.metrics import gate_metrics
from replguard.report.nagios import nagios, status
from replguard.report.sarif import sarif

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "</script><img src=x onerror=alert(1)> | \x00\ud800 'x'\n{{ 7*7 }}"
BEGAN = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
WAIVED = {"waived": {"owner": "DBA", "until": "2027-01-01", "reason": "known", "severity": "fail"}}


def report(*findings: Finding, **parts: Any) -> Report:
    checks = (
        Check("links.state", "blue->green running"),
        Check("diff.data", "1 of 2 tables differs", findings),
        Check("diff.sequences", "0 counters", applicable=False),
    )
    given: dict[str, Any] = {
        "clusters": {name: ClusterFacts("mariadb", "10.11.19", f"id-{name}", "0-1-2") for name in ("blue", HOSTILE)},
        "links": (LinkFacts(f"blue->{HOSTILE}", HOSTILE, "blue", HOSTILE, "running", lag_seconds=0.5),),
        "coverage": Coverage(
            (
                TableCoverage("st", HOSTILE, "config", True, {"blue": 3, HOSTILE: 3}, function="crc32"),
                TableCoverage("st", "event", "must_not_sync", False, note="not compared: must_not_sync"),
                TableCoverage("st", "unread", "config", False, note="a lock was held"),
            )
        ),
        "data": {"for": "switchover", "roles": {"active": "blue", "passive": HOSTILE, "why": ""}},
    }
    return Report("gate", "0.1.0", BEGAN, BEGAN + timedelta(seconds=2), checks=checks, **{**given, **parts})


def finding(severity: Severity, **parts: Any) -> Finding:
    given = {"cluster": "green", "schema": "st", "table": HOSTILE, "key": {"id": 7}, "remedy": f"mend {HOSTILE}"}
    return Finding("row.differs", severity, f"row {HOSTILE} differs", **{**given, **parts})


ALL = tuple(finding(severity) for severity in Severity)


def test_junit_tells_failures_errors_and_what_does_not_apply() -> None:
    tree = ET.fromstring(junit(report(*ALL, finding(Severity.info, evidence=WAIVED))))
    cases = {case.get("name"): case for case in tree.iter("testcase")}
    assert (tree.get("tests"), tree.get("failures"), tree.get("errors"), tree.get("skipped")) == ("3", "1", "0", "1")
    failure = cases["diff.data"].find("failure")
    assert failure is not None
    assert failure.get("type") == "row.differs"
    assert "-> mend" in (failure.text or "")
    assert "waived by DBA" in (cases["diff.data"].findtext("system-out") or "")
    assert cases["diff.sequences"].find("skipped") is not None
    assert list(cases["links.state"]) == []
    unknown = ET.fromstring(junit(report(finding(Severity.unknown))))
    assert (unknown.get("failures"), unknown.get("errors")) == ("0", "1")


def test_sarif_has_a_result_a_finding_and_suppresses_what_is_waived() -> None:
    log = json.loads(sarif(report(*ALL, finding(Severity.info, evidence=WAIVED))))
    (run,) = log["runs"]
    kinds = [(one["kind"], one["level"]) for one in run["results"]]
    assert kinds == [("fail", "error"), ("review", "none"), ("open", "none"), ("informational", "none")]
    assert [one.get("suppressions", [{}])[0].get("justification") for one in run["results"]][-1].startswith("known")
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == {"row.differs"}
    assert len({json.dumps(one["partialFingerprints"]) for one in run["results"]}) == 1, (
        "the same place, the same print"
    )
    other = json.loads(sarif(report(finding(Severity.fail, key={"id": 8}))))["runs"][0]["results"][0]
    assert other["partialFingerprints"] != run["results"][0]["partialFingerprints"]


@pytest.mark.parametrize(
    ("severities", "code", "word"),
    [
        ((), 0, "OK"),
        ((Severity.info,), 0, "OK"),
        ((Severity.warn,), 1, "WARNING"),
        ((Severity.unknown, Severity.warn), 3, "UNKNOWN"),
        ((Severity.fail, Severity.unknown), 2, "CRITICAL"),
    ],
)
def test_nagios_gets_its_own_states(severities: tuple[Severity, ...], code: int, word: str) -> None:
    made = report(*map(finding, severities))
    text = nagios(made)
    head, *lines = text.splitlines()
    assert (status(made), head.split()[1]) == (code, word)
    words, bar, figures = head.partition(" | ")
    assert bar
    assert "checks=3" in figures
    assert "time=2.00s" in figures
    assert all("|" not in line for line in (words, *lines)), "a bar begins the figures"
    assert len(lines) == sum(severity is not Severity.info for severity in severities)


def test_metrics_can_be_read_and_say_what_the_report_says() -> None:
    families = {family.name: family for family in text_string_to_metric_families(gate_metrics(report(*ALL)))}
    verdicts = {sample.labels["verdict"]: sample.value for sample in families["replguard_gate_verdict"].samples}
    assert verdicts == {"pass": 0.0, "fail": 1.0, "inconclusive": 0.0}
    checks = {sample.labels["check"] for sample in families["replguard_gate_check_verdict"].samples}
    assert checks == {"links.state", "diff.data"}, "what does not apply has no sample"
    found = {sample.labels["severity"]: sample.value for sample in families["replguard_gate_findings"].samples}
    assert found == dict.fromkeys(("fail", "warn", "unknown", "info"), 1.0)
    assert families["replguard_gate_tables_compared"].samples[0].value == 1.0


class _Reader(HTMLParser):
    """Collects tags, what they refer to, and the text outside of them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.refers: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.refers += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    return reader


def test_the_page_stands_alone_and_no_name_becomes_markup() -> None:
    page = read(render(report(*ALL, finding(Severity.info, evidence=WAIVED)), [("Trend", "<svg role='img'></svg>")]))
    assert page.refers == [], "nothing is fetched from anywhere"
    assert "img" not in page.tags
    assert page.tags.count("script") == 1
    assert page.tags.count("svg") == 2
    words = " ".join(page.texts)
    assert "{{ 7*7 }}" in words
    assert "49" not in words
    for expected in ("Fail: do not go on", "Waived by DBA", "Trend", "id=7", "not compared: must_not_sync"):
        assert expected in words


def test_the_page_cuts_long_lists_and_says_so() -> None:
    page = read(render(report(*(finding(Severity.fail) for _ in range(LISTED + 5)))))
    assert "5 more stand in report.json." in " ".join(page.texts)
    assert page.tags.count("li") == LISTED


@pytest.mark.parametrize("clusters", [{}, {"blue": ClusterFacts("mysql", "9.7.4", "x")}])
def test_a_report_without_two_clusters_has_no_picture(clusters: dict[str, ClusterFacts]) -> None:
    page = read(render(report(clusters=clusters, links=(), coverage=Coverage())))
    assert "svg" not in page.tags


def test_an_open_question_about_a_table_is_no_pass() -> None:
    page = render(report())
    row = next(part for part in page.split("<tr") if "st.unread" in part)
    assert "badge unknown" in row
    assert report().verdict is Verdict.passed


def test_the_config_in_evidence_holds_no_secret(tmp_path: Path) -> None:
    text = """
        clusters:
          blue: {url: "mysql://dba:geheim@blue/st?ssl_key=geheim"}
          green: {url: "mysql://dba:geheim@green/st"}
        files: [{name: key, manifests: {a: "s3://u:geheim@b/m.json", b: "/m/geheim.json"}}]
        endpoints: [{name: lb, url: "https://u:geheim@lb/geheim", contains: geheim}]
        commands: [{name: own, run: [check_site, --token=geheim], contains: geheim}]
        attestations: [{name: backup, text: "A backup was tried."}]
        notify: ["slack://geheim"]
    """
    (tmp_path / "replguard.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
    document = config_document(load(tmp_path / "replguard.yaml"))
    assert "geheim" not in json.dumps(document)
    assert document["files"][0]["hosts"] == ["a", "b"]
    assert document["endpoints"][0]["url"] == "https://***"
    assert document["commands"][0]["program"] == "check_site"
    assert document["attestations"][0]["text"] == "A backup was tried."
