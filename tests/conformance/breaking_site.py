"""Ways to break what stands beside the databases."""

from __future__ import annotations

import json
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replguard.model.findings import Verdict
from replguard.site import manifest
from replguard.sitefile import SiteFile
from tests.conformance.breaking import Case
from tests.servers.answering import answering

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


@contextmanager
def _another_key_file(_app: Application) -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        secret = Path(folder) / "secret"
        for node in ("blue", "green"):
            secret.write_text(f"the secret of {node}", encoding="utf-8")
            made = json.dumps(manifest.make(str(secret), b"the key of the site").document())
            _MADE[node] = str(Path(folder) / f"{node}.json")
            Path(_MADE[node]).write_text(made, encoding="utf-8")
        yield


@contextmanager
def _a_node_that_is_ill(_app: Application) -> Iterator[None]:
    with answering(503, b"draining") as port:
        _ILL["url"] = f"http://127.0.0.1:{port}/health"
        yield


_MADE: dict[str, str] = {}
_ILL: dict[str, Any] = {"name": "node", "url": ""}
_ASTRAY = {
    "name": "load balancer",
    "url": "dns://localhost",
    "resolves_to": {"blue": ["192.0.2.1"], "green": ["127.0.0.1", "::1"]},
}
_UNREAD = {"name": "taeh", "manifests": {"blue": "/no/blue.json", "green": "/no/green.json"}}
_REFUSED = {"name": "node", "url": "tcp://127.0.0.1:9"}
CASES = (
    _case("site.files", "manifests are missing", "files.unread", Verdict.inconclusive, files=[_UNREAD]),
    Case(
        "site.files",
        "a node has another key file",
        frozenset({"files.differ"}),
        _another_key_file,
        config=_site(files=[{"name": "key", "keyed": True, "manifests": _MADE}]),
    ),
    Case(
        "site.endpoints",
        "a node is ill",
        frozenset({"endpoint.failed"}),
        _a_node_that_is_ill,
        config=_site(endpoints=[_ILL]),
    ),
    _case("site.endpoints", "a name leads to the other side", "endpoint.failed", Verdict.failed, endpoints=[_ASTRAY]),
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
