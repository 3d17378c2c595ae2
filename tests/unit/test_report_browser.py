"""The page in a real browser: at a desk, on a phone, in the dark and on paper, held against axe-core."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import sync_playwright

from replguard.model.findings import Check, ClusterFacts, Coverage, Finding, LinkFacts, Report, Severity, TableCoverage
from replguard.report.html import render
from tests.servers import install

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

BEGAN = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
CHART = (
    "<svg viewBox='0 0 640 90' role='img' aria-label='Trend'><title>Trend</title>"
    "<rect width='90' height='90' fill='var(--pass)'/></svg>"
)
MISSING = "no Chromium to look at the page with: python -m tests.servers install, as root"
SEEN = "REPLGUARD_SCREENSHOTS"
"""A folder where the pictures are kept, to be looked at."""


def page_of() -> str:
    """A page with every part that it can have, and names as long as servers allow."""
    waived = {"waived": {"owner": "DBA", "until": "2027-01-01", "reason": "old row", "severity": "fail"}}
    differs = [
        Finding("row.differs", Severity.fail, "differs: email", "green", None, "st", "account", {"id": number},
                "look at both rows", {"columns": {"email": ["old@example.org", "new@example.org"]}})
        for number in (7, 8)
    ]  # fmt: skip
    checks = (
        Check("links.state", "blue->green running", ()),
        Check(
            "diff.data",
            "1 of 3 tables differs",
            (*differs, Finding("row.extra", Severity.info, "extra", evidence=waived)),
        ),
        Check("health.delay", "1 question is open", (Finding("check.not_run", Severity.unknown, "no answer in 60 s"),)),
        Check("clocks.skew", "0.2 s", (Finding("clock.skew", Severity.warn, "x" * 64 + " differ", remedy="y" * 120),)),
        Check("diff.sequences", "0 counters", applicable=False),
    )
    tables = (
        TableCoverage("st", "account", "config", True, {"blue": 1000, "green": 1000}, function="crc32"),
        TableCoverage("st", "event", "must_not_sync", False, note="not compared: must_not_sync"),
        TableCoverage("st", "t" * 64, "config", False, note="a lock was held"),
    )
    position = "0-1-4711," * 12
    return render(
        Report(
            "gate", "0.1.0", BEGAN, BEGAN + timedelta(seconds=2),
            clusters={name: ClusterFacts("mariadb", "10.11.19", f"id-{name}", position) for name in ("blue", "green")},
            links=(LinkFacts("blue->green", "main", "blue", "green", "running", lag_seconds=0.5),
                   LinkFacts("green->blue", "back", "green", "blue", "paused")),
            checks=checks, coverage=Coverage(tables),
            data={"for": "switchover", "roles": {"active": "blue", "passive": "green", "why": ""}},
        ),
        [("Trend", CHART)],
    )  # fmt: skip


def _chromium() -> str:
    found = install.browser()
    if found is None and not os.environ.get("CI"):
        pytest.skip(MISSING)
    assert found, MISSING
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=_chromium())
        yield opened
        opened.close()


def _faults(page: Page) -> list[str]:
    """What axe-core finds that is serious or worse."""
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    told: dict[str, Any] = page.evaluate("() => axe.run()")
    assert told["passes"], "axe-core has looked"
    grave = [one for one in told["violations"] if one["impact"] in ("serious", "critical")]
    return [json.dumps([one["id"], one["help"], [node["html"][:200] for node in one["nodes"]]]) for one in grave]


def _wide(page: Page) -> bool:
    return bool(page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth"))


@pytest.mark.parametrize(
    ("name", "width", "height", "scheme"), [("desk", 1280, 900, "light"), ("phone", 390, 844, "dark")]
)
def test_the_page_reads_well_and_has_no_grave_fault(
    browser: Browser, tmp_path: Path, name: str, width: int, height: int, scheme: Any
) -> None:
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.set_content(page_of())
    pictures = Path(os.environ.get(SEEN) or tmp_path)
    shot = page.screenshot(path=pictures / f"{name}-{scheme}.png", full_page=True)
    assert shot.startswith(b"\x89PNG")
    assert not _wide(page), "nothing makes the whole page scroll sideways"
    assert _faults(page) == []
    assert (asked, problems) == ([], [])
    page.close()


def test_axe_core_is_asked_what_it_can_answer(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(
        "<html lang=en><title>x</title><main><img src='data:,'><p style='color:#ccc'>pale</p></main></html>"
    )
    assert {json.loads(fault)[0] for fault in _faults(page)} == {"image-alt", "color-contrast"}
    page.close()


def test_lists_can_be_filtered_and_paper_shows_all(browser: Browser, tmp_path: Path) -> None:
    page = browser.new_page()
    page.set_content(page_of())
    page.get_by_label("Filter tables").fill("ACCOUNT")
    rows = page.locator("#table-list tr")
    assert [rows.nth(place).is_visible() for place in range(rows.count())].count(True) == 1
    page.get_by_label("Filter checks and findings").fill("no answer")
    assert page.locator("details.check:visible").count() == 1
    page.get_by_label("Filter checks and findings").fill("")
    page.get_by_label("Filter tables").fill("")
    closed = page.locator("details.check:not([open])").count()
    page.emulate_media(media="print")
    page.pdf(path=Path(os.environ.get(SEEN) or tmp_path) / "paper.pdf")
    assert closed
    assert page.locator("details.check:not([open])").count() == 0, "paper cannot be opened"
    assert not page.get_by_label("Filter tables").is_visible()
    page.close()
