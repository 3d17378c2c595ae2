"""Tell people of a nightly run: by mail, Slack, Teams and what else apprise knows, by its URLs.

Such a URL is a secret: it is never shown, only its scheme and its place in the list. A message that is not sent is
told, and loses nothing else.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from replguard.errors import UsageError
from replguard.model.findings import Check, Finding, Severity
from replguard.report import message

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from replguard.model.findings import Report

CHECK = "report.notify"
FAILED = "notify.failed"
_OF_MAIL = ("mailto", "mailtos", "ses", "sendgrid", "mailgun", "sparkpost", "smtp2go")
_REMEDY = "look whether the service is reached from here and the URL is right; `apprise -vv URL` tells more"


def check(urls: Iterable[str]) -> None:
    """UsageError for a URL that apprise does not take, or where it is not installed: before any server is asked."""
    for place, url in enumerate(urls, 1):
        if not _apprise(url):
            raise UsageError(
                f"the notification URL number {place} ({_scheme(url)}) is none that apprise knows",
                remedy="see its list of services: mailto://, slack://, msteams://, json://, ...",
            )


def send(report: Report, urls: Sequence[str]) -> Check:
    """Send the message to each; who could not be told stands in the check."""
    failed = [f"number {place} ({_scheme(url)})" for place, url in enumerate(urls, 1) if not _sent(report, url)]
    findings = tuple(
        Finding(FAILED, Severity.warn, f"the notification {one} was not sent", remedy=_REMEDY) for one in failed
    )
    count = len(urls) - len(failed)
    return Check(CHECK, f"{count} of {len(urls)} notification{'s' * (len(urls) != 1)} sent", findings)


def _sent(report: Report, url: str) -> bool:
    from apprise import NotifyFormat, NotifyType  # noqa: PLC0415 - only who sends pays for it

    of_mail = _scheme(url) in _OF_MAIL
    body = message.mail(report) if of_mail else message.markdown(report)
    kinds = {"pass": NotifyType.SUCCESS, "fail": NotifyType.FAILURE, "inconclusive": NotifyType.WARNING}
    post = _apprise(url)
    try:
        return post is not None and bool(
            post.notify(  # type: ignore[attr-defined]
                body=body,
                title=message.subject(report),
                notify_type=kinds[report.verdict.value],
                body_format=NotifyFormat.TEXT if of_mail else NotifyFormat.MARKDOWN,
            )
        )
    except Exception:  # noqa: BLE001 - whatever a plugin of apprise raises may hold its URL, and must not lose the run
        return False


def _apprise(url: str) -> object | None:
    """The one who sends to this URL; None for one that apprise does not take."""
    try:
        from apprise import Apprise  # noqa: PLC0415 - as above
    except ImportError:
        raise UsageError(
            "notifications need apprise, which is not installed", remedy="pip install 'replguard[notify]'"
        ) from None
    # Its log holds URLs.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    made = Apprise()
    try:
        return made if made.add(url) else None
    except Exception:  # noqa: BLE001 - as above
        return None


def _scheme(url: str) -> str:
    """The only part of a URL that is no secret.

    >>> _scheme("slack://token/x"), _scheme("secret")
    ('slack', 'no scheme')
    """
    scheme, found, _ = url.partition("://")
    return scheme.lower() if found and scheme.isalnum() else "no scheme"
