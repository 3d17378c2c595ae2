"""``--evidence``: what is kept of a run, recorded from its beginning and written at its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from replguard.errors import UsageError

if TYPE_CHECKING:
    from replguard.cli.session import Session
    from replguard.model.findings import Report
    from replguard.report.evidence import Statement
    from replguard.report.signing import SigningKey


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the options say."""

    folder: Path | None
    key: Path | None = None
    mask: bool = False

    def begin(self, session: Session) -> Record | None:
        """Begin to record, before any server is asked. UsageError for a folder or key that will not do."""
        if self.folder is None:
            if self.key:
                raise UsageError("--sign-key signs evidence, and none is asked for", remedy="give --evidence DIR")
            return None
        from replguard.report.evidence import check_free  # noqa: PLC0415 - only who keeps evidence pays for it
        from replguard.report.signing import SigningKey  # noqa: PLC0415

        check_free(self.folder)
        record = Record(self.folder, SigningKey.read(self.key) if self.key else None, mask=self.mask)
        session.recorder = record.note
        return record


@dataclass(slots=True)
class Record:
    """The statements of a run, and where its evidence goes."""

    folder: Path
    key: SigningKey | None
    mask: bool
    statements: list[Statement] = field(default_factory=list)

    def note(self, cluster: str, text: str) -> None:
        from replguard.report.evidence import Statement  # noqa: PLC0415 - as above

        self.statements.append(Statement(datetime.now(UTC), cluster, text))

    def write(self, session: Session, report: Report) -> Report:
        """Write the folder, with the certificate where a gate for a cutover may have one."""
        from replguard.report.evidence import Evidence, write  # noqa: PLC0415 - as above

        with TemporaryDirectory() as place:
            certificate = Path(place) / "certificate.json"
            if report.data.get("for") == "cutover" and not report.data.get("abandoned"):
                report = session.clusters.certify(report, certificate)
            kept = Evidence(report, session.config, tuple(self.statements), certificate, mask=self.mask)
            write(self.folder, kept, self.key)
        session.say(f"evidence: {self.folder}")
        return report
