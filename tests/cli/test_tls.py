"""Clusters whose servers want TLS and a client certificate: what a URL asks for is had, or there is no connection.

Each engine's pair has certificates of an authority of its own, and accounts that are let in with a client certificate
alone; so a connection of any command that went without would be refused.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from replguard.demo.servers import LocalServer, found, slot_links
from replguard.demo.servers.keeping import keeper, server_user
from replguard.demo.servers.waiting import until
from replguard.endpoint import Endpoint
from replguard.engines import connect
from replguard.errors import ConfigError, ConnectError, ReplguardError
from tests.cli.runs import Shell, make_healthy, url
from tests.servers import plugin
from tests.servers.certificates import Authority, Issued
from tests.servers.choices import open_choice
from tests.servers.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from replguard.demo.servers import Pair, Server


def built_with_tls() -> str:
    """The PostgreSQL to be tried: the embedded packages are built without."""
    names = [one.name for one in found("postgresql") if b"libssl.so" in one.server.read_bytes()]
    return names[0] if names else "postgresql-15"


pytestmark = pytest.mark.engines("mariadb", "mysql", built_with_tls())
HOST = "127.0.0.1"
OPTIONS = {
    "mysql": ("ssl_ca", "ssl_cert", "ssl_key", {"ssl_verify_identity": "true"}, {"ssl_mode": "verify_ca"}),
    "postgresql": ("sslrootcert", "sslcert", "sslkey", {"sslmode": "verify-full"}, {"sslmode": "verify-ca"}),
}
COMMANDS: tuple[tuple[tuple[str, ...], set[int]], ...] = (
    (("init", "-o", "made.yaml"), {0}),
    (("policy", "show"), {0}),
    (("watch", "--since", "start", "--until-caught-up"), {0, 1}),  # tells of the table's creation, which crossed
    (("status",), {0}),
    (("filter", "audit"), {0}),
    (("diff", "--self-test", "--repair-sql", "repair.sql"), {0}),
    (("gate", "--window", "0s"), {0}),
    (("pause",), {0}),
    (("resume",), {0}),
)
ROWS = 5_000


class Secured:
    """A pair whose servers have certificates, and what a client needs to be let in."""

    def __init__(self, db: Workspace, folder: Path) -> None:
        self.db = db
        self.folder = folder
        self.authority = Authority(folder, "authority")
        self.stranger = Authority(folder, "stranger")
        self.mine = self.authority.issue("replguard")
        self.server_files = Issued(folder / "server.crt", folder / "server.key")
        family = "postgresql" if db.engine == "postgresql" else "mysql"
        self.ca, self.cert, self.key, self.by_name, self.by_ca = OPTIONS[family]
        self.certify()

    @property
    def options(self) -> dict[str, str]:
        return {self.ca: str(self.authority.ca), **self.client(self.mine), **self.by_name}

    def client(self, issued: Issued) -> dict[str, str]:
        return {self.cert: str(issued.cert), self.key: str(issued.key)}

    def certify(self, lasts: timedelta = timedelta(days=9)) -> None:
        """Put the servers' certificate where they look for it."""
        made = self.authority.issue("server", HOST, lasts=lasts, file="next")
        user = server_user()
        for new, place in ((made.cert, self.server_files.cert), (made.key, self.server_files.key)):
            if user is not None:
                os.chown(new, user.pw_uid, user.pw_gid)
            new.rename(place)

    def on_both(self, *statements: str) -> None:
        for server in self.db.pair.servers:
            server.run(*statements)

    def reload(self) -> None:
        words = {"mariadb": "FLUSH SSL", "mysql": "ALTER INSTANCE RELOAD TLS", "postgresql": "SELECT pg_reload_conf()"}
        self.on_both(words[self.db.engine])

    def connect(self, options: dict[str, str], host: str = HOST, server: Server | None = None) -> str | ReplguardError:
        """What came of a connection to ``server``, blue by default: "connected", or the error."""
        user = (server or self.db.pair.blue).user
        place = Endpoint("blue", user.engine, host, user.port, user.user, user.password, self.db.name, options=options)
        try:
            connect(place, lambda _cluster, _statement: None).close()
        except ReplguardError as error:
            return error
        return "connected"

    def url(self, side: str) -> str:
        return f"{url(self.db, side)}?{urlencode(self.options)}"

    def clusters(self) -> tuple[str, ...]:
        return "--cluster", f"blue={self.url('blue')}", "--cluster", f"green={self.url('green')}"

    def shell(self, folder: Path) -> Shell:
        pair = self.db.pair
        secrets = {"BLUE_PASSWORD": pair.blue.user.password, "GREEN_PASSWORD": pair.green.user.password}
        shell = Shell(folder, secrets)
        shell.write_config(self.url("blue"), self.url("green"))
        return shell


