"""Ways to break what stands beside the databases."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from replguard.model.findings import Verdict
from replguard.sitefile import SiteFile
from tests.conformance.breaking import Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from replguard.config import Config
    from tests.conformance.application import Application


@contextmanager
def _nothing(_app: Application) -> Iterator[None]:
    yield


def _site(**parts: list[dict[str, Any]]) -> Callable[[Config], Config]:
    return lambda config: replace(config, site=SiteFile.model_validate(parts))


def _case(check: str, name: str, code: str, verdict: Verdict, **parts: list[dict[str, Any]]) -> Case:
    return Case(check, name, frozenset({code}), _nothing, verdict=verdict, config=_site(**parts))


_UNREAD = {"name": "taeh", "manifests": {"blue": "/no/blue.json", "green": "/no/green.json"}}
_REFUSED = {"name": "node", "url": "tcp://127.0.0.1:9"}
CASES = (
    _case("site.files", "manifests are missing", "files.unread", Verdict.inconclusive, files=[_UNREAD]),
    _case("site.endpoints", "a node is down", "endpoint.failed", Verdict.failed, endpoints=[_REFUSED]),
    _case(
        "site.commands",
        "a program is not content",
        "command.failed",
        Verdict.failed,
        commands=[{"name": "licence", "run": [sys.executable, "-c", "raise SystemExit(1)"]}],
    ),
    _case(
        "site.attestations",
        "nobody has attested",
        "attestation.missing",
        Verdict.inconclusive,
        attestations=[{"name": "users", "text": "the users were told"}],
    ),
)
