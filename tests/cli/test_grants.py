"""``sql/<engine>/grants.sql`` is true: a command works with exactly its role, and with one privilege less it says so.

The files are run on the servers as they stand, with this test's names in place of theirs.
"""

from __future__ import annotations

import os
import random
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.cli.runs import Run, Shell, keep_apart, make_healthy, shell_for, url
from tests.conformance.log_files import Logs
from tests.servers import plugin
from tests.servers.grants import ROLES, Grants, Privilege
from tests.servers.workspace import Workspace, workspace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OLD = ("postgresql-15",) if os.environ.get("REPLGUARD_LONG") else ()
pytestmark = pytest.mark.engines("mariadb", "mysql", *OLD, "postgresql-18")
PASSWORD = "Few-" + secrets.token_hex(8)
OWNED = ("subscription", "publication", "tables")
"""PostgreSQL: each has an owner of its own here."""
SAMPLE = 3
"""Privileges of an engine that are taken away in the short run."""

PLAN = ("filter", "plan", "-o", "filters.plan")
GATE = ("gate", "--window", "0s")
APPLY = ("filter", "apply", "filters.plan", "--yes")
READ = (
    ("policy", "show"),
    ("status",),
    ("filter", "audit"),
    PLAN,
    ("diff", "--self-test", "--repair-sql", "repair.sql"),
)
STREAM = (
    ("watch", "--for", "0s"),
    ("diff", "--trace", "start"),
    GATE,
)
CONTROL = (
    PLAN,
    APPLY,
    ("filter", "audit"),
    ("pause",),
    ("diff", "--certificate", "certificate.json"),
    ("resume",),
)
COMMANDS = {"read": READ, "stream": STREAM, "control": CONTROL}
NEEDS_MORE = {
    "mariadb": {("watch", "--for", "0s"): "REPLICATION SLAVE", ("pause",): "REPLICATION SLAVE ADMIN"},
    "mysql": {("watch", "--for", "0s"): "REPLICATION SLAVE", ("pause",): "REPLICATION_SLAVE_ADMIN"},
    "postgresql": {("watch", "--for", "0s"): "REPLICATION", ("pause",): "GRANT"},
}
"""The first commands that a role's predecessor may not run, and what they then ask for."""

_FAMILY: dict[str, tuple[tuple[str, ...], str]] = {
    "SELECT ON `st`.*": (("policy", "show"), "SELECT"),
    "SHOW VIEW ON `st`.*": (("diff",), "SHOW VIEW"),
    "TRIGGER ON `st`.*": (("diff",), "TRIGGER"),
    "EVENT ON `st`.*": (("filter", "audit"), "EVENT"),
    "CREATE TEMPORARY TABLES ON `st`.*": (("diff", "--self-test"), "CREATE TEMPORARY TABLES"),
    "REPLICATION SLAVE ON *.*": (("watch", "--for", "0s"), "REPLICATION SLAVE"),
    "PROCESS ON *.*": (GATE, "PROCESS"),
}
PROOF: dict[str, dict[str, tuple[tuple[str, ...], str]]] = {
    "mysql": {
        **_FAMILY,
        "XA_RECOVER_ADMIN ON *.*": (GATE, "XA_RECOVER_ADMIN"),
        "SELECT ON performance_schema.metadata_locks": (GATE, "metadata_locks"),
        "SHOW_ROUTINE ON *.*": (("diff",), "SHOW_ROUTINE"),
        "REPLICATION CLIENT ON *.*": (("status",), "REPLICATION CLIENT"),
        "REPLICATION_SLAVE_ADMIN ON *.*": (("pause",), "REPLICATION_SLAVE_ADMIN"),
    },
    "mariadb": {
        **_FAMILY,
        "SELECT ON mysql.proc": (("diff",), "SELECT ON mysql.proc"),
        "SLAVE MONITOR ON *.*": (("status",), "SLAVE MONITOR"),
        "BINLOG MONITOR ON *.*": (("filter", "audit"), "BINLOG MONITOR"),
        "REPLICATION SLAVE ADMIN ON *.*": (("pause",), "REPLICATION SLAVE ADMIN"),
    },
    "postgresql": {
        "USAGE ON SCHEMA public": (("diff",), "GRANT USAGE ON SCHEMA"),
        "SELECT ON ALL TABLES IN SCHEMA public": (("diff",), "GRANT SELECT ON TABLE"),
        "SELECT ON ALL SEQUENCES IN SCHEMA public": (("diff",), "GRANT SELECT ON SEQUENCE"),
        "pg_read_all_stats": (GATE, "GRANT pg_read_all_stats"),
        "pg_read_all_settings": (GATE, "GRANT pg_read_all_settings"),
        "owner_of_the_subscription": (("pause",), 'GRANT "subscription_'),
        "owner_of_the_publication": (APPLY, 'GRANT "publication_'),
        "owner_of_the_tables": (APPLY, 'GRANT "tables_'),
        "CREATE ON DATABASE st": (APPLY, "GRANT CREATE ON DATABASE"),
    },
}
"""Each privilege of the file, by what it is: a command that cannot do without it, and what it then asks for."""


