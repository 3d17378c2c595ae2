"""How long a pause may last, from what servers say at two times; and the same as metrics."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from replguard.control import budget
from replguard.control.budget import Look, Since, judge
from replguard.control.retention import begin, judged
from replguard.engines.controls import Kept
from replguard.model.findings import Check, Finding, LinkFacts, Report, Severity
from replguard.report.metrics import metrics

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MIB = 1 << 20


def look(at=NOON, **kept):
    return Look("blue", "blue->green", at, Kept(**{"written": 0, **kept}))


def since(hours=1.0, **more):
    return Since(NOON - hours * HOUR, **more)


ROOM = {"bytes_free": 360 * MIB, "limit": "size"}
MEAN = {**ROOM, "mean": 0.1 * MIB}
AN_HOUR_AGO = {"look": look(NOON - HOUR, written=9, bytes_kept=0)}
JUST_NOW = {"look": look(NOON - timedelta(seconds=2)), "sample": 0.2 * MIB}


@pytest.mark.parametrize(
    ("kept", "known", "hours", "limit"),
    [
        ({"seconds": 7200.0, "age_limit": "age"}, {}, 2, "age"),
        (MEAN, {}, 1, "size"),
        ({**MEAN, "seconds": 60.0, "age_limit": "age"}, {}, 1 / 60, "age"),
        # 720 MiB in the hour since the pause are more than the mean: the higher rate counts.
        ({**MEAN, "written": 720 * MIB}, AN_HOUR_AGO, 0.5, "size"),
        # And less are not: what was quiet so far need not be so at night.
        ({**MEAN, "written": 36 * MIB}, AN_HOUR_AGO, 1, "size"),
        # Files were removed meanwhile, but not what is needed.
        ({**ROOM, "written": 5, "bytes_kept": 720 * MIB}, AN_HOUR_AGO, 0.5, "size"),
        # Just paused: the sample of a moment is all there is.
        (ROOM, JUST_NOW, 0.5, "size"),
        # The operator said how much is free, and half of it is written.
        ({"written": 720 * MIB}, {**AN_HOUR_AGO, "free_disk": 1440 * MIB}, 1, "named"),
        ({"bytes_free": 0, "limit": "size"}, {}, 0, "size"),
        ({"seconds": 1e18, "age_limit": "age"}, {}, 24 * 3650, "age"),
    ],
)
def test_the_time_until_the_first_limit(kept, known, hours, limit):
    found = judge(look(**kept), since(**known))
    assert found.must_resume_by is not None
    assert abs(found.must_resume_by - (NOON + hours * HOUR)) < timedelta(seconds=1)
    assert limit in found.limit


def test_what_is_not_known_is_told_and_never_taken_for_endless():
    blind = judge(look(no_disk="the disk", unknown=("the file",)), since())
    assert blind.must_resume_by is None
    assert blind.unknown == ("the file", "the disk")
    assert "is not known: the file; the disk" in budget.words(blind)
    idle = judge(look(bytes_free=MIB, limit="size", mean=0.0), since())
    assert idle.must_resume_by is None
    assert "how fast the log grows" in budget.words(idle)
    half = judge(look(seconds=7200.0, age_limit="age", no_disk="the disk"), since())
    assert half.must_resume_by == NOON + 2 * HOUR
    assert half.unknown == ("the disk",)
    assert judge(look(no_disk="the disk"), since(free_disk=MIB)).unknown != ("the disk",)


@pytest.mark.parametrize(
    ("kept", "hours", "severity", "words"),
    [
        ({"seconds": 7200.0}, 1.9, "info", "49% of the time is used"),
        ({"seconds": 7200.0}, 2.0, "warn", "in 2 h ("),
        ({"seconds": 7200.0, "danger": "slot s is unreserved"}, 0.1, "warn", "unreserved"),
        ({"seconds": 0.0}, 2.0, "fail", "100% of the time is used"),
        ({"seconds": 7200.0, "lost": "the slot is gone"}, 0.1, "fail", "from the log any more: the slot"),
        ({}, 0.1, "warn", "is not known: the server tells of no limit"),
    ],
)  # fmt: skip
def test_warned_at_half_and_failed_when_it_is_over(kept, hours, severity, words):
    found = judge(look(age_limit="age", **kept), since(hours))
    [finding] = budget.findings([found])
    assert finding.severity.value == severity
    assert words in finding.message
    assert (finding.code, finding.cluster, finding.link) == ("pause.budget", "blue", "blue->green")


def test_the_log_that_ends_first_stands_in_the_summary():
    looks = [look(seconds=7200.0, age_limit="age"), Look("green", None, NOON, Kept(0, seconds=60.0, age_limit="idle"))]
    found = [judge(one, since()) for one in looks]
    assert budget.check(found).summary.startswith(
        "the guard slot on green: must resume by 2026-11-27 12:01 UTC, in 1 min"
    )
    unknown = judge(look(), since())
    assert budget.tightest([unknown, *found]) is found[1]
    lost = judge(look(lost="gone"), since())
    assert budget.tightest([*found, lost]) is lost


def test_a_receipt_keeps_what_is_needed_to_count_down():
    before = [Look("blue", "blue->green", NOON - timedelta(seconds=2), Kept(0)).as_data()]
    first = look(written=4 * MIB, no_disk="the disk", unknown=("a", "b"))
    stored = begin(before, [first], {"blue": 72 * MIB})
    assert stored["samples"] == {"blue->green": 2 * MIB}
    assert stored["must_resume_by"] == (NOON + timedelta(seconds=36)).isoformat()
    assert Look.from_data({**stored["looks"][0], "of another version": 1}) == first
    held: dict[str, Any] = {"paused_at": NOON.isoformat(), "budget": stored}
    [later] = judged([look(NOON + HOUR, written=40 * MIB, no_disk="the disk")], held)
    assert later.rate == 36 * MIB / 3600
    assert later.must_resume_by == NOON + 2 * HOUR
    assert later.used == 0.5
    later_look = look(NOON + HOUR, written=40 * MIB, no_disk="the disk")
    held["budget"]["free_disk"] = {"blue": budget.stored_room(first, later_look, 72 * MIB)}
    [named] = judged([later_look], held)
    assert named.must_resume_by == NOON + 3 * HOUR, "what is free now was not taken for that"
    [old] = judged([look(seconds=60.0, age_limit="age")], {"paused_at": (NOON - HOUR).isoformat()})
    assert old.must_resume_by == NOON + timedelta(minutes=1)


def test_status_as_metrics():
    states = [
        LinkFacts("blue->green", "", "blue", "green", "paused"),
        LinkFacts('q"\\->b', "q", None, "b", "running", lag_seconds=1.5),
    ]
    known = judge(look(seconds=7200.0, age_limit="age", bytes_kept=7), since(2.0)).as_data()
    blind = {**judge(replace(look(), link=None), since()).as_data(), "lost": "gone"}
    data = {"receipt": {"paused_at": NOON.isoformat()}, "budget": [known, blind]}
    failed = Check("pause.budget", "", (Finding("pause.budget", Severity.fail, "over"),))
    text = metrics(Report("status", "1", NOON, NOON, checks=(failed,), links=tuple(states), data=data))
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert {
        'replguard_link_state{link="blue->green",state="paused"} 1.0',
        'replguard_link_state{link="blue->green",state="running"} 0.0',
        'replguard_link_lag_seconds{link="q\\"\\\\->b"} 1.5',
        "replguard_pause_active 1.0",
        'replguard_pause_budget_known{cluster="blue",link="blue->green"} 1.0',
        'replguard_pause_budget_known{cluster="blue",link="guard"} 0.0',
        'replguard_pause_budget_used_ratio{cluster="blue",link="blue->green"} 0.5',
        'replguard_pause_log_kept_bytes{cluster="blue",link="blue->green"} 7.0',
        'replguard_pause_log_lost{cluster="blue",link="guard"} 1.0',
        'replguard_status_verdict{verdict="fail"} 1.0',
        'replguard_status_verdict{verdict="pass"} 0.0',
    } <= set(lines)
    assert not [line for line in lines if "lag_seconds" in line and "blue->green" in line], "unknown is no zero"
    [must] = [line for line in lines if line.startswith("replguard_pause_must_resume_by_timestamp_seconds")]
    assert float(must.split()[-1]) == (NOON + 2 * HOUR).timestamp()
