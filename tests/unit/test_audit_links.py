"""The state of replication as findings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from replguard.audit.links import between, check, facts
from replguard.config import Config, endpoint
from replguard.configfile import LinkSection
from replguard.model.findings import Severity, Verdict
from replguard.model.links import Link, LinkState
from replguard.model.positions import Position, PositionKind
from replguard.policy import Policy
from tests.unit.builders import LINK

STRANGER = Link("dr", "green", None, LinkState.running, why_unmatched="it answers as another server")
ENDPOINTS = (endpoint("blue", "mysql://u@h1/st"), endpoint("green", "mysql://u@h2/st"))


def config(links: Any = "discover") -> Config:
    return Config(ENDPOINTS, Policy(), links)


def codes(*links: Link, used: Config | None = None, **options: Any) -> list[tuple[str, str]]:
    found = check(links, used or config(), **options)
    return [(finding.code, finding.severity.value) for finding in found.findings]


def wanted(name: str | None = None) -> Config:
    return config((LinkSection(source="blue", target="green", name=name),))


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({}, []),
        ({"lag_seconds": 60.0}, []),
        ({"lag_seconds": 60.1}, [("link.lagging", "fail")]),
        ({"lag_seconds": None}, [("link.lagging", "unknown")]),
        ({"lag_seconds": float("nan")}, [("link.lagging", "unknown")]),
        ({"state": LinkState.paused}, [("link.paused", "warn")]),
        ({"state": LinkState.broken, "errors": ("1062",)}, [("link.broken", "fail")]),
        ({"state": LinkState.unknown}, [("link.broken", "unknown")]),
        ({"initial_copy": ("st.a",)}, [("link.incomplete", "fail")]),
    ],
)
def test_each_state(parts: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert codes(replace(LINK, **parts)) == expected


def test_one_direction_is_a_normal_pair_and_none_is_not() -> None:
    assert check((LINK,), config()).verdict is Verdict.passed
    assert codes() == [("link.missing", "fail")]
    assert codes(needed=False) == [("link.missing", "info")]


def test_a_link_whose_source_is_not_known_is_unknown() -> None:
    assert codes(STRANGER) == [("link.unknown", "unknown"), ("link.missing", "fail")]
    assert codes(LINK, STRANGER) == [("link.unknown", "unknown")]
    assert codes(LINK, STRANGER, used=wanted()) == [("link.unknown", "info")]
    assert "it answers as another server" in check((STRANGER,), config()).findings[0].message


def test_named_links_must_be_there() -> None:
    assert codes(LINK, used=wanted()) == []
    assert codes(replace(LINK, name="c1"), used=wanted("c1")) == []
    assert codes(LINK, used=wanted("c1")) == [("link.missing", "fail")]
    assert codes(replace(LINK, source="green", target="blue"), used=wanted()) == [("link.missing", "fail")]


def test_where_no_link_is_wanted_one_that_runs_is_a_finding() -> None:
    assert not check((), config("none")).applicable
    assert not check((replace(LINK, state=LinkState.paused),), config("none")).applicable
    found = check((LINK,), config("none"))
    assert found.applicable
    assert [finding.code for finding in found.findings] == ["link.unexpected"]


def test_links_between_the_two_clusters() -> None:
    assert between((LINK, STRANGER, replace(LINK, source="red")), ("blue", "green")) == (LINK,)


def test_every_finding_has_a_remedy() -> None:
    broken = replace(LINK, state=LinkState.broken, initial_copy=("a",))
    assert all(finding.remedy for finding in check((broken, STRANGER), wanted("x")).findings)
    assert {finding.severity for finding in check((broken,), config()).findings} == {Severity.fail}


def test_facts_keep_what_is_unknown_unknown() -> None:
    link = replace(LINK, lag_seconds=None, applied=Position(PositionKind.lsn, "0/1"), detail={"slot": "s"})
    shown = facts(link)
    assert (shown.link, shown.state, shown.lag_seconds) == ("blue->green", "running", None)
    assert (shown.applied, shown.received, shown.detail) == ("0/1", None, {"slot": "s"})
