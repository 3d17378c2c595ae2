"""Table names that hurt, in every engine: compared as config, kept apart as must_not_sync, written by ``init``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from replguard.config import load
from tests.cli.runs import url

if TYPE_CHECKING:
    from tests.cli.runs import Shell
    from tests.servers.workspace import Workspace

pytestmark = pytest.mark.engines("mariadb", "mysql", "postgresql-18")
NAMES = (
    'Order"; DROP--',
    "tick`s ``",
    "100%s %(x)s {{x}}",
    "new\nline: - x # y",
    "it's \\ '' \\'",
    "Ünïcode ☃ 表",
    "we[ird]",
)


def quoted(db: Workspace, name: str) -> str:
    mark = '"' if db.engine == "postgresql" else "`"
    return mark + name.replace(mark, mark * 2) + mark


@pytest.fixture
def hostile(shell: Shell, db: Workspace) -> Shell:
    """Each name as a table with a column of the same name, and one row that differs."""
    for name in NAMES:
        table = quoted(db, name)
        db.both(f"CREATE TABLE {table} (id int PRIMARY KEY, {table} varchar(20))")
    db.link()
    for name in NAMES:
        db.run("blue", f"INSERT INTO {quoted(db, name)} VALUES (1, 'same'), (2, 'here')")
    db.wait_caught_up()
    for name in NAMES:
        db.run_local("green", f"UPDATE {quoted(db, name)} SET {quoted(db, name)} = 'there' WHERE id = 2")
    return shell


def test_drift_is_found_leaks_are_audited_and_init_writes_them_all(hostile: Shell, db: Workspace) -> None:
    hostile.write_config(url(db, "blue"), url(db, "green"), {"config": list(NAMES)})
    run = hostile.json("diff")
    assert run.code == 1, run
    found = {finding["table"]: finding["evidence"]["columns"] for finding in run.found("row.differs")}
    assert found == {name: {name: ["here", "there"]} for name in NAMES}
    text = hostile.run("diff")
    assert text.code == 1
    assert "we[ird]" in text.stdout
    single = hostile.json("diff", "--tables", "we[ird]")
    assert [finding["table"] for finding in single.found("row.differs")] == ["we[ird]"]

    hostile.write_config(url(db, "blue"), url(db, "green"), {"must_not_sync": list(NAMES)})
    audit = hostile.json("filter", "audit")
    assert audit.code == 1, audit
    assert {finding["table"] for finding in audit.found("leak.configured", "fail")} == set(NAMES)
    assert hostile.run("filter", "audit").code == 1

    hostile.config.unlink()
    clusters = [f"--cluster={side}={url(db, side)}" for side in ("blue", "green")]
    wrote = hostile.json("init", *clusters, "--must-not-sync", NAMES[0])
    assert wrote.code == 0, wrote
    written = load_written(hostile)
    assert written["policy"]["must_not_sync"] == [NAMES[0]]
    assert set(written) == {"clusters", "policy"}


def load_written(shell: Shell) -> dict[str, Any]:
    """The file that init wrote: plain YAML, and a config that replguard loads."""
    content: dict[str, Any] = yaml.safe_load(shell.config.read_text(encoding="utf-8"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in shell.secrets.items():
            patch.setenv(name, value)
        load(shell.config)
    return content