def begin(secured: Secured) -> None:
    """TLS on, and replguard's account only with a certificate of the authority, made out to it."""
    ca, mine = secured.authority.ca, secured.server_files
    if secured.db.engine == "postgresql":
        for server in secured.db.pair.servers:
            assert isinstance(server, LocalServer)
            rules = server.data / "pg_hba.conf"
            rules.write_text(f"hostssl all replguard all cert\nhost all replguard all reject\n{rules.read_text()}")
        settings = {"ssl_ca_file": ca, "ssl_cert_file": mine.cert, "ssl_key_file": mine.key, "ssl": "on"}
        secured.on_both(*(f"ALTER SYSTEM SET {name} = '{value}'" for name, value in settings.items()))
    else:
        secured.on_both("SET sql_log_bin = 0; ALTER USER replguard@'%' REQUIRE X509")
    secured.reload()
    until(
        lambda: secured.connect(secured.options) == "connected", "TLS", detail=lambda: secured.connect(secured.options)
    )


def end(secured: Secured) -> None:
    """TLS off."""
    if secured.db.engine == "mysql":
        secured.on_both("SET GLOBAL tls_version = ''; ALTER INSTANCE RELOAD TLS NO ROLLBACK ON ERROR")
    else:
        secured.on_both("ALTER SYSTEM SET ssl = off")
        secured.reload()


@pytest.fixture(scope="module")
def secured(pairs: plugin.Pairs, request: pytest.FixtureRequest) -> Iterator[Secured]:
    folder = Path(tempfile.mkdtemp(dir=keeper.folder()))
    folder.chmod(0o711)
    files = {"ca": folder / "authority.pem", "cert": folder / "server.crt", "key": folder / "server.key"}
    family = pairs.choice.engine != "postgresql"
    # The files are there before the servers look for them.
    first = Authority(folder, "authority").issue("server", HOST)
    options = tuple(f"--ssl-{name}={path}" for name, path in files.items()) if family else ()
    with plugin._or_skip(request.config, pairs.choice):
        pair: Pair = open_choice(pairs.choice, "one-way", options)
    try:
        if not isinstance(pair.blue, LocalServer):
            pytest.skip("the servers are not ours: they get no certificates")
        assert first.cert.exists()
        pair.create_database("site")
        db = Workspace(pair, "site")
        make_healthy(db)
        mine = Secured(db, folder)
        begin(mine)
        yield mine
    finally:
        pair.close()
        shutil.rmtree(folder)


def refused(came: str | ReplguardError, *words: str) -> None:
    """No connection, for this reason, and the remedy names what helps."""
    assert isinstance(came, ConnectError), came
    told = f"{came.message} {came.remedy}"
    assert all(word.lower() in told.lower() for word in words), (words, told)


def test_every_command_works_where_only_a_client_certificate_lets_in(secured: Secured, tmp_path: Path) -> None:
    db, shell = secured.db, secured.shell(tmp_path)
    write(db)
    for command, codes in COMMANDS:
        run = shell.json(*command) if command[0] != "init" else shell.run(*command, *secured.clusters())
        assert run.code in codes, str(run)
        if command[0] == "status":
            assert {str(version)[:4] for version in run.document["data"]["tls"].values()} == {"TLSv"}
        if command[0] == "watch":
            assert max(stream["bytes"] for stream in run.document["coverage"]["streams"]) > 10 * ROWS
            proceed(db)