_EVENTS = "EVENT on *.*"
TOLD = {
    "mysql": (
        "PERSIST_RO_VARIABLES_ADMIN",
        "replication_connection_configuration",
        "variables_by_thread",
        _EVENTS,
        "see grants.sql",
    ),
    "mariadb": (_EVENTS,),
    "postgresql": (),
}
"""What an audit and a pause do not need for their verdict, and yet say to be lacking."""


class Site:
    """A healthy database with what only privileges show, the roles of the file, and a user of each."""

    def __init__(self, db: Workspace) -> None:
        self.db = db
        major = int(db.pair.version.partition(".")[0])
        self.mark = secrets.token_hex(3)
        names = {"`st`": f"`{db.name}`".replace("_", r"\_"), "DATABASE st ": f"DATABASE {db.name} "}
        names |= {f"owner_of_the_{what}": f"{what}_{self.mark}" for what in OWNED}
        self.grants = Grants(db.engine, names, major)
        self.written = Grants(db.engine, {}, major)
        self.users = {role: f"few_{role}_{self.mark}" for role in ROLES}

    @property
    def subscription(self) -> str:
        return f'"{self.db.name}_from_blue"'

    def on_both(self, *statements: str) -> None:
        unlogged = () if self.db.engine == "postgresql" else ("SET sql_log_bin = 0",)
        for server in self.db.pair.servers:
            with server.connect(self.db.name) as connection:
                for text in (*unlogged, *statements):
                    connection.run(text)

    def furnish(self) -> None:
        """What a comparison must see of: a view, a sequence; and for PostgreSQL an owner of the subscription alone."""
        self.db.both("CREATE VIEW names AS SELECT id, name FROM account")
        if self.db.engine == "mariadb":
            self.on_both("SET GLOBAL event_scheduler = ON")
        if self.db.engine == "postgresql":
            self.db.both("CREATE SEQUENCE numbers OWNED BY account.id")
            self.on_both(
                "REVOKE USAGE ON SCHEMA public FROM PUBLIC", f"CREATE ROLE subscription_{self.mark} SUPERUSER LOGIN"
            )
            self.on_both(f"CREATE ROLE publication_{self.mark}", f"CREATE ROLE tables_{self.mark}")
            self.on_both(f"GRANT CREATE ON DATABASE {self.db.name} TO publication_{self.mark}")
            self.on_both(*(f"ALTER TABLE {table} OWNER TO tables_{self.mark}" for table in ("account", "event")))
            self.db.run("blue", f"ALTER PUBLICATION from_blue OWNER TO publication_{self.mark}")
            self.on_both(f"REVOKE CREATE ON DATABASE {self.db.name} FROM publication_{self.mark}")  # it had to have it
            self.db.run("green", f"ALTER SUBSCRIPTION {self.subscription} OWNER TO subscription_{self.mark}")

    def give(self) -> None:
        """Run the file, and make a user of each role as its last lines say."""
        self.on_both(*self.grants.statements)
        for role, name in self.users.items():
            if self.db.engine == "postgresql":
                own = {"LOGIN PASSWORD '...'": f"LOGIN PASSWORD '{PASSWORD}'", "ROLE replguard ": f"ROLE {name} "}
            else:
                own = {"IDENTIFIED BY '...'": f"IDENTIFIED BY '{PASSWORD}'", "replguard@'10.0.%'": f"{name}@'%'"}
            for text in self.grants.user:
                if "REPLICATION" in text and role == "read":
                    continue
                for word, mine in {**own, "replguard_read": f"replguard_{role}"}.items():
                    text = text.replace(word, mine)  # noqa: PLW2901
                self.on_both(text)

    def take_back(self) -> None:
        if self.db.engine == "postgresql":
            owners = [f"{what}_{self.mark}" for what in OWNED]
            everybody = ", ".join((*(f"replguard_{role}" for role in ROLES), *self.users.values(), *owners))
            self.on_both(f"REASSIGN OWNED BY {', '.join(owners)} TO CURRENT_USER")
            self.on_both(f"DROP OWNED BY {everybody}", f"DROP ROLE {everybody}")
        else:
            if self.db.engine == "mariadb":
                self.on_both("SET GLOBAL event_scheduler = OFF")
            self.on_both(*(f"DROP USER {name}@'%'" for name in self.users.values()))
            self.on_both(*(f"DROP ROLE replguard_{role}" for role in ROLES))

    def shell(self, role: str, folder: Path) -> Shell:
        shell = shell_for(self.db, folder)
        shell.secrets["FEW_PASSWORD"] = PASSWORD
        few = {"user": self.users[role], "password": "${FEW_PASSWORD}"}
        shell.write_config(url(self.db, "blue", **few), url(self.db, "green", **few))
        return shell

    def url(self, role: str, cluster: str) -> str:
        return url(self.db, cluster, user=self.users[role], password="${FEW_PASSWORD}")

    def logs(self, folder: Path) -> list[str]:
        """Binlog files with a row in each kind of table."""
        logs = Logs(self.db, folder)
        self.db.run("blue", "INSERT INTO event VALUES (9, 'nine')", "INSERT INTO account VALUES (9, 'nine')")
        self.db.wait_caught_up()
        return [str(path) for path in logs.files()]

    def loosen(self, *, whole: bool = False) -> None:
        """Let event cross; ``whole``, for PostgreSQL: by a publication of all tables."""
        if self.db.engine != "postgresql":
            keep_apart(self.db)
            return
        name = "everything" if whole else "from_blue"
        if whole:
            self.db.run("blue", "CREATE PUBLICATION everything FOR ALL TABLES")
        else:
            self.db.run("blue", "ALTER PUBLICATION from_blue SET TABLE account, event")
        self.db.run("green", f"ALTER SUBSCRIPTION {self.subscription} SET PUBLICATION {name} WITH (copy_data = false)")

    @contextmanager
    def without(self, privilege: Privilege) -> Iterator[None]:
        self.on_both(privilege.revoke)
        try:
            yield
        finally:
            self.on_both(privilege.grant)


