"""Is a folder of evidence as it was written? Needs no server and no config."""

from __future__ import annotations

import binascii
import hashlib
import json
from typing import TYPE_CHECKING, Any

from replguard.errors import UsageError
from replguard.model.certificate import is_whole
from replguard.model.findings import Check, Finding, Severity
from replguard.report.evidence import MANIFEST, SCHEMA, SIGNATURE
from replguard.report.signing import fingerprint, holds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHECK = "evidence.files"
SIGNED = "evidence.signature"
_ANEW = "ask who made it for the folder as it was, or run the gate again"


def verify(folder: Path, public: str | None = None) -> tuple[Check, ...]:
    """Every file against the manifest, and the manifest against its signature; ``public`` is the text of the key that
    must have signed it. UsageError for what is no folder of evidence.
    """
    data, manifest = _manifest(folder)
    files = tuple(_files(folder, manifest))
    count = len(manifest["files"])
    words = f"{count} files, {len(files) or 'none'} touched; made at {manifest['made_at']} by {manifest['by']}"
    return Check(CHECK, words, files), _signature(folder, data, manifest, public)


def _manifest(folder: Path) -> tuple[bytes, dict[str, Any]]:
    try:
        data = (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise UsageError(
            f"{folder} is no folder of evidence: {MANIFEST} cannot be read ({error.strerror})",
            remedy="name a folder that `replguard gate --evidence DIR` has written",
        ) from None
    manifest = _document(data)
    if manifest.get("schema") != SCHEMA or not {"made_at", "by"} <= manifest.keys() or not _listed(manifest):
        raise UsageError(f"{folder / MANIFEST} is no manifest of this version", remedy=_ANEW)
    return data, manifest


def _document(data: bytes) -> dict[str, Any]:
    """The content of a JSON file; empty for what is none."""
    try:
        found = json.loads(data)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _listed(manifest: dict[str, Any]) -> bool:
    files = manifest.get("files")
    return isinstance(files, dict) and all(isinstance(entry, dict) for entry in files.values())


def _files(folder: Path, manifest: dict[str, Any]) -> Iterator[Finding]:
    named = set(manifest["files"])
    there = {path.name for path in folder.iterdir()} - {MANIFEST, SIGNATURE}
    for name in sorted(there - named):
        yield _touched(name, "was added")
    for name in sorted(named):
        path, wanted = folder / name, manifest["files"][name]
        if name not in there or path.is_symlink() or not path.is_file():
            yield _touched(name, "is gone")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != wanted.get("sha256"):
            yield _touched(name, "was changed")
        elif name == "certificate.json" and not is_whole(_document(path.read_bytes())):
            yield _touched(name, "does not agree with its own hash")


def _touched(name: str, what: str) -> Finding:
    return Finding("evidence.touched", Severity.fail, f"{name} {what}", remedy=_ANEW, evidence={"file": name})


def _signature(folder: Path, data: bytes, manifest: dict[str, Any], public: str | None) -> Check:
    path, stated = folder / SIGNATURE, manifest.get("public_key")
    if not path.is_file() or not stated:
        severity = Severity.fail if public or stated else Severity.warn
        words = "it is not signed: who changes a file can change the manifest with it"
        remedy = "make evidence with --sign-key FILE" if severity is Severity.warn else _ANEW
        return Check(SIGNED, "not signed", (Finding("evidence.unsigned", severity, words, remedy=remedy),))
    try:
        name = fingerprint(stated)
    except (binascii.Error, ValueError, TypeError):
        name = "what is no key"
    if not holds(str(public or stated), path.read_bytes(), data):
        words = f"{MANIFEST} was changed after it was signed, or signed by another key than that asked for ({name})"
        finding = Finding("evidence.bad_signature", Severity.fail, words, remedy=_ANEW)
        return Check(SIGNED, "does not hold", (finding,))
    if public:
        return Check(SIGNED, f"signed by {name}, as asked for")
    words = f"signed by {name}; whose key that is was not asked"
    remedy = "give --key FILE with the public key that you trust"
    return Check(SIGNED, words, (Finding("evidence.unknown_key", Severity.warn, words, remedy=remedy),))
