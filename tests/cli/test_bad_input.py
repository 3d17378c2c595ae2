"""What users get wrong: each gives one clear error with its remedy, the right exit code, no traceback, no secret.

That no secret shows, and that standard output holds one valid document, is checked by every run (:mod:`runs`).
"""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.cli.runs import Run, Shell, shell_for, url
from tests.servers import plugin
from tests.servers.choices import Choice, open_choice
from tests.servers.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from replguard.demo.servers import Pair
    from tests.servers.workspace import Workspace

EVERY = pytest.mark.engines("mariadb", "mysql", "postgresql-18")
WRONG = "wr0ng p@ss/%41:'\"#?"


@pytest.fixture(scope="module")
def plain_db(pairs: plugin.Pairs, request: pytest.FixtureRequest) -> Iterator[Workspace]:
    """A database with one equal table, for tests that never come to change it."""
    with plugin._or_skip(request.config, pairs.choice):
        pair = pairs.get("one-way")
    with workspace(pair) as db:
        db.both("CREATE TABLE account (id int PRIMARY KEY, name varchar(20))")
        yield db


@pytest.fixture
def plain(plain_db: Workspace, tmp_path: Path) -> Shell:
    shell = shell_for(plain_db, tmp_path)
    shell.secrets["WRONG_PASSWORD"] = WRONG
    return shell


def fails(run: Run, code: int, *words: str) -> Run:
    """One error, told on standard error and in the document alike, with its remedy."""
    assert run.code == code, run
    assert run.stderr.count("error: ") == 1, run
    assert "  -> " in run.stderr, run
    for word in words:
        assert word in run.error, run
    if run.document:
        (finding,) = run.found("check.not_run", "unknown")
        assert finding["message"]
        assert finding["remedy"]
    return run


# What needs no server: exit 2.


@pytest.fixture
def alone(tmp_path: Path) -> Shell:
    """A config whose servers are not there, and need not be."""
    shell = Shell(tmp_path, {"BLUE_PASSWORD": "s3cret-of-blue", "GREEN_PASSWORD": "s3cret-of-green"})
    nowhere = "postgresql://u:${{{}_PASSWORD}}@127.0.0.1:1/d"
    shell.write_config(nowhere.format("BLUE"), nowhere.format("GREEN"))
    return shell


def test_unknown_preset(alone: Shell) -> None:
    alone.write_config("mysql://u@h/d", "mysql://u@i/d", {"preset": "securetransport-zero-downtme"})
    fails(alone.json("diff"), 2, "replguard.yaml:7", "securetransport-zero-downtme", "did you mean")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("clusters: {blue: {url: 'mysql://h/d'}}", ("exactly two",)),
        ("clusters: {a: {url: 'mysql://h/d'}, b: {ulr: 'mysql://i/d'}}", ("replguard.yaml:1", "ulr", "'url'")),
        ("clusters: [", ("replguard.yaml:",)),
        ("cluster:\n  a: {url: 'mysql://h/d'}", ("replguard.yaml:1", "'clusters'")),
        ("clusters: {a: {url: 'mysql://u:${NOT_SET}@h/d'}, b: {url: 'mysql://i/d'}}", ("NOT_SET", "export")),
        ("clusters: {a: {url: 'oracle://h/d'}, b: {url: 'mysql://i/d'}}", ("oracle",)),
        ("", ("replguard.yaml",)),
    ],
    ids=["one cluster", "a typo", "no YAML", "another typo", "unset variable", "no such engine", "empty"],
)
def test_wrong_config(alone: Shell, wrong: str, words: tuple[str, ...]) -> None:
    alone.config.write_text(wrong)
    run = alone.json("status")
    assert run.code == 2, run
    assert run.stderr.count("error: ") == 1
    for word in words:
        assert word in run.error, run
    assert run.found("check.not_run", "unknown")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("diff", "-c", "nowhere.yaml"), ("nowhere.yaml", "replguard init")),
        (("diff", "--cluster", "a=mysql://h/d"), ("exactly twice",)),
        (("diff", "--cluster", "a=mysql://u:p@h/d", "--cluster", "b=mysql://h/d"), ("command line", "${A_PASSWORD}")),
        (("diff", "-c", "x", "--cluster", "a=mysql://h/d", "--cluster", "b=mysql://i/d"), ("exclude",)),
        (("diff", "--preset", "zato"), ("--cluster",)),
        (("watch", "--since", "yesterday"), ("--since now",)),
        (("init",), ("--cluster NAME=URL twice",)),
    ],
    ids=["no file", "one cluster", "literal password", "both ways", "preset alone", "since", "init without clusters"],
)
def test_wrong_options(alone: Shell, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    fails(alone.json(*arguments), 2, *words)


@pytest.mark.parametrize(
    "arguments",
    [
        ("diff", "--nope"),
        ("diff", "--settle", "soon"),
        ("diff", "--limit", "0"),
        ("watch", "--for", "1s", "--until-caught-up"),
        ("gate", "--for", "lunch"),
        ("difff",),
    ],
    ids=" ".join,
)
def test_what_cannot_be_parsed_gives_a_document_too(alone: Shell, arguments: tuple[str, ...]) -> None:
    run = alone.json(*arguments)
    assert run.code == 2, run
    assert run.found("check.not_run", "unknown")
    assert "Error: " in run.stderr


def test_a_command_without_json_prints_nothing_to_standard_output(alone: Shell) -> None:
    run = fails(alone.run("status"), 3, "127.0.0.1:1")
    assert run.stdout == ""


# What a server says or fails to say: exit 3.


@EVERY
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"host": "no-such-host.invalid"}, ("no-such-host.invalid",)),
        ({"port": 1}, ("127.0.0.1:1",)),
        ({"password": "${WRONG_PASSWORD}"}, ("password",)),
        ({"user": "nobody"}, ("nobody",)),
        ({"database": "not_there"}, ("not_there",)),
    ],
    ids=["unresolved", "closed port", "wrong password", "wrong user", "no database"],
)
def test_a_server_that_does_not_let_in(
    plain: Shell, plain_db: Workspace, changes: dict[str, object], words: tuple[str, ...]
) -> None:
    plain.write_config(url(plain_db, "blue"), url(plain_db, "green", **changes))
    run = fails(plain.json("diff"), 3, *words)
    (finding,) = run.findings
    assert finding["cluster"] == "green"


