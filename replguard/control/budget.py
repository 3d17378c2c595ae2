"""How long a pause may last: pure, from what the servers say of the logs that paused links need, at two times.

A log is kept for so long, or until so much of it is written; the rate at which it grows makes a time of that. Of the
rates that are known, that of a long time before and that since the pause, the higher one counts: a budget errs on the
early side. What a server does not tell is named, and is never taken for endless.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from replguard.engines.controls import Kept
from replguard.model.findings import Check, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

CODE = "pause.budget"
HALF = 0.5
LEAST_SECONDS = 60.0
"""Between two looks, for the growth between them to be a rate."""
_FAR = 3650 * 86_400.0


@dataclass(frozen=True, slots=True)
class Look:
    """What one server said at one time of what it keeps for a link, or by a guard of ours (``link`` None)."""

    cluster: str
    link: str | None
    at: datetime
    kept: Kept

    @property
    def what(self) -> str:
        return self.link or f"the guard slot on {self.cluster}"

    def as_data(self) -> dict[str, Any]:
        kept = {**asdict(self.kept), "unknown": list(self.kept.unknown)}
        return {"cluster": self.cluster, "link": self.link, "at": self.at.isoformat(), **kept}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Look:
        known = {field.name for field in fields(Kept)}
        kept = {name: value for name, value in data.items() if name in known}
        kept["unknown"] = tuple(kept.get("unknown", ()))
        return cls(data["cluster"], data["link"], datetime.fromisoformat(data["at"]), Kept(**kept))


@dataclass(frozen=True, slots=True)
class Since:
    """What is known from the pause: when it began, the look of then, the rate of a moment before, and how many bytes
    were free on the disk as the operator said.
    """

    paused_at: datetime | None = None
    look: Look | None = None
    sample: float | None = None
    free_disk: int | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """How long one log is kept: ``limit`` is what ends it first, ``used`` the share of the time that has passed.

    ``must_resume_by`` is None where no limit is known; ``unknown`` lists what is not known, in clauses.
    """

    look: Look
    must_resume_by: datetime | None = None
    limit: str = ""
    used: float | None = None
    rate: float | None = None
    unknown: tuple[str, ...] = ()

    @property
    def over(self) -> bool:
        return self.must_resume_by is not None and self.must_resume_by <= self.look.at

    def as_data(self) -> dict[str, Any]:
        return {
            "cluster": self.look.cluster,
            "link": self.look.link,
            "at": self.look.at.isoformat(),
            "must_resume_by": self.must_resume_by.isoformat() if self.must_resume_by else None,
            "limit": self.limit,
            "used": self.used,
            "bytes_per_second": self.rate,
            "bytes_kept": self.look.kept.bytes_kept,
            "unknown": list(self.unknown),
            "danger": self.look.kept.danger,
            "lost": self.look.kept.lost,
        }


def judge(now: Look, since: Since) -> Budget:
    """The budget by what is said now, and what was said when the pause began."""
    rate = _rate(now, since)
    ends, unknown = _ends(now, since, rate)
    found = Budget(now, rate=rate, unknown=unknown)
    if not ends or now.kept.lost:
        return found
    must, limit = min(ends)
    return replace(found, must_resume_by=must, limit=limit, used=_used(now.at, must, since.paused_at))


def _ends(now: Look, since: Since, rate: float | None) -> tuple[list[tuple[datetime, str]], tuple[str, ...]]:
    """When each limit is reached, and what is not known of that."""
    kept = now.kept
    ends, unknown = [], [*kept.unknown]
    if kept.seconds is not None:
        ends.append((now.at + timedelta(seconds=min(kept.seconds, _FAR)), kept.age_limit))
    for free, limit in _rooms(now, since):
        if free <= 0:
            ends.append((now.at, limit))
        elif rate:
            ends.append((now.at + timedelta(seconds=min(free / rate, _FAR)), limit))
        else:
            unknown.append(f"how fast the log grows, while {limit} leaves room for {size(free)}")
    if kept.no_disk and since.free_disk is None:
        unknown.append(kept.no_disk)
    return ends, tuple(unknown)


def _rooms(now: Look, since: Since) -> Iterator[tuple[int, str]]:
    if now.kept.bytes_free is not None:
        yield now.kept.bytes_free, now.kept.limit
    if since.free_disk is not None:
        yield since.free_disk - (_growth(since.look, now) or 0), "the free disk that was named"


def _rate(now: Look, since: Since) -> float | None:
    """Bytes a second; the sample of a moment counts only where nothing else is known."""
    rates = [] if now.kept.mean is None else [now.kept.mean]
    grown = _growth(since.look, now)
    if since.look and grown is not None and (seconds := (now.at - since.look.at).total_seconds()) >= LEAST_SECONDS:
        rates.append(grown / seconds)
    return max(rates) if rates else since.sample


def _growth(then: Look | None, now: Look) -> int | None:
    """How much was written between two looks; None where that is not known. What was removed meanwhile is no less."""
    if then is None:
        return None
    pairs = ((then.kept.written, now.kept.written), (then.kept.bytes_kept, now.kept.bytes_kept))
    grown = [after - before for before, after in pairs if before is not None and after is not None]
    return max(0, *grown) if grown else None


def sampled(first: Look, second: Look) -> float | None:
    """The rate between two looks that lie as close as they may."""
    seconds, grown = (second.at - first.at).total_seconds(), _growth(first, second)
    return grown / seconds if grown is not None and seconds > 0 else None


def stored_room(then: Look, now: Look, free: int) -> int:
    """What is free now, as of the first look: what was written since is taken from it each time."""
    return free + (_growth(then, now) or 0)


def _used(at: datetime, must: datetime, paused_at: datetime | None) -> float | None:
    if paused_at is None:
        return None
    return 1.0 if must <= paused_at else max((at - paused_at) / (must - paused_at), 0.0)


def words(budget: Budget, *, countdown: bool = True) -> str:
    """The budget as a clause; with ``countdown`` also how much of it is left."""
    kept = budget.look.kept
    if kept.lost:
        return f"{budget.look.what}: nothing can be resumed from the log any more: {kept.lost}"
    must = budget.must_resume_by
    if must is None:
        return f"{budget.look.what}: how long the pause may last is not known: {_listed(budget.unknown)}"
    left = must - budget.look.at
    counted = f", in {span(left.total_seconds())}" if countdown and not budget.over else ""
    used = f"; {budget.used:.0%} of the time is used" if countdown and budget.used is not None else ""
    more = f"; not known: {_listed(budget.unknown)}" if budget.unknown else ""
    return f"{budget.look.what}: must resume by {must:%Y-%m-%d %H:%M} UTC{counted} ({budget.limit}){used}{more}"


def _listed(clauses: Sequence[str]) -> str:
    return "; ".join(clauses) or "the server tells of no limit"


def findings(budgets: Iterable[Budget], unknown: Severity = Severity.warn) -> list[Finding]:
    """One finding a log; ``unknown`` is how much it matters that nothing is known."""
    return [_finding(budget, unknown) for budget in budgets]


def _finding(budget: Budget, unknown: Severity) -> Finding:
    kept = budget.look.kept
    text = words(budget)
    if kept.lost:
        severity, remedy = Severity.fail, "copy the target anew, or restore the log; then set replication up again"
    elif budget.over:
        severity, remedy = Severity.fail, "resume at once: what the link needs may be removed any moment"
    elif kept.danger:
        severity, remedy, text = Severity.warn, "resume at once, or raise the limit", f"{kept.danger}; {text}"
    elif budget.used is not None and budget.used >= HALF:
        severity, remedy = Severity.warn, "resume soon, or make room: raise the limit while the pause lasts"
    elif budget.must_resume_by is None:
        severity, remedy = (
            unknown,
            "look at the disk of the log, and name its free room: `pause --free-disk CLUSTER=SIZE`",
        )
    else:
        severity, remedy = Severity.info, None
    cluster, link = budget.look.cluster, budget.look.link
    return Finding(CODE, severity, text, cluster=cluster, link=link, remedy=remedy, evidence=budget.as_data())


def _to_know(budget: Budget) -> str:
    if budget.look.kept.no_disk in budget.unknown:
        return f"look at the disk, and name what is free: `replguard pause --free-disk {budget.look.cluster}=SIZE`"
    return "look again when as much is written as usual"


def check(budgets: Sequence[Budget]) -> Check:
    """What `status` says of a pause: the log that ends first stands in the summary."""
    return Check(CODE, words(tightest(budgets)) if budgets else "no log is needed", tuple(findings(budgets)))


def tightest(budgets: Sequence[Budget]) -> Budget:
    """The one that ends first: lost, then by time, then what is not known."""
    return min(budgets, key=_order)


def _order(budget: Budget) -> tuple[bool, bool, float]:
    must = budget.must_resume_by
    return budget.look.kept.lost is None, must is None, must.timestamp() if must else 0.0


def span(seconds: float) -> str:
    """A length of time with two units.

    >>> span(7810), span(200_000), span(59), span(0)
    ('2 h 10 min', '2 days 7 h', '59 s', '0 s')
    """
    whole = int(seconds)
    for size_, unit, least, smaller in ((86_400, "days", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size_:
            more = whole % size_ // least
            name = "day" if unit == "days" and whole // size_ == 1 else unit
            return f"{whole // size_} {name}" + (f" {more} {smaller}" if more else "")
    return f"{whole} s"


def size(count: float) -> str:
    """Bytes for people.

    >>> size(1536), size(20 << 30), size(7)
    ('1.5 KiB', '20.0 GiB', '7 B')
    """
    for unit, least in (("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= least:
            return f"{count / least:.1f} {unit}"
    return f"{count:.0f} B"