def write(db: Workspace) -> None:
    """Many rows, which wait in the link on PostgreSQL: there they have no past that could be read."""
    numbers = f"SELECT g, 'filler' FROM generate_series(100, {99 + ROWS}) g"
    if db.engine == "postgresql":
        db.run("green", f"ALTER SUBSCRIPTION {slot_links.subscription_name(db.pair.blue, db.name)} DISABLE")
    else:
        numbers = (
            f"WITH RECURSIVE n(g) AS (SELECT 100 UNION ALL SELECT g + 1 FROM n WHERE g < {99 + ROWS}) "
            "SELECT g, 'filler' FROM n"
        )
    most = {"mariadb": "SET max_recursive_iterations = 100000", "mysql": "SET cte_max_recursion_depth = 100000"}
    db.run("blue", f"{most.get(db.engine, 'SELECT 1')}; INSERT INTO account {numbers}")


def proceed(db: Workspace) -> None:
    if db.engine == "postgresql":
        db.run("green", f"ALTER SUBSCRIPTION {slot_links.subscription_name(db.pair.blue, db.name)} ENABLE")
    db.wait_caught_up()


def test_no_connection_is_less_than_its_url_asks_for(secured: Secured) -> None:
    good, ca, client = secured.options, {secured.ca: str(secured.authority.ca)}, secured.client(secured.mine)
    assert secured.connect({**ca, **client}) == "connected"
    assert secured.connect({**good, "ssl_min_protocol_version": "TLSv1.3"}) == "connected"
    assert secured.connect({**ca, **client, **secured.by_ca}, host="localhost") == "connected"
    refused(secured.connect(good, host="localhost"), "localhost", "subjectAltName", "looks at no names")
    other = {secured.ca: str(secured.stranger.ca)}
    refused(secured.connect({**client, **other}), "certificate", secured.ca)
    refused(secured.connect({**client, **other, **secured.by_name}), "certificate", secured.ca)
    refused(secured.connect(ca), secured.cert, secured.key)
    refused(
        secured.connect(
            {**ca, **secured.client(secured.authority.issue("replguard", lasts=timedelta(days=-1), file="old"))}
        ),
        "",
    )


def test_a_key_that_is_locked_is_opened_by_its_password_and_never_asked_for(secured: Secured) -> None:
    locked = secured.authority.issue("replguard", password="Geheim123", file="locked")
    options = {**secured.options, **secured.client(locked)}
    name = "sslpassword" if secured.db.engine == "postgresql" else "ssl_key_password"
    assert secured.connect({**options, name: "Geheim123"}) == "connected"
    for wrong in ({}, {name: "Anderes456"}):
        came = secured.connect({**options, **wrong})
        assert isinstance(came, ConfigError), came
        assert "Anderes456" not in f"{came.message}{came.remedy}"
        assert name in str(came.remedy)


def test_a_certificate_out_of_date_and_a_server_without_tls_are_refused(
    secured: Secured, request: pytest.FixtureRequest
) -> None:
    options = secured.options
    secured.certify(timedelta(seconds=2))  # MySQL takes none that is out of date already
    secured.reload()
    until(lambda: secured.connect(options) != "connected", "the certificate to be out of date")
    refused(secured.connect(options), "expired" if secured.db.engine != "postgresql" else "in date")
    secured.certify()
    secured.reload()
    until(lambda: secured.connect(options) == "connected", "the servers to take the new certificate")
    server = secured.db.pair.blue
    if secured.db.engine == "mariadb":  # has no switch for it while it runs
        server = request.getfixturevalue("pair").blue
        if server.query("SELECT @@have_ssl")[0][0] == "YES":
            pytest.skip("this MariaDB has TLS unless it is told otherwise")
    else:
        end(secured)
    least = {"sslmode": "require"} if secured.db.engine == "postgresql" else {"ssl_mode": "required"}
    until(lambda: "offers no TLS" in str(secured.connect(least, server=server)), "the server to offer no TLS")
    for asked in (least, options, {secured.ca: str(secured.authority.ca)}):
        refused(secured.connect(asked, server=server), "offers no TLS", "take the TLS options out")