@EVERY
def test_a_port_that_accepts_and_never_answers(plain: Shell, plain_db: Workspace) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        there = url(plain_db, "green", port=silent.getsockname()[1]) + "?connect_timeout=2"
        plain.write_config(url(plain_db, "blue"), there)
        fails(plain.json("status", timeout=20), 3, str(silent.getsockname()[1]))


@EVERY
def test_both_clusters_wrong_is_told_at_once_and_debug_keeps_the_secret(plain: Shell, plain_db: Workspace) -> None:
    blue, green = (url(plain_db, side, password="${WRONG_PASSWORD}") for side in ("blue", "green"))
    plain.write_config(blue, green)
    run = plain.json("status", "--debug", "--show-sql")
    assert run.code == 3, run
    assert "Traceback" in run.stderr
    assert run.stderr.count("\nerror: ") == 1
    for side in (plain_db.pair.blue, plain_db.pair.green):
        assert str(side.port) in run.error


# Pairs that are none: exit 2, as the config names them wrongly.


@EVERY
def test_two_addresses_of_one_server(plain: Shell, plain_db: Workspace) -> None:
    admin = plain_db.pair.blue.admin
    plain.secrets["ADMIN_PASSWORD"] = admin.password
    again = url(plain_db, "blue", host="localhost", user=admin.user, password="${ADMIN_PASSWORD}")
    plain.write_config(url(plain_db, "blue"), again)
    fails(plain.json("status"), 2, "same server")


@EVERY
def test_two_databases_of_one_server(plain: Shell, plain_db: Workspace) -> None:
    other = "postgres" if plain_db.engine == "postgresql" else "mysql"
    plain.write_config(url(plain_db, "blue"), url(plain_db, "blue", database=other))
    fails(plain.json("status"), 2, "two databases of the same server")


@pytest.fixture(scope="module")
def mariadb_beside(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """MariaDB servers beside the pair of the round."""
    choice = Choice("mariadb")
    with plugin._or_skip(request.config, choice):
        pair = open_choice(choice, "none")
    try:
        yield pair
    finally:
        pair.close()


@pytest.mark.engines("mysql", "postgresql-18")
@pytest.mark.parametrize("scheme", ["mariadb", "mysql"])
def test_unlike_engines(plain: Shell, plain_db: Workspace, mariadb_beside: Pair, scheme: str) -> None:
    user = mariadb_beside.green.user
    plain.secrets["GREEN_PASSWORD"] = user.password
    plain.write_config(
        url(plain_db, "blue"), f"{scheme}://{user.user}:${{GREEN_PASSWORD}}@{user.host}:{user.port}/mysql"
    )
    fails(plain.json("status"), 2, "'green' is mariadb", f"'blue' is {plain_db.engine}")


@pytest.mark.engines("mariadb", "mysql")
def test_the_scheme_of_the_other_flavour_is_no_error(plain: Shell, plain_db: Workspace) -> None:
    other = {"mariadb": "mysql", "mysql": "mariadb"}[plain_db.engine]
    plain.write_config(url(plain_db, "blue", scheme=other), url(plain_db, "green", scheme=other), {})
    run = plain.json("diff")
    assert run.code == 0, run
    assert {facts["engine"] for facts in run.document["clusters"].values()} == {plain_db.engine}


# Databases that prove nothing.


@EVERY
def test_an_empty_database_never_passes(shell: Shell, db: Workspace) -> None:
    db.link()
    for command in (("policy", "show"), ("filter", "audit"), ("diff",), ("gate", "--window", "0s")):
        run = shell.json(*command)
        assert (run.code, run.document["verdict"]) == (3, "inconclusive"), run
        assert any("table" in finding["message"] for finding in run.found("check.not_run")), run
        assert shell.run(*command).code == 3
