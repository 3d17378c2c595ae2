"""Repeatable chance, and the values whose Python type depends on the engine.

:mod:`replguard.demo.configuration` and :mod:`replguard.demo.activity` draw their rows from here.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from replguard.demo.schema import Engine

    Row = tuple[Any, ...]
    Maker = Callable[["Draw"], Iterator[Row]]

TRANSFER_DAYS: Final = 3
PROTOCOLS: Final = ("ftp", "ftps", "sftp", "http", "https", "as2", "folder")


@dataclass(frozen=True, slots=True)
class Source:
    """All that the rows follow from; ``site`` is empty for rows that every cluster has in common."""

    engine: Engine
    seed: int
    size: int
    day: date
    site: str


class Draw:
    """Chance for one table, and the values whose Python type depends on the engine."""

    def __init__(self, source: Source, table: str) -> None:
        self.postgresql = source.engine == "postgresql"
        self.seed, self.size, self.site = source.seed, source.size, source.site
        self.midnight = datetime.combine(source.day, time(), UTC)
        # The engine is left out: all engines get the same accounts, sites and routes.
        seed = f"{source.seed}/{source.size}/{source.day}/{source.site}/{table}"
        self.random = random.Random(seed)  # noqa: S311 - must be repeatable

    def one(self, choices: tuple[str, ...]) -> str:
        return self.random.choice(choices)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def maybe(self, value: Any, probability: float = 0.7) -> Any:
        return value if self.chance(probability) else None

    def octets(self, least: int, most: int) -> bytes:
        return self.random.randbytes(self.random.randint(least, most))

    def past(self, *, digits: int = 6, zone: bool = True) -> datetime:
        """A moment of the last two years, with at most ``digits`` of a second's fraction."""
        unit = 10 ** (6 - digits)
        fraction = self.random.randrange(10**digits) * unit
        moment = (
            self.midnight - timedelta(seconds=self.random.randint(1, 63_000_000)) + timedelta(microseconds=fraction)
        )
        return self.moment(moment, zone=zone)

    def moment(self, moment: datetime, *, zone: bool = True) -> datetime:
        return moment if zone and self.postgresql else moment.replace(tzinfo=None)

    def json(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    def some(self, choices: tuple[str, ...]) -> Any:
        """At least one of them, in their order: an array or a SET."""
        chosen = set(self.random.sample(choices, self.random.randint(1, len(choices))))
        kept = [choice for choice in choices if choice in chosen]
        return kept if self.postgresql else ",".join(kept)

    def bits(self, width: int) -> Any:
        number = self.random.getrandbits(width)
        return f"{number:0{width}b}" if self.postgresql else number

    def uuid(self, kind: str, number: int) -> Any:
        """The same for every table that refers to it."""
        value = UUID(bytes=self._digest(f"{self.seed}/{kind}/{number}")[:16], version=4)
        return value if self.postgresql else value.bytes

    def transfer(self, number: int) -> tuple[str, datetime]:
        """Id and start of a transfer, the same for every table that refers to it."""
        start = self.midnight + timedelta(seconds=number * 977 % (TRANSFER_DAYS * 86_400), milliseconds=number % 1000)
        return self._digest(f"{self.seed}/{self.site}/{number}").hex()[:32], self.moment(start)

    @staticmethod
    def _digest(text: str) -> bytes:
        return sha256(text.encode()).digest()

    @property
    def units(self) -> int:
        return max(3, self.size // 20)

    @property
    def admins(self) -> int:
        return max(3, self.size // 25)

    @property
    def certificates(self) -> int:
        return max(2, self.size // 2)
