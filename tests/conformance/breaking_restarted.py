"""Ways to break a server that only a restart has: options that cannot be set while it runs, its clock, its zone."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from replguard.demo.servers.server import LocalServer
from replguard.model.findings import Verdict
from tests.conformance.breaking import Case
from tests.servers.install import faketime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.conformance.application import Application

BINLOG = ("mariadb", "mysql")
_UNLOGGED = {"mariadb": "--log-slave-updates=OFF", "mysql": "--log-replica-updates=OFF"}


def restarted(
    *options: str, environment: Callable[[], dict[str, str]] = dict
) -> Callable[[Application], AbstractContextManager[None]]:
    """The passive server with other options or another environment, and afterwards as it was.

    ``{db}`` stands for the test's database, ``{unlogged}`` for the option not to log what was applied.
    """

    @contextmanager
    def broken(app: Application) -> Iterator[None]:
        wanted = tuple(option.format(db=app.db.name, unlogged=_UNLOGGED.get(app.db.engine)) for option in options)
        _restart(app, wanted, environment())
        yield
        _restart(app, (), {})

    return broken


def _restart(app: Application, options: tuple[str, ...], environment: dict[str, str]) -> None:
    green = app.db.pair.green
    assert isinstance(green, LocalServer)
    own = green.options
    # Filters that were set at run time are gone with a restart.
    filters = [f"--replicate-ignore-table={app.db.name}.{table}" for table in ("event", "auditlog")]
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environment.items():
            patched.setenv(name, value)
        patched.setattr(green, "options", (*own, *options, *(filters if app.family == "mysql" else ())))
        green.restart()
    # Something to apply, for else a link has applied everything before it is connected.
    app.db.run("blue", "INSERT INTO event VALUES (900, 'on its way')", "DELETE FROM event WHERE id = 900")
    app.db.wait_caught_up()


def _ahead() -> dict[str, str]:
    library = faketime()
    assert library is not None, "libfaketime is missing: python -m tests.servers install"
    return {"LD_PRELOAD": str(library), "FAKETIME": "+60s", "FAKETIME_DISABLE_SHM": "1"}


_CLOCK = Case(
    "clusters.clocks",
    "another clock",
    frozenset({"clock.skew"}),
    restarted(environment=_ahead),
    verdict=Verdict.passed,
)
CASES = (
    # Only root can install what it needs: without that it is left out, but never where CI is set.
    *((_CLOCK,) if faketime() or os.environ.get("CI") else ()),
    # Both zones are called UTC.
    Case(
        "clusters.settings",
        "another zone of the machine",
        frozenset({"settings.differ"}),
        restarted(environment=lambda: {"TZ": "UTC-8"}),
        engines=BINLOG,
    ),
    Case(
        "capacity.way_back",
        "the passive side writes no log",
        frozenset({"back.impossible"}),
        restarted("--skip-log-bin"),
        engines=BINLOG,
    ),
    Case(
        "capacity.way_back",
        "the passive side does not log what it applies",
        frozenset({"back.fragile"}),
        restarted("{unlogged}"),
        engines=BINLOG,
        verdict=Verdict.passed,
    ),
    Case(
        "capacity.way_back",
        "the passive side's log leaves the database out",
        frozenset({"back.filters"}),
        restarted("--binlog-ignore-db={db}"),
        engines=BINLOG,
    ),
    Case(
        "capacity.way_back",
        "the passive side's log leaves another database out",
        frozenset({"back.filters"}),
        restarted("--binlog-ignore-db=other"),
        engines=BINLOG,
        verdict=Verdict.passed,
    ),
    Case(
        "capacity.way_back",
        "nothing can subscribe to the passive side",
        frozenset({"back.impossible"}),
        restarted("wal_level=replica"),
        engines=("postgresql",),
    ),
    Case(
        "clusters.settings",
        "fewer senders",
        frozenset({"settings.differ"}),
        restarted("max_wal_senders=7"),
        engines=("postgresql",),
        verdict=Verdict.passed,
    ),
)
