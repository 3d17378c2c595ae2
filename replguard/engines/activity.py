"""What the gate asks of an engine about what goes on: transactions, locks, backups, and who writes on a passive side.

Texts of statements are never handed out, since they hold values: only their first words are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from replguard.model.tables import TableName

_COMMENTS = re.compile(r"(?:\s|/\*(?![!M]).*?(?:\*/|$)|--[ \t].*?(?:\n|$)|#.*?(?:\n|$))*", re.DOTALL)
_DDL = re.compile(
    r"(?:ALTER|CREATE(?!\s+(?:LOCAL\s+|GLOBAL\s+)?(?:OR\s+REPLACE\s+)?TEMP)|DROP(?!\s+(?:TEMPORARY|PREPARE))|RENAME|TRUNCATE|OPTIMIZE|REPAIR"
    r"|REINDEX|CLUSTER|VACUUM\s*\(?\s*FULL|REFRESH\s+MATERIALIZED)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Session:
    """One session of a server, or a worker of replication (``replicates``), that is in a transaction or in the way.

    ``seconds`` is how long its transaction is open, None where it has none. ``writes`` says whether that has written or
    locked rows. ``tables`` are those that it writes to, None where the server does not tell. ``ddl`` is the first words
    of the DDL that it runs, ``waits`` what it waits for, ``locks`` what it holds that keeps others out, ``backup`` what
    shows that it takes a backup, each in words. ``privileged`` says whether its account writes in spite of a read-only
    setting, None where that may not be seen.
    """

    number: str
    account: str
    seconds: float | None = None
    writes: bool = False
    tables: tuple[TableName, ...] | None = None
    ddl: str | None = None
    waits: str | None = None
    locks: tuple[str, ...] = ()
    backup: str | None = None
    replicates: bool = False
    privileged: bool | None = None
    end: str = ""
    """The statement that ends it."""

    @property
    def label(self) -> str:
        kind = "the applier" if self.replicates else "session"
        return f"{kind} {self.number}" + (f" of {self.account}" if self.account and not self.replicates else "")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A prepared transaction (XA, two-phase); ``end`` is the statement that rolls it back."""

    name: str
    seconds: float | None
    end: str


@dataclass(frozen=True, slots=True)
class Unseen:
    """What could not be seen. Not ``needed`` is what a server of this kind does not show to anybody as it is set."""

    what: str
    remedy: str
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Activity:
    """One look at a server. replguard's own sessions are not in it."""

    sessions: tuple[Session, ...] = ()
    backups: tuple[str, ...] = ()
    """Backups that belong to no session, in words."""
    unseen: tuple[Unseen, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """Whether a server refuses writes. ``setting`` is what says so, ``set_by`` the statements that make it read-only.

    ``keep`` says what makes that last over a restart, ``bypass`` in words who may write all the same; either is empty
    where there is nothing to say.
    """

    on: bool
    setting: str
    set_by: str
    keep: str = ""
    bypass: str = ""
    exempt: tuple[str, ...] = ()
    """Sessions that are connected now and may write all the same."""
    unseen: tuple[Unseen, ...] = ()


@runtime_checkable
class TellsActivity(Protocol):
    """Servers that tell what goes on on them."""

    def activity(self) -> Activity: ...

    def prepared(self) -> tuple[Prepared, ...]:
        """All prepared transactions. PrivilegeError where they may not be seen."""
        ...

    def read_only(self) -> ReadOnly: ...


def ddl(statement: str | None) -> str | None:
    """The first words of a statement that changes tables, None for any other.

    >>> ddl("/* app */ alter table st.account add column x int"), ddl("CREATE TEMPORARY TABLE t (a int)")
    ('ALTER TABLE', None)
    """
    if not statement:
        return None
    text = statement[_COMMENTS.match(statement).end() :]  # type: ignore[union-attr] # it matches the empty text too
    if not _DDL.match(text):
        return None
    return " ".join(text.split(None, 3)[:2]).upper()
