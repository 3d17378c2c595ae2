"""Whom a nightly run is told beside who called it: files, and services that apprise knows."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from replguard.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from replguard.cli.session import Session
    from replguard.history.store import History
    from replguard.model.findings import Report

VARIABLE = "REPLGUARD_NOTIFY"
STANDARD_OUTPUT = Path("-")


class When(StrEnum):
    change = "change"
    always = "always"
    never = "never"


@dataclass(frozen=True, slots=True)
class Telling:
    """What the options say. ``notify`` are URLs; where there are none, those of the environment or of the config."""

    html: Path | None = None
    mail: Path | None = None
    markdown: Path | None = None
    notify: tuple[str, ...] = ()
    when: When = When.change

    def check(self, *, json: bool) -> None:
        """UsageError for what cannot be written, before a server is asked; ``json``: standard output is taken."""
        from replguard.cli.wholefile import check_writable  # noqa: PLC0415 - not needed for --help

        written = [path for path in (self.html, self.mail, self.markdown) if path]
        dashes = written.count(STANDARD_OUTPUT)
        if dashes > 1 or (dashes and json) or self.html == STANDARD_OUTPUT:
            raise UsageError(
                "standard output holds one thing alone: the report, or --mail - or --markdown -",
                remedy="name files for the others; --html takes a file",
            )
        for path in written:
            if path != STANDARD_OUTPUT:
                check_writable(path)

    def urls(self, session: Session) -> tuple[str, ...]:
        """Where notifications go. UsageError for what is no such URL; none of them is ever shown."""
        if self.when is When.never:
            return ()
        from replguard.endpoint import expand, has_literal_password  # noqa: PLC0415 - not needed for --help

        if any(map(has_literal_password, self.notify)):
            raise ConfigError(
                "the password of --notify stands on the command line, where every user of this machine can read it",
                remedy=f"write ${{NAME}} in its place, in single quotes, or put the URL into {VARIABLE}",
            )
        given = self.notify or tuple(os.environ.get(VARIABLE, "").split()) or session.config.notify
        found = tuple(expand(url, "a notification URL") for url in given)
        if found:
            from replguard.report import notify  # noqa: PLC0415 - only who sends pays for it

            notify.check(found)
        return found

    def tell(self, report: Report, urls: Sequence[str], history: History | None) -> Report:
        """Send, then write files. The report comes back with a check of what was sent, where anything was to be."""
        from replguard.report import message, nightly  # noqa: PLC0415 - not needed for --help

        if urls and (self.when is When.always or nightly.changed(report)):
            from replguard.report import notify  # noqa: PLC0415 - only who sends pays for it

            report = replace(report, checks=(*report.checks, notify.send(report, urls)))
        if self.html:
            _write(self.html, _page(report, history))
        for path, words in ((self.mail, _mail), (self.markdown, message.markdown)):
            if path and path != STANDARD_OUTPUT:
                _write(path, words(report))
        return report

    @property
    def printed(self) -> Callable[[Report], None] | None:
        """Prints what standard output holds instead of the report; None for the report."""
        from replguard.report import message  # noqa: PLC0415 - not needed for --help

        for path, words in ((self.mail, _mail), (self.markdown, message.markdown)):
            if path == STANDARD_OUTPUT:
                return lambda report, words=words: _print(words(report))  # type: ignore[misc]
        return None


def _mail(report: Report) -> str:
    """As programs that send mail read it: its subject, a blank line, its text."""
    from replguard.report import message  # noqa: PLC0415 - not needed for --help

    return f"Subject: {message.mail(report)}"


def _print(text: str) -> None:
    from replguard.model.plain import encodable  # noqa: PLC0415 - not needed for --help

    sys.stdout.write(encodable(text))


def _write(path: Path, text: str) -> None:
    from replguard.cli.wholefile import write_whole  # noqa: PLC0415 - not needed for --help
    from replguard.model.plain import encodable  # noqa: PLC0415

    write_whole(path, encodable(text))


def _page(report: Report, history: History | None) -> str:
    from replguard.history.store import pair_of  # noqa: PLC0415 - not needed for --help
    from replguard.report import trend  # noqa: PLC0415
    from replguard.report.document import document  # noqa: PLC0415
    from replguard.report.html import render  # noqa: PLC0415

    points = history.counts(pair_of(document(report)), trend.RUNS) if history else []
    return render(report, [("Trend", trend.draw(points))] if points else [])
