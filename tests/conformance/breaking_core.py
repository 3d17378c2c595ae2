"""Ways to break what the oldest checks look at."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from replguard.gates.base import Purpose
from tests.conformance.breaking import Case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conformance.application import Application


@contextmanager
def _let_cross(app: Application) -> Iterator[None]:
    app.let_cross()
    try:
        yield
    finally:
        if app.family == "postgresql":
            app.db.run("blue", "ALTER PUBLICATION from_blue DROP TABLE public.event")
            app.refresh()
        else:
            app.keep_apart("event", "auditlog")


@contextmanager
def _row_differs(app: Application) -> Iterator[None]:
    app.db.run_local("green", "UPDATE account SET email = 'drift' WHERE id = 7")
    yield
    app.db.run_local("green", "UPDATE account SET email = 'n7@example.com' WHERE id = 7")


@contextmanager
def _running(app: Application) -> Iterator[None]:
    app.start_applying()
    yield
    app.stop_applying()


CASES = (
    Case("filter.audit", "a forbidden table may cross", frozenset({"leak.configured"}), _let_cross),
    Case("diff.data", "a row differs", frozenset({"row.differs"}), _row_differs),
    Case("links.state", "a link runs", frozenset({"link.running"}), _running, purpose=Purpose.cutover),
)
