"""What ``sql/<engine>/grants.sql`` says, as data: statements to run, and single privileges to take away again.

The file is written for people, who put their database's name in; so is this. ``-- GRANT`` lines are those that are not
needed for a verdict, lines that begin with ``--`` and three blanks show how a user is made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("read", "stream", "control")
_GRANT = re.compile(
    r"GRANT (?P<what>.+?)(?: ON (?P<scope>.+?))? TO replguard_(?P<role>\w+)(?P<more> WITH .+)?", re.DOTALL
)


@dataclass(frozen=True)
class Privilege:
    """One privilege of one role; ``text`` names it in a test's data, as ``SELECT ON `st`.*``."""

    role: str
    what: str
    scope: str
    more: str = ""

    @property
    def text(self) -> str:
        return f"{self.what} ON {self.scope}" if self.scope else self.what

    @property
    def grant(self) -> str:
        return f"GRANT {self.text} TO replguard_{self.role}{self.more}"

    @property
    def revoke(self) -> str:
        return f"REVOKE {self.text} FROM replguard_{self.role}"


class Grants:
    """One engine's file, with each word of ``names`` replaced; before PostgreSQL 16 memberships have no options."""

    def __init__(self, engine: str, names: dict[str, str], major: int = 99) -> None:
        text = (ROOT / "sql" / engine / "grants.sql").read_text(encoding="utf-8")
        if engine == "postgresql" and major < 16:
            text = text.replace(" WITH INHERIT TRUE, SET FALSE", "")
        for word, name in names.items():
            text = text.replace(word, name)
        lines = text.splitlines()
        self.statements = _statements(line for line in lines if not line.startswith("--"))
        self.optional = _statements(line[3:] for line in lines if re.match(r"-- (GRANT|ALTER) .*;$", line))
        self.user = _statements(line[5:] for line in lines if line.startswith("--   "))

    @property
    def privileges(self) -> tuple[Privilege, ...]:
        """Each privilege that a role has of its own: not that it has those of the role before."""
        found = [match for text in self.statements if (match := _GRANT.fullmatch(text))]
        return tuple(
            Privilege(match["role"], match["what"], match["scope"] or "", match["more"] or "")
            for match in found
            if not match["what"].startswith("replguard_")
        )


def _statements(lines: Iterable[str]) -> tuple[str, ...]:
    text = "\n".join(lines)
    return tuple(part.strip() for part in text.split(";") if part.strip())
