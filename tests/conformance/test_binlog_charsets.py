"""The numbers of collations, as the real servers count them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from replguard.engines.binlog.charsets import charset_of

if TYPE_CHECKING:
    from tests.servers.workspace import Workspace

pytestmark = pytest.mark.engines("mariadb", "mysql")


def test_every_collation_is_known(db: Workspace) -> None:
    rows = db.query("blue", "SELECT id, character_set_name FROM information_schema.collations WHERE id IS NOT NULL")
    assert len(rows) > 100
    alike = {"utf8": "utf8mb3"}
    wrong = {number: name for number, name in rows if alike.get(str(charset_of(number)), charset_of(number)) != name}
    assert wrong == {}
