"""The nightly report on a real pair: what is new, persists and is resolved, in a history of SQLite and of a server."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from tests.cli.runs import make_healthy

if TYPE_CHECKING:
    from typing import Any

    from tests.cli.runs import Run, Shell
    from tests.servers.workspace import Workspace

pytestmark = pytest.mark.engines("mariadb", "postgresql-18")
REPORT = ("report", "--window", "0s", "--settle", "2s")


def states(run: Run, code: str = "row.differs") -> list[tuple[Any, str, int]]:
    return [
        (item["key"], item["evidence"]["history"]["state"], item["evidence"]["history"]["since_run"])
        for item in run.found(code)
    ]


def test_drift_is_new_persists_and_is_resolved(shell: Shell, db: Workspace) -> None:
    make_healthy(db)
    first = shell.json(*REPORT)
    assert first.code == 0, first
    assert first.document["data"]["history"]["previous"] is None
    name = db.query("blue", "SELECT name FROM account WHERE id = 2")[0][0]
    db.run_local("green", "UPDATE account SET name = 'drift' WHERE id = 2")
    second = shell.json(*REPORT, "--mail", "night.txt", "--markdown", "night.md")
    third = shell.json(*REPORT, "--html", "night.html")
    assert (second.code, third.code) == (1, 1), (second, third)
    assert states(second) == [({"id": 2}, "new", 2)]
    assert states(third) == [({"id": 2}, "persisting", 2)]
    page = (shell.folder / "night.html").read_text(encoding="utf-8")
    assert "3 runs, 1 of them passed" in page
    assert "run 3, since run 2" in page

    mail = (shell.folder / "night.txt").read_text(encoding="utf-8")
    assert mail.startswith("Subject: replguard FAIL on blue and green: ")
    assert "row.differs" in mail
    assert "row" in (shell.folder / "night.md").read_text(encoding="utf-8")

    # A run that could not look says nothing about it.
    db.run_local("green", "ALTER TABLE account RENAME TO hidden")
    blind = shell.json(*REPORT)
    db.run_local("green", "ALTER TABLE hidden RENAME TO account")
    assert blind.code != 0
    (unseen,) = blind.document["data"]["history"]["unseen"]
    assert (unseen["finding"]["code"], unseen["since_run"]) == ("row.differs", 2)
    again = shell.json(*REPORT)
    assert states(again) == [({"id": 2}, "persisting", 2)]

    db.run_local("green", f"UPDATE account SET name = '{name}' WHERE id = 2")
    mended = shell.run(*REPORT)
    assert mended.code == 0, mended
    last = mended.stdout.splitlines()[-1]
    assert last.startswith("run 6, since run 5:")
    assert "resolved" in last

    _the_history_tells_of_it(shell)


def _the_history_tells_of_it(shell: Shell) -> None:
    shell.config.rename(shell.folder / "away.yaml")
    url = f"sqlite:///{shell.state}/history.sqlite"
    listed = shell.json("history", "list", "--history", url).document["data"]["runs"]
    assert [(one["id"], one["verdict"]) for one in listed][::-1][:3] == [(1, "pass"), (2, "fail"), (3, "fail")]
    shown = shell.json("history", "show", "2", "--history", url).document["data"]
    assert shown["report"]["command"] == "report"
    assert [one["state"] for one in shown["findings"] if one["code"] == "row.differs"] == ["new"]
    text = shell.run("history", "compare", "2", "6", "--history", url)
    assert "resolved   fail    row.differs" in text.stdout
    assert shell.run("history", "show", "99", "--history", url).code == 2
    assert shell.json("history", "prune", "--keep", "2", "--history", url).document["data"] == {"removed": 4}
    assert len(shell.json("history", "list", "--history", url).document["data"]["runs"]) == 2
    (shell.folder / "away.yaml").rename(shell.config)


def test_a_server_keeps_the_history_too(shell: Shell, db: Workspace) -> None:
    make_healthy(db)
    admin = db.pair.blue.admin
    database = f"{db.name}_history"
    db.run("blue", f"CREATE DATABASE {database}")
    shell.variables["HISTORY_PASSWORD"] = admin.password
    url = f"{db.engine}://{admin.user}:${{HISTORY_PASSWORD}}@{admin.host}:{admin.port}/{database}"
    try:
        runs = [shell.json(*REPORT, "--history", url) for _ in range(2)]
        assert [run.code for run in runs] == [0, 0], runs
        assert runs[1].document["data"]["history"]["previous"] == runs[0].document["data"]["history"]["run"]
        assert admin.password not in json.dumps(runs[1].document)
        assert len(shell.json("history", "list", "--history", url).document["data"]["runs"]) == 2
    finally:
        db.run("blue", f"DROP DATABASE {database}")


def test_people_are_told_of_changes_alone_unless_asked_otherwise(healthy: Shell) -> None:
    told: list[dict[str, Any]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        healthy.variables["WHERE"] = f"json://127.0.0.1:{server.server_port}/secret-token"
        runs = [healthy.json(*REPORT, "--notify", "${WHERE}") for _ in range(2)]
        runs.append(healthy.json(*REPORT, "--notify", "${WHERE}", "--notify-when", "always"))
        server.shutdown()
    assert [run.code for run in runs] == [0, 0, 0], runs
    assert len(told) == 2, "the first run is a change, the second is none, the third was asked for"
    assert told[0]["title"].startswith("replguard PASS on blue and green")
    unsent = healthy.json(*REPORT, "--notify", "${WHERE}", "--notify-when", "always")
    assert unsent.code == 0, unsent
    assert unsent.found("notify.failed", "warn")
    for run in (*runs, unsent):
        assert "secret-token" not in run.stdout + run.stderr
    assert len(healthy.json("history", "list").document["data"]["runs"]) == 4


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--notify", "nothing://known"], "none that apprise knows"),
        (["--history", "no url"], "no URL of a database"),
        (["--history", "oracle://dba@h/d"], "no driver"),
        (["--history", "sqlite:////proc/no/where.sqlite"], "cannot be made"),
        (["--history", "mysql://dba:geheim@h/d"], "stands on the command line"),
        (["--history", "mysql://dba:${UNSET_PASSWORD}@h/d"], "no variable UNSET_PASSWORD"),
        (["--html", "no/where.html"], "cannot be written"),
    ],
)
def test_what_cannot_be_kept_is_exit_2_before_a_server_is_asked(healthy: Shell, options: list[str], words: str) -> None:
    run = healthy.run(*REPORT, "--show-sql", *options)
    assert run.code == 2, run
    assert words in run.error
    assert "SELECT" not in run.error
    assert "geheim" not in run.error
