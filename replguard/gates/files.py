"""Are files that must be equal on several hosts equal?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from replguard.endpoint import expand
from replguard.errors import ReplguardError
from replguard.gates.base import Gate, Outcome
from replguard.model.findings import Check, Finding, Severity
from replguard.policy import fits
from replguard.site import manifest as manifests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from replguard.gates.base import Context
    from replguard.sitefile import FilesSection

LISTED = 20
_ANEW = "run `replguard manifest` on that host again, and bring its file here"


class Files(Gate):
    id = "site.files"
    title = "files that must be equal on all hosts are equal"
    purpose = (
        "A cluster whose secret key file or file storage is not that of the other cannot take over its work, however "
        "equal the databases are."
    )
    reads = "the manifests that `files` of the config names, made on each host by `replguard manifest`"
    remedy = "copy what differs from the active side, and make the manifests anew"
    limits = "A manifest tells of the moment at which it was made. Owners, rights and times of files are not compared."
    codes = ("files.differ", "files.unread", "files.stale", "files.incomplete", "files.unlike")

    def run(self, context: Context) -> Outcome:
        wanted = [one for one in context.config.site.files if context.purpose.value in one.when]
        if not wanted:
            return Outcome((Check(self.id, "the config names no files", applicable=False),))
        findings = tuple(finding for one in wanted for finding in _judged(one))
        return Outcome((Check(self.id, f"{len(wanted)} compared", findings),))


def _judged(section: FilesSection) -> Iterator[Finding]:
    found: dict[str, manifests.Manifest] = {}
    for node, place in section.manifests.items():
        try:
            found[node] = manifests.Manifest.parse(manifests.load(expand(place, f"files {section.name}")))
        except (OSError, ValueError, ReplguardError) as error:
            words = f"the manifest of {node} cannot be read: {getattr(error, 'strerror', None) or error}"
            yield _finding(section, "files.unread", Severity.unknown, words, _ANEW)
            continue
        yield from _sound(section, node, found[node])
    if len({one.key for one in found.values()}) > 1:
        words = (
            "the manifests were made with different keys, or some with none: they cannot be held against one another"
        )
        yield _finding(section, "files.unlike", Severity.unknown, words, "make all of them with the same key")
    elif nothing := [node for node, one in found.items() if not _entries(section, one)]:
        words = f"the manifest of {', '.join(nothing)} lists nothing that is to be compared"
        yield _finding(section, "files.incomplete", Severity.unknown, words, "name the right folder, or ignore less")
    elif len(found) > 1:
        yield from _differing(section, found)


def _sound(section: FilesSection, node: str, found: manifests.Manifest) -> Iterator[Finding]:
    age = datetime.now(UTC) - found.made_at
    if age > timedelta(hours=section.max_age_hours) or age < -timedelta(minutes=5):
        words = f"the manifest of {node} was made at {found.made_at:%Y-%m-%d %H:%M} UTC, which says nothing about now"
        yield _finding(section, "files.stale", Severity.unknown, words, _ANEW)
    for problem in found.problems[:LISTED]:
        words = f"the manifest of {node} is not whole: {problem}"
        yield _finding(section, "files.incomplete", Severity.unknown, words, "let replguard read it, and make it anew")
    if section.keyed and not found.key:
        words = f"the manifest of {node} was made without a key, and lets a secret be guessed"
        remedy = "remove it, and make it anew with --key-env NAME"
        yield _finding(section, "files.unlike", Severity.unknown, words, remedy)


def _differing(section: FilesSection, found: Mapping[str, manifests.Manifest]) -> Iterator[Finding]:
    """Each other manifest against the first."""
    (base, first), *others = found.items()
    mine = _entries(section, first)
    for node, other in others:
        theirs = _entries(section, other)
        paths = sorted(path for path in mine.keys() | theirs.keys() if mine.get(path) != theirs.get(path))
        for path in paths[:LISTED]:
            what = (
                f"is only on {base}" if path not in theirs else f"is only on {node}" if path not in mine else "differs"
            )
            words = f"{path or first.root} {what}" + (f" between {base} and {node}" if what == "differs" else "")
            yield _finding(section, "files.differ", Severity.fail, words, "copy it from the active side", path=path)
        if (more := len(paths) - LISTED) > 0:
            words = f"{more} more files differ between {base} and {node}"
            yield _finding(section, "files.differ", Severity.fail, words, "copy them from the active side")


def _entries(section: FilesSection, found: manifests.Manifest) -> dict[str, tuple[Any, ...]]:
    return {
        one.path: (one.kind, one.size, one.hash)
        for one in found.entries
        if not any(fits(glob, one.path.casefold()) for glob in section.ignore)
    }


def _finding(
    section: FilesSection, code: str, severity: Severity, words: str, remedy: str, path: str | None = None
) -> Finding:
    evidence = {"name": section.name, **({"path": path} if path is not None else {})}
    return Finding(code, severity, f"{section.name}: {words}", remedy=remedy, evidence=evidence)
