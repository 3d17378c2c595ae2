"""Databases on a pair of each engine, and a folder with the config that names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.runs import Shell, make_healthy, shell_for
from tests.servers import plugin
from tests.servers.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.workspace import Workspace


@pytest.fixture
def shell(db: Workspace, tmp_path: Path) -> Shell:
    """Commands against ``db``, which is empty."""
    return shell_for(db, tmp_path)


@pytest.fixture(scope="module")
def healthy_db(pairs: plugin.Pairs, request: pytest.FixtureRequest) -> Iterator[Workspace]:
    """A database whose account is replicated and whose event is kept apart; for a module's tests, which leave it so."""
    with plugin._or_skip(request.config, pairs.choice):
        pair = pairs.get("one-way")
    with workspace(pair) as db:
        make_healthy(db)
        yield db


@pytest.fixture
def healthy(healthy_db: Workspace, tmp_path: Path) -> Shell:
    """Commands against ``healthy_db``."""
    return shell_for(healthy_db, tmp_path)