@pytest.fixture(scope="module")
def site(pairs: plugin.Pairs, request: pytest.FixtureRequest) -> Iterator[Site]:
    with plugin._or_skip(request.config, pairs.choice):
        pair = pairs.get("one-way")
    with workspace(pair) as db:
        make_healthy(db)
        mine = Site(db)
        mine.furnish()
        mine.give()
        try:
            yield mine
        finally:
            mine.take_back()


def brief(run: Run, without: str = "") -> str:
    """What was found, for a test that fails."""
    lines = [f"{item['severity']} {item['code']}: {item['message']} -> {item['remedy']}" for item in run.findings]
    return "\n".join([f"{without} {' '.join(run.args)}: exit {run.code}", *lines, run.stderr])


def lacks(run: Run, named: str, without: str = "") -> None:
    """Inconclusive, and the remedy of an open question is a grant of what is lacking."""
    assert (run.code, run.document["verdict"]) == (3, "inconclusive"), brief(run, without)
    told = [str(finding["remedy"]) for finding in run.findings if finding["severity"] == "unknown"]
    assert any(named in remedy and ("GRANT" in remedy or "ALTER ROLE" in remedy) for remedy in told), (
        named,
        brief(run),
    )


@pytest.mark.parametrize("role", ROLES)
def test_every_command_works_with_exactly_its_role(site: Site, role: str, tmp_path: Path) -> None:
    shell = site.shell(role, tmp_path)
    commands: tuple[tuple[str, ...], ...] = COMMANDS[role]
    if role == "read":
        clusters = [f"{name}={site.url(role, name)}" for name in ("blue", "green")]
        made = shell.run("init", "-o", "made.yaml", "--cluster", clusters[0], "--cluster", clusters[1])
        assert made.code == 0, str(made)
        told = shell.run("filter", "export", "--for", "publication" if site.db.engine == "postgresql" else "mycnf")
        assert (told.code, "event" in told.stdout.lower() or "account" in told.stdout) == (0, True), str(told)
    if role == "read" and site.db.engine != "postgresql":
        commands = (*commands, ("scan", "-c", "replguard.yaml", *site.logs(tmp_path)))
    if role == "control":
        site.loosen()
        assert shell.json("filter", "audit").code == 1, "there is something to apply"
    for command in commands:
        run = shell.json(*command)
        assert run.code == 0, brief(run)


