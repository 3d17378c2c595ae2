from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.conformance.application import Application

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.workspace import Workspace


@pytest.fixture
def app(db: Workspace, tmp_path: Path) -> Application:
    """The small application, created and replicating."""
    application = Application(db, tmp_path)
    application.create()
    return application


@pytest.fixture
def thorough() -> bool:
    """Whether the campaign runs whole (``make test-long``) or as a seeded sample."""
    return bool(os.environ.get("REPLGUARD_LONG"))
