from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.adversarial.recording import forget, record
from tests.conformance.application import Application
from tests.servers.plugin import _or_skip

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adversarial.recording import Corpus
    from tests.servers.plugin import Pairs
    from tests.servers.workspace import Workspace


@pytest.fixture
def app(db: Workspace, tmp_path: Path) -> Application:
    """The small application, created and replicating."""
    application = Application(db, tmp_path)
    application.create()
    return application


@pytest.fixture(scope="session")
def corpus(pairs: Pairs, request: pytest.FixtureRequest) -> Corpus:
    """Binlog files of every scene, written by a real server in this run."""
    with _or_skip(request.config, pairs.choice):
        pair = pairs.get("none")
        recorded = record(pair.blue)
        for server in (pair.blue, pair.green):
            forget(server)
        return recorded