def test_a_role_less_is_told_which_grant_is_lacking(site: Site, tmp_path: Path) -> None:
    for role, (command, named) in zip(ROLES, NEEDS_MORE[site.db.engine].items(), strict=False):
        lacks(site.shell(role, tmp_path).json(*command), named)
    assert not (tmp_path / "state").exists() or not list((tmp_path / "state").rglob("receipt*"))


def test_every_privilege_is_needed_and_asked_for(site: Site, tmp_path: Path, thorough: bool) -> None:
    written, proof = [privilege.text for privilege in site.written.privileges], PROOF[site.db.engine]
    assert sorted(written) == sorted(proof), "each privilege of the file has its proof"
    mine = dict(zip(written, site.grants.privileges, strict=True))
    chosen = sorted(mine) if thorough else random.Random(site.db.pair.version).sample(sorted(mine), SAMPLE)
    for text in chosen:
        privilege, (command, named) = mine[text], proof[text]
        shell = site.shell(privilege.role, tmp_path)
        if command == APPLY:
            site.loosen(whole="CREATE" in text)
            assert shell.json(*PLAN).code == 0
        with site.without(privilege):
            lacks(shell.json(*command), named, f"without {text}:")
        if command == APPLY:
            assert shell.json(*APPLY).code == 0, "with it the same plan is applied"


@pytest.mark.engines("postgresql-18")
def test_a_control_login_without_replication_is_asked_for_it(site: Site, tmp_path: Path) -> None:
    """It is no right of a role: who has replguard_control through a role of theirs still lacks it."""
    login = f"ALTER ROLE {site.users['control']}"
    site.on_both(f"{login} NOREPLICATION")
    try:
        lacks(site.shell("control", tmp_path).json("pause"), "REPLICATION")
    finally:
        site.on_both(f"{login} REPLICATION")
    assert site.shell("control", tmp_path).json("status").code == 0, "the pause was given up, and the link runs"


def test_what_is_optional_is_told_and_can_be_granted_as_it_stands(site: Site, tmp_path: Path) -> None:
    shell = site.shell("control", tmp_path)
    for granted in (False, True):
        if granted:
            site.on_both(*site.grants.optional)
        audited, paused = shell.json("filter", "audit"), shell.json("pause")
        told = brief(audited) + brief(paused)
        assert (audited.code, paused.code) == (0, 0), told
        assert [word for word in TOLD[site.db.engine] if (word in told) is granted] == [], told
        resumed = shell.json("resume")
        assert resumed.code == 0, brief(resumed)
