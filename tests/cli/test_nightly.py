"""The nightly report on a real pair: what is new, persists and is resolved, in a history of SQLite and of a server."""

from __future__ import annotations

import email
import email.policy
import json
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from aiosmtpd.controller import Controller

from replguard.demo.servers.server import free_port
from replguard.history.store import History
from tests.cli.runs import keep_apart, make_healthy
from tests.cli.runs import url as url_of
from tests.unit.test_history import document, row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage
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
    second, third = shell.json(*REPORT), shell.json(*REPORT, "--html", "night.html")
    assert (second.code, third.code) == (1, 1), (second, third)
    assert states(second) == [({"id": 2}, "new", 2)]
    assert states(third) == [({"id": 2}, "persisting", 2)]
    page = (shell.folder / "night.html").read_text(encoding="utf-8")
    assert "3 runs, 1 of them passed" in page
    assert "run 3, since run 2" in page

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
        db.run("blue", f"DROP DATABASE {database}", f"CREATE DATABASE {database}")
        _many_begin_it_at_once(url.replace("${HISTORY_PASSWORD}", quote(admin.password, safe="")))
    finally:
        db.run("blue", f"DROP DATABASE {database}")


def _many_begin_it_at_once(url: str) -> None:
    """None has tables yet: each finds or makes them, and is held against the run before it."""

    def one(day: int) -> tuple[int, int | None]:
        with History(url) as history:
            stored = history.add(document(row(day), at=day))
        return stored.id, stored.previous

    assert History(url).name, "SQLAlchemy does not load a dialect from many threads at once"
    with ThreadPoolExecutor(4) as pool:
        stored = sorted(pool.map(one, range(1, 9)))
    assert [previous for _, previous in stored] == [None, *(number for number, _ in stored[:-1])]


class Post:
    """A mail server that keeps what it gets."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(  # noqa: N802 - the name of the hook
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 kept"


@pytest.fixture
def post() -> Iterator[tuple[Post, str]]:
    """A mail server, and the URL by which apprise sends to it."""
    kept = Post()
    port = free_port()
    controller = Controller(kept, hostname="127.0.0.1", port=port)
    controller.start()
    yield kept, f"mailto://127.0.0.1:{port}/?from=replguard@example.org&to=dba@example.org&mode=insecure"
    controller.stop()


@pytest.mark.engines("postgresql-18")
def test_people_are_told_only_of_changes(shell: Shell, db: Workspace, post: tuple[Post, str]) -> None:
    kept, url = post
    db.both("CREATE TABLE account (id int PRIMARY KEY, name varchar(40), by_whom varchar(20))")
    keep_apart(db, "event")
    db.link(["account"])
    db.run("blue", "INSERT INTO account VALUES (1, 'one', 'ann'), (2, 'two', 'ann')")
    db.wait_caught_up()
    policy = {"must_not_sync": ["event"], "changed_by": {"account": ["by_whom"]}}
    shell.write_config(url_of(db, "blue"), url_of(db, "green"), policy, notify=["${POST_URL}"])
    shell.variables["POST_URL"] = url
    told = [shell.run(*REPORT).code]
    db.run_local("green", "UPDATE account SET name = '<b>@all*', by_whom = 'bob' WHERE id = 2")
    told += [shell.run(*REPORT).code, shell.run(*REPORT).code, shell.run(*REPORT, "--notify-when", "never").code]
    masked = shell.run(*REPORT, "--mask", "--mail", "-", "--markdown", "chat.md")
    assert masked.stdout.startswith("Subject: replguard FAIL on blue and green: ")
    assert "@all" not in masked.stdout
    assert "bob" not in masked.stdout
    db.run_local("green", "UPDATE account SET name = 'two', by_whom = 'ann' WHERE id = 2")
    told += [shell.run(*REPORT).code]
    assert told == [0, 1, 1, 1, 0]
    subjects = [str(mail["subject"]) for mail in kept.mails]
    assert [subject.split()[1] for subject in subjects] == ["PASS", "FAIL", "FAIL", "PASS"], subjects
    assert " resolved" in subjects[-1]
    text = str(kept.mails[1].get_content())
    assert "differs in name, by_whom" in " ".join(text.split()), text
    assert "on green, by its columns: by_whom = bob" in text
    db.run("green", "UPDATE account SET name = 'logged' WHERE id = 1")
    assert shell.run(*REPORT).code == 1
    told_by = "changed" if db.engine == "postgresql" else "update of name"
    assert f"on green: {told_by} by transaction" in str(kept.mails[-1].get_content())
    assert "masked" in (shell.folder / "chat.md").read_text(encoding="utf-8")


@pytest.mark.engines("mariadb")
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


@pytest.mark.engines("mariadb")
def test_a_night_without_a_server_or_history_is_told_all_the_same(healthy: Shell, post: tuple[Post, str]) -> None:
    kept, url = post
    assert healthy.run(*REPORT).code == 0
    healthy.variables["REPLGUARD_NOTIFY"] = f"{url} json://user:s3cretpw@127.0.0.1:9/"
    right = healthy.secrets.pop("BLUE_PASSWORD")
    healthy.variables["BLUE_PASSWORD"] = "wrong"
    lost = healthy.json(*REPORT)
    healthy.secrets["BLUE_PASSWORD"] = healthy.variables["BLUE_PASSWORD"] = right
    assert lost.code == 3, lost
    history = lost.document["data"]["history"]
    assert (history["run"], history["previous"], history["previous_verdict"]) == (2, 1, "pass")
    assert history["resolved"] == []
    (failed,) = lost.found("notify.failed")
    assert "number 2 (json)" in failed["message"]
    assert "s3cretpw" not in lost.stdout + lost.stderr
    assert "INCONCLUSIVE" in str(kept.mails[0]["subject"])

    unkept = healthy.json(*REPORT, "--history", "postgresql://nobody@127.0.0.1:9/none", "--html", "night.html")
    assert unkept.code == 3, unkept
    assert unkept.found("history.not_stored", "unknown")
    assert unkept.document["strength"], "the pair was looked at all the same"
    assert "history.not_stored" in (healthy.folder / "night.html").read_text(encoding="utf-8")
    assert len(kept.mails) == 2


@pytest.mark.engines("mariadb")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--history", "no url"], "no URL of a database"),
        (["--history", "oracle://dba@h/d"], "no driver"),
        (["--history", "sqlite:////proc/no/where.sqlite"], "cannot be made"),
        (["--history", "mysql://dba:geheim@h/d"], "stands on the command line"),
        (["--history", "mysql://dba:${UNSET_PASSWORD}@h/d"], "no variable UNSET_PASSWORD"),
        (["--html", "no/where.html"], "cannot be written"),
        (["--mail", "no/where.txt"], "cannot be written"),
        (["--mail", "-", "--markdown", "-"], "one thing alone"),
        (["--mail", "-", "--format", "json"], "one thing alone"),
        (["--notify", "mailto://dba:geheim@h/"], "stands on the command line"),
        (["--notify", "geheim"], "number 1 (no scheme) is none that apprise knows"),
    ],
)
def test_what_cannot_be_kept_is_exit_2_before_a_server_is_asked(healthy: Shell, options: list[str], words: str) -> None:
    run = healthy.run(*REPORT, "--show-sql", *options)
    assert run.code == 2, run
    assert words in run.error
    assert "SELECT" not in run.error
    assert "geheim" not in run.error
