"""The runner of the gate: all checks once, none of which stops another; and what the policy waives."""

from __future__ import annotations

import threading
from datetime import date
from typing import TYPE_CHECKING, Any, cast

import pytest

from replguard.configfile import WaiverSection
from replguard.errors import ConnectError, PrivilegeError, UsageError
from replguard.gates import waivers
from replguard.gates.base import Context, Gate, Options, Outcome, Purpose, Roles
from replguard.gates.roles import roles
from replguard.gates.run import GATES, LANES, run
from replguard.model.findings import NOT_RUN, Check, Finding, Report, Severity, Verdict
from replguard.model.links import Link, LinkState

if TYPE_CHECKING:
    from collections.abc import Callable

TODAY = date(2026, 7, 1)


class _Pair:
    """Stands for connections: the runner only opens them, hands them out and closes them."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def close(self) -> None:
        self.log.append("closed")


def gate(name: str, body: Callable[[Context], Outcome], **attributes: Any) -> Gate:
    texts = {"title": name, "purpose": "", "reads": "", "remedy": "", "codes": ()}
    kind = type(name, (Gate,), {"id": name, **texts, "run": lambda _self, context: body(context), **attributes})
    return cast("Gate", kind())


def passing(name: str, **attributes: Any) -> Gate:
    return gate(name, lambda _context: Outcome((Check(name, "fine"),)), **attributes)


def context(**options: Any) -> Context:
    given = Options(TODAY, **options)
    nothing: Any = None
    known = Roles(None, None, "not asked")
    return Context(nothing, nothing, nothing, (), (), Purpose.nightly, given, known, nothing)


def opened(log: list[str]) -> Callable[[], Any]:
    return lambda: _Pair(log)


def test_the_order_of_the_report_is_that_of_the_list_and_each_runs_once() -> None:
    seen: list[tuple[str, bool]] = []
    gates = [passing("a.one"), passing("a.two", takes=lambda _self, _options: 9.0), passing("a.three")]
    ran = run(context(), opened([]), lambda gate, done: seen.append((gate.id, done is not None)), gates)
    assert [check.id for check in ran.outcome.checks] == ["a.one", "a.two", "a.three"]
    assert sorted(seen) == sorted([(one.id, done) for one in gates for done in (False, True)])
    assert ran.abandoned == ()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PrivilegeError("SELECT is lacking", remedy="grant it", cluster="green"), "SELECT is lacking"),
        (ZeroDivisionError("ours"), "replguard failed: ZeroDivisionError: ours"),
    ],
)
def test_a_check_that_fails_to_run_is_unknown_and_stops_no_other(error: Exception, words: str) -> None:
    def fail(_context: Context) -> Outcome:
        raise error

    ran = run(context(), opened([]), gates=[gate("a.bad", fail), passing("a.good")])
    bad, good = ran.outcome.checks
    assert (bad.verdict, good.verdict) == (Verdict.inconclusive, Verdict.passed)
    assert (bad.findings[0].code, bad.findings[0].message) == (NOT_RUN, words)
    assert bad.findings[0].remedy


def test_checks_that_hang_are_given_up_and_the_rest_still_runs() -> None:
    release = threading.Event()

    def hang(_context: Context) -> Outcome:
        release.wait(60)
        return Outcome((Check("a.hangs", "fine after all"),))

    hanging = [gate(f"a.hangs{number}", hang) for number in range(LANES)]
    late = gate("a.late", lambda given: Outcome((Check("a.late", str(len(given.earlier))),)), after=("a.hangs0",))
    try:
        ran = run(context(deadline=0.2), opened([]), gates=[*hanging, *map(passing, ("a.b", "a.c")), late])
    finally:
        release.set()
    verdicts = {check.id: check.verdict for check in ran.outcome.checks}
    assert {verdicts[one.id] for one in hanging} == {Verdict.inconclusive}
    assert {verdicts["a.b"], verdicts["a.c"], verdicts["a.late"]} == {Verdict.passed}
    assert sorted(ran.abandoned) == [one.id for one in hanging]


def test_checks_run_at_once_and_each_on_connections_of_its_own() -> None:
    meeting, pairs, log = threading.Barrier(2, timeout=30), [], list[str]()

    def meet(given: Context) -> Outcome:
        pairs.append(given.pair)
        meeting.wait()
        return Outcome((Check("a.meets", "met"),))

    ran = run(context(), opened(log), gates=[gate("a.m1", meet), gate("a.m2", meet)])
    assert {check.verdict for check in ran.outcome.checks} == {Verdict.passed}
    assert pairs[0] is not pairs[1]


def test_a_check_waits_for_those_it_goes_by() -> None:
    def told(given: Context) -> Outcome:
        return Outcome((Check("b.after", ",".join(check.id for check in given.earlier)),))

    ran = run(context(), opened([]), gates=[gate("b.after", told, after=("a.first",)), passing("a.first")])
    assert ran.outcome.checks[0].summary == "a.first"


def test_connections_that_cannot_be_made_are_told() -> None:
    def refuse() -> Any:
        raise ConnectError("no more connections", remedy="raise the limit", cluster="blue")

    (check,) = run(context(), refuse, gates=[passing("a.one")]).outcome.checks
    assert (check.verdict, check.findings[0].cluster) == (Verdict.inconclusive, "blue")


def test_only_those_that_are_asked_for_run_and_an_unknown_one_is_refused() -> None:
    gates = [passing("a.one"), passing("a.two"), passing("a.never", when=frozenset({Purpose.cutover}))]
    ran = run(context(only=frozenset({"a.two"})), opened([]), gates=gates)
    assert [check.id for check in ran.outcome.checks] == ["a.two"]
    assert [check.id for check in run(context(), opened([]), gates=gates).outcome.checks] == ["a.one", "a.two"]
    with pytest.raises(UsageError, match=r"a\.three"):
        run(context(only=frozenset({"a.three"})), opened([]), gates=gates)


def test_every_check_says_what_it_is_for_and_what_it_reads() -> None:
    for one in GATES:
        assert all((one.title, one.purpose, one.reads, one.remedy)), one.id
        assert set(one.after) <= {other.id for other in GATES}, one.id
    assert len({one.id for one in GATES}) == len(GATES)


def link(source: str, target: str) -> Link:
    return Link("", target, source, LinkState.running)


def test_who_is_active_is_said_or_follows_from_the_one_link() -> None:
    names = ("blue", "green")
    one_way, both = [link("blue", "green")], [link("blue", "green"), link("green", "blue")]
    found = [
        roles(names, one_way, None, None),
        roles(names, both, "green", None),
        roles(names, both, None, "green"),
        roles(names, both, None, None),
        roles(names, [], None, None),
    ]
    assert [(one.active, one.passive) for one in found] == [
        ("blue", "green"),
        ("blue", "green"),
        ("green", "blue"),
        (None, None),
        (None, None),
    ]
    for to, active in (("red", None), (None, "red"), ("green", "green")):
        with pytest.raises(UsageError):
            roles(names, one_way, to, active)


def waiver(**changes: Any) -> WaiverSection:
    given = {"code": "row.differs", "subject": "st.account", "reason": "known", "owner": "DBA", "until": TODAY}
    return WaiverSection.model_validate({**given, **changes})


FOUND = Finding("row.differs", Severity.fail, "differs", "green", schema="st", table="account", remedy="mend it")


@pytest.mark.parametrize(
    ("changes", "holds"),
    [
        ({}, True),
        ({"subject": "account"}, True),
        ({"subject": "*.ACC*"}, True),
        ({"code": "row.*"}, True),
        ({"subject": "green"}, True),
        ({"subject": "blue"}, False),
        ({"subject": "st.rule"}, False),
        ({"code": "row.extra"}, False),
        ({"until": date(2026, 6, 30)}, False),
    ],
)
def test_a_waiver_excuses_what_it_names_until_its_day(changes: dict[str, Any], *, holds: bool) -> None:
    judged, listed = waivers.apply([Check("diff.data", "1 differs", (FOUND,))], [waiver(**changes)], TODAY)
    assert judged.verdict is (Verdict.passed if holds else Verdict.failed)
    assert (listed.id, listed.verdict) == (waivers.CHECK, Verdict.passed)
    (told,) = listed.findings
    if holds:
        assert judged.findings[0].evidence["waived"]["severity"] == "fail"
        assert told.code == "waiver.used"
        assert "DBA" in listed.summary
        assert len(list(waivers.waived((judged,)))) == 1
    else:
        assert judged.findings == (FOUND,)
        assert told.code == ("waiver.expired" if "until" in changes else "waiver.unused")


def test_what_could_not_be_checked_cannot_be_waived() -> None:
    check = Check.not_run("diff.data", "the server went away")
    judged, _ = waivers.apply([check], [waiver(code="*", subject="*")], TODAY)
    assert judged.verdict is Verdict.inconclusive
    assert judged == check


def test_without_waivers_the_report_says_so() -> None:
    judged, listed = waivers.apply([Check("diff.data", "fine", (FOUND,))], [], TODAY)
    assert judged.findings == (FOUND,)
    assert not listed.applicable


def test_a_report_of_no_check_is_no_pass_without_waivers_either() -> None:
    checks = waivers.apply([], [], TODAY)
    stamp: Any = None
    assert Report("gate", "1", stamp, stamp, checks=checks).verdict is Verdict.inconclusive
