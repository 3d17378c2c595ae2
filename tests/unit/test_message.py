"""Messages of the nightly run: what changed, who changed it, and nothing that formats, mentions or links by itself."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from replguard.errors import UsageError
from replguard.model.findings import Check, ClusterFacts, Finding, Report, Severity
from replguard.report import message, notify

NOW = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)
SINCE = "2026-11-20T03:00:00+00:00"
HOSTILE = "st.a\n# <!channel> [x](http://evil) `**\x1b[31m @everyone"


def row(number: int, state: str, **evidence: Any) -> Finding:
    note = {"state": state, "since": SINCE, "since_run": 3}
    return Finding(
        "row.differs",
        Severity.fail,
        f"{HOSTILE} id={number} differs",
        "green",
        schema="st",
        table="account",
        key={"id": number},
        remedy="mend it",
        evidence={**evidence, "history": note},
    )


def report(*findings: Finding, **history: Any) -> Report:
    gone = {"code": "row.extra", "severity": "fail", "message": "row 5 is gone"}
    found = {
        "run": 9,
        "previous": 8,
        "new": 1,
        "persisting": 1,
        "resolved": [{"check": "diff.data", "since": SINCE, "since_run": 3, "finding": gone}],
        "unseen": [],
        **history,
    }
    clusters = {name: ClusterFacts("mariadb", "11.4", "1") for name in ("blue", "green")}
    checks = (Check("diff.data", "differs", findings),)
    return Report("report", "1.0", NOW, NOW, clusters=clusters, checks=checks, data={"history": found})


CHANGED = {
    "last_change": {"green": {"operation": "update", "columns": ["email"], "transaction": "0-2-7", "origin": "green"}},
    "changed_by": {"blue": {"modified_by": "ann"}},
    "audited": {"green": {"table": "st.audit", "row": {"who": "bob"}}},
}


def test_mail_tells_what_changed_since_when_and_who_did_it() -> None:
    told = report(row(1, "new", **CHANGED), row(2, "persisting"), Finding("x.y", Severity.info, "quiet"))
    text = message.mail(told)
    lines = text.splitlines()
    assert lines[0] == "replguard FAIL on blue and green: 1 new, 1 persisting, 1 resolved"
    new, persisting, resolved = (lines.index(word) for word in ("New:", "Persisting:", "Resolved:"))
    assert new < persisting < resolved
    assert "id=1 differs [row.differs]" in lines[new + 1]
    assert lines[new + 2 : new + 6] == [
        "    on green: update of email by transaction 0-2-7 written on green",
        "    on blue, by its columns: modified_by = ann",
        "    on green, by st.audit: who = bob",
        "    -> mend it",
    ]
    assert lines[persisting + 1].endswith("(since 2026-11-20 03:00 UTC)")
    assert "row 5 is gone" in lines[resolved + 1]
    assert "quiet" not in text
    assert "\x1b" not in text
    assert "\n#" not in text


def test_markdown_shows_hostile_names_as_they_stand() -> None:
    text = message.markdown(report(row(1, "new")))
    assert r"\<\!channel\>" in text
    assert r"\[x\]\(http\://evil\)" in text
    assert r"\@everyone" in text
    assert not any(line.startswith("#") for line in text.splitlines())


def test_a_message_stays_short() -> None:
    text = message.mail(report(*(row(number, "new") for number in range(100))))
    assert "and 75 more, which the report lists" in text
    assert len(text.splitlines()) < 70


def test_without_a_history_all_is_told() -> None:
    told = replace(report(Finding("x.y", Severity.unknown, "could not look")), data={})
    assert "could not look" in message.mail(told)
    assert "INCONCLUSIVE" in message.subject(told)


@pytest.mark.parametrize("url", ["nonsense", "nosuch://s3cret@host", "mailto://"])
def test_a_url_that_is_none_is_refused_and_not_shown(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError) as refused:
        notify.check(["json://localhost:1/", url])
    assert "number 2" in refused.value.message
    shown = refused.value.message + "".join(capfd.readouterr())
    assert "s3cret" not in shown
    assert "nonsense" not in shown


def test_what_cannot_be_sent_is_told_without_its_url(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        check = notify.send(report(row(1, "new")), ["json://user:s3cret@127.0.0.1:9/hook"])
    (finding,) = check.findings
    assert (finding.code, finding.severity) == ("notify.failed", Severity.warn)
    assert "s3cret" not in f"{check} {caplog.text}"
