"""What ``diff`` does beside comparing: files that it writes, and a test of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from replguard.control.certificate import Request as CertificateRequest
    from replguard.diff.repair import Request


@dataclass(frozen=True, slots=True)
class Outputs:
    """What was asked for; ``repair_sql`` is a file of statements that change the cluster called ``repair``."""

    repair_sql: Path | None = None
    repair: str | None = None
    certificate: Path | None = None
    self_test: bool = False

    @property
    def certificates(self) -> CertificateRequest | None:
        """The request for a certificate, where there is one."""
        if self.certificate is None:
            return None
        from replguard.control.certificate import Request  # noqa: PLC0415 - only who asked for one pays for it

        return Request(self.certificate)

    def check(self) -> None:
        """UsageError for what cannot be written, before any server is asked."""
        if self.repair and not self.repair_sql:
            raise UsageError("--repair goes with --repair-sql", remedy="name the file: --repair-sql FILE")
        if self.repairs:
            self.repairs.check()
        if self.certificates:
            self.certificates.check()

    @property
    def repairs(self) -> Request | None:
        """The request for statements, where there is one."""
        if self.repair_sql is None:
            return None
        from replguard.diff.repair import Request  # noqa: PLC0415 - likewise

        return Request(self.repair_sql, self.repair)
