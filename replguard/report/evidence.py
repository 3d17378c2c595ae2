"""A folder of evidence for a change ticket: the report in every form, what it went by, and a manifest of hashes.

It is written whole or not at all, never over something else. A manifest alone shows accidents: who changes a file can
change the manifest too. Signed with an Ed25519 key it shows that too, to whoever knows the public key.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replguard._version import __version__
from replguard.control.certificate import sorted_data, without_secrets
from replguard.errors import UsageError
from replguard.journal import by_whom
from replguard.model.plain import plain
from replguard.report.document import dumps
from replguard.report.html import render
from replguard.report.junit import junit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from replguard.config import Config
    from replguard.model.findings import Report
    from replguard.report.signing import SigningKey

SCHEMA = "replguard.evidence/1"
MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.sig"
_QUOTED = re.compile(r"'(?:[^'\\]|''|\\.)*'")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as it was sent, to which cluster and when."""

    at: datetime
    cluster: str
    text: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What goes into the folder. ``certificate`` is the file of the comparison's, where one was issued; with ``mask``
    literals in statements are hidden, as values are in the report.
    """

    report: Report
    config: Config
    statements: Sequence[Statement] = ()
    certificate: Path | None = None
    mask: bool = False
    charts: Sequence[tuple[str, str]] = ()


def check_free(folder: Path) -> None:
    """UsageError where no new folder can be made there: known before any server is asked."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} is there already, and evidence is never written over it", remedy="name a new folder"
        )
    parent = folder.absolute().parent
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise UsageError(f"no folder can be made in {parent}", remedy="name a folder in one that exists")


def write(folder: Path, evidence: Evidence, key: SigningKey | None = None) -> None:
    """Write the folder. UsageError where something is there already, or it cannot be written."""
    check_free(folder)
    files = _files(evidence)
    manifest = _manifest(evidence.report, files, key)
    content = {**files, MANIFEST: manifest}
    if key:
        content[SIGNATURE] = base64.b64encode(key.sign(manifest)) + b"\n"
    try:
        _place(folder.absolute(), content)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror}", remedy="name another folder") from None


def _place(folder: Path, content: dict[str, bytes]) -> None:
    made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        for name, data in content.items():
            with (made / name).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        made.chmod(0o750)
        made.replace(folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _files(evidence: Evidence) -> dict[str, bytes]:
    report = evidence.report
    texts = {
        "report.json": dumps(report) + "\n",
        "report.html": render(report, evidence.charts),
        "junit.xml": junit(report),
        "statements.sql": _statements(evidence.statements, mask=evidence.mask),
        "config.json": json.dumps(config_document(evidence.config), indent=1, ensure_ascii=False) + "\n",
    }
    files = {name: text.encode("utf-8", "backslashreplace") for name, text in texts.items()}
    if evidence.certificate and evidence.certificate.exists():
        files["certificate.json"] = evidence.certificate.read_bytes()
    return files


def config_document(config: Config) -> dict[str, Any]:
    """The config as plain data, without passwords and options, which may hold one."""
    waivers = [waiver.model_dump(mode="json") for waiver in config.waivers]
    gate = config.gate.model_dump(mode="json")
    parts = {"policy": sorted_data(config.policy), "waivers": waivers, "gate": gate, "source": config.source}
    parts |= _site(config)
    document: dict[str, Any] = plain({**without_secrets(config), **parts})
    return document


def _site(config: Config) -> dict[str, Any]:
    """What stands beside the databases. Of addresses only scheme and host, of programs only their name, and no text
    that is looked for: all else may hold a token.
    """
    site = config.site
    return {
        "files": [
            {**one.model_dump(mode="json", exclude={"manifests"}), "hosts": sorted(one.manifests)} for one in site.files
        ],
        "endpoints": [
            {**one.model_dump(mode="json", exclude={"url", "contains"}), "url": _host(one.url)}
            for one in site.endpoints
        ],
        "commands": [
            {**one.model_dump(mode="json", exclude={"run", "contains"}), "program": one.run[0]} for one in site.commands
        ],
        "attestations": [one.model_dump(mode="json") for one in site.attestations],
    }


def _host(url: str) -> str:
    """Scheme and host of an address; no host where a password may stand beside it.

    >>> _host("https://lb.example.org:8443/hooks/T0KEN?x=1"), _host("https://dba:a/b@lb.example.org/")
    ('https://lb.example.org:8443', 'https://***')
    """
    scheme, _, rest = url.partition("://")
    return f"{scheme}://***" if "@" in rest else f"{scheme}://{re.split('[/?#]', rest)[0]}"


def _statements(statements: Iterable[Statement], *, mask: bool) -> str:
    lines = ["-- Every statement that was sent, in order. replguard changes nothing with them."]
    for one in statements:
        text = _QUOTED.sub("'?'", one.text) if mask else one.text
        lines += [f"-- {one.at.isoformat(timespec='milliseconds')} {' '.join(one.cluster.split())}", f"{text};"]
    return "\n".join(lines) + "\n"


def _manifest(report: Report, files: dict[str, bytes], key: SigningKey | None) -> bytes:
    listed = {
        name: {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)} for name, data in sorted(files.items())
    }
    manifest = {
        "schema": SCHEMA,
        "command": report.command,
        "verdict": report.verdict.value,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "by": by_whom(),
        "version": __version__,
        "files": listed,
        "public_key": key.public_text() if key else None,
    }
    return (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
