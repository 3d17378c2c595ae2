r"""What a restart makes of a link's rules, and what option files say."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from replguard.engines.binlog import optionfile
from replguard.engines.binlog.filters import BinlogLinkFilters
from replguard.engines.binlog.optionfile import OptionFile, groups, read
from replguard.engines.binlog.optionlines import value
from replguard.engines.binlog.optionplaces import of_this_machine
from replguard.engines.binlog.rawfilters import SOMEWHERE, RawFilters
from replguard.engines.binlog.surroundings import MissingGrant, Setting, Side, Surroundings
from replguard.errors import UsageError
from replguard.model.tables import Table, TableName

if TYPE_CHECKING:
    from pathlib import Path

    from replguard.engines.audits import AfterRestart

GREEN = Side("green", 0)
AT_RUN_TIME = {"REPLICATE_IGNORE_TABLE": "CHANGE_REPLICATION_FILTER_FOR_CHANNEL"}
AT_START = {"REPLICATE_IGNORE_TABLE": "STARTUP_OPTIONS"}
TWO = ("st.event", "st.dmz")


def written(*lines: str, unread: tuple[str, ...] = (), by_colon: bool = True) -> OptionFile:
    """Option lines of one file, without a group."""
    options = tuple(optionfile._option(line, "my.cnf", number) for number, line in enumerate(lines, 1))
    return OptionFile(options, ("my.cnf",), unread, by_colon)


def after(raw: RawFilters, channel: str = "", **around: Any) -> AfterRestart:
    found = Surroundings(**{"target": GREEN, **around})
    return BinlogLinkFilters(raw, channel, lambda: found).after_restart()


def rules(found: AfterRestart) -> Any:
    return found.filters.describe().get("replicate_ignore_table", [])


def messages(found: AfterRestart) -> str:
    return "\n".join(one.message for one in (*found.changes, *found.unknown))


def test_groups_quotes_comments_and_includes(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "my.cnf").write_text(
        "# replicate-ignore-table=st.no\n"
        "[client]\nreplicate-ignore-table=st.no\n"
        "[mysqld]\n"
        "replicate-ignore-table = st.a   # kept\n"
        ";replicate-ignore-table=st.no\n"
        r"loose_replicate_wild_ignore_table='st.b\_%'" + "\n"
        "skip-name-resolve\n"
        "!includedir conf.d\n!includedir /etc/elsewhere\n!include gone.cnf\n"
    )
    (tmp_path / "conf.d" / "b.cnf").write_text(
        "[mariadb-10.11]\nreplicate-ignore-table=st.c\nbinlog_format=ROW\n[mariadb-11.4]\nreplicate-ignore-table=st.no\n"
    )
    (tmp_path / "conf.d" / "b.cnf.bak").write_text("[mysqld]\nreplicate-ignore-table=st.no\n")
    found = read([tmp_path / "my.cnf"], groups("mariadb", (10, 11, 19)))
    assert found.rules("ignore_table", "") == ("st.a", "st.c")
    assert found.rules("wild_ignore_table", "") == (r"st.b\_%",)
    assert found.rules("do_table", "") is None
    assert [option.place for option in found.options if option.name == "binlog_format"] == [
        f"{tmp_path / 'conf.d' / 'b.cnf'}:3"
    ]
    assert [one.split(" in ")[0] for one in found.unread] == ["!includedir /etc/elsewhere", "!include gone.cnf"]
    with pytest.raises(UsageError, match="cannot be read"):
        read([tmp_path / "none.cnf"], groups("mysql", (9, 7)))


def test_lines_for_one_channel_replace_those_for_all() -> None:
    mysql = written("replicate-ignore-table=st.a", "replicate-ignore-table=dr:st.b", "replicate-do-db=:st")
    assert (mysql.rules("ignore_table", ""), mysql.rules("ignore_table", "dr")) == (("st.a",), ("st.b",))
    assert (mysql.rules("do_db", ""), mysql.rules("do_db", "dr")) == (("st",), None)
    mariadb = written(
        "replicate-ignore-table=st.a", "dr.replicate-ignore-table=st.b", "replicate-rewrite-db=a->b", by_colon=False
    )
    assert (mariadb.rules("ignore_table", ""), mariadb.rules("ignore_table", "dr")) == (("st.a",), ("st.b",))
    assert mariadb.rules("rewrite_db", "dr") == ("a->b",)


def test_lines_that_a_plan_gives_are_read_as_they_were_meant() -> None:
    draw = random.Random(5)
    for _ in range(400):
        rule = "st." + "".join(draw.choices("ab_%\\\"'#;: =,.!é\t", k=draw.randint(1, 8)))
        mysql = written(f"replicate-wild-ignore-table={value(f':{rule}')}")
        assert mysql.rules("wild_ignore_table", "") == (rule,)
        mariadb = written(f"dr.replicate-wild-ignore-table={value(rule)}", by_colon=False)
        assert mariadb.rules("wild_ignore_table", "DR") == (rule,)


@pytest.mark.parametrize(
    ("how", "around", "then", "said"),
    [
        (AT_START, {}, ["st.event"], ""),
        ({}, {}, ["st.event"], "the server does not say where a rule was set"),
        (AT_RUN_TIME, {}, [], "set at run time (CHANGE_REPLICATION_FILTER_FOR_CHANNEL) and is lost at a restart"),
        (AT_RUN_TIME, {"startup": {"ignore_table": ("st.event",)}}, ["st.event"], ""),
        (AT_RUN_TIME, {"startup": {"ignore_table": ("st.x",)}}, ["st.x"], "is lost at a restart: 'st.x' comes back"),
        ({"REPLICATE_IGNORE_TABLE": SOMEWHERE}, {}, ["st.event"], "for this connection or another"),
        (AT_RUN_TIME, {"options": written("replicate_ignore_table=st.event")}, ["st.event"], ""),
        (AT_RUN_TIME, {"options": written("port=1")}, [], "is lost at a restart: my.cnf does not have it"),
        (AT_RUN_TIME, {"options": written("replicate-ignore-table=st.x")}, ["st.x"], "'st.x' after a restart"),
        (AT_RUN_TIME, {"options": written(unread=("!include a",))}, ["st.event"], "!include a was not read"),
        (AT_START, {"options": written("port=1")}, ["st.event"], "my.cnf does not have it: whether it survives"),
        (AT_START, {"options": written("replicate-ignore-table=st.x")}, ["st.x"], "'st.x' after a restart: my.cnf"),
    ],
)
def test_the_fate_of_a_rule(how: dict[str, str], around: dict[str, Any], then: list[str], said: str) -> None:
    found = after(RawFilters(ignore_table=("st.event",), configured_by=how), **around)
    assert rules(found) == then
    assert said in messages(found)
    assert bool(said) == bool(messages(found))
    assert all(one.remedy and one.rule for one in (*found.changes, *found.unknown))


def test_a_rule_that_was_taken_away_at_run_time_comes_back() -> None:
    raw = RawFilters(configured_by=AT_RUN_TIME)
    assert messages(after(raw)) == ""
    found = after(raw, startup={"ignore_table": ("st.a",)})
    assert "to no rule, which is lost at a restart: 'st.a' comes back" in messages(found)
    assert "no rule now, and 'st.a' after a restart" in messages(
        after(RawFilters(), options=written("replicate-ignore-table=st.a"))
    )


def test_a_line_with_a_comma_is_one_name() -> None:
    raw = RawFilters(ignore_table=TWO, configured_by=AT_START, source_binlog_known=True)
    assert "a single name to the server" in messages(after(raw))
    one_line = written("replicate-ignore-table=st.event,st.dmz")
    found = after(raw, options=one_line)
    assert messages(found) == ""
    assert found.filters.crosses(Table(TableName("st", "event"), ())).crosses is True
    two_lines = written("replicate-ignore-table=st.event", "replicate-ignore-table=st.dmz")
    assert after(raw, options=two_lines).filters.crosses(Table(TableName("st", "event"), ())).crosses is False


def test_databases_that_are_rewritten() -> None:
    how = {"REPLICATE_REWRITE_DB": "CHANGE_REPLICATION_FILTER_FOR_CHANNEL"}
    raw = RawFilters(rewrite_db=(("a", "b"),), configured_by=how)
    assert messages(after(raw, options=written("replicate-rewrite-db=a->b"))) == ""
    assert "replicate_rewrite_db is 'a->b' now and is lost" in messages(after(raw, options=written("port=1")))


def test_settings_that_a_restart_changes() -> None:
    blue = Side("blue", 0, "ROW", (Setting("binlog_format", "ROW", "MIXED", "my.cnf:3 says so"),))
    found = after(RawFilters(), source=blue)
    assert [one.message for one in found.changes] == [
        "binlog_format of blue is ROW now, and MIXED after a restart: my.cnf:3 says so"
    ]
    blue = Side("blue", 0, "ROW", (Setting("server_id", "1", None, "it was set at run time"),))
    assert "perhaps something else after a restart" in messages(after(RawFilters(), source=blue))


def test_what_is_logged_and_spelt_otherwise_at_the_source() -> None:
    around = Surroundings(GREEN, Side("blue", 1, "MIXED"), sessions=("app@host (STATEMENT, 2)",))
    told = " ".join(one.message for one in BinlogLinkFilters(RawFilters(), "", lambda: around).fragile(()))
    for words in (
        "binlog_format of blue is MIXED",
        "sessions on blue log statements whatever binlog_format is for others: app@host (STATEMENT, 2)",
        "lower_case_table_names is 1 on blue and 0 on green",
    ):
        assert words in told
    hidden = Surroundings(GREEN, Side("blue", 0, "ROW"), sessions=MissingGrant("GRANT it"))
    (unknown,) = BinlogLinkFilters(RawFilters(), "", lambda: hidden).fragile(())
    assert "whether sessions on blue log statements is not known" in unknown.message
    assert unknown.remedy == "GRANT it"
    alike = Surroundings(GREEN, Side("blue", 0, "ROW"), sessions=())
    assert BinlogLinkFilters(RawFilters(), "", lambda: alike).fragile(()) == ()


def test_option_files_of_this_machine(tmp_path: Path) -> None:
    """They are believed where they hold what the server says it has from there, and no others."""
    wanted = groups("mysql", (9, 7, 4))
    main, own = tmp_path / "my.cnf", tmp_path / "own.cnf"
    main.write_text("!includedir conf.d\n[mysqld]\nmax-connections=5\n")
    (tmp_path / "conf.d").mkdir()
    included = tmp_path / "conf.d" / "a.cnf"
    included.write_text("[mysqld]\nbinlog-format=ROW\nreplicate-ignore-table=st.a\n")
    own.write_text("[mysqld]\nport=7\nreplicate-ignore-table=st.b\n")

    def found(read: dict[str, set[str]], *unplaced: str) -> OptionFile | None:
        return of_this_machine(read, set(unplaced), wanted, [main, tmp_path / "none.cnf"])

    whole = found({str(included): {"binlog_format"}})
    assert whole is not None
    assert (whole.rules("ignore_table", ""), whole.unread) == (("st.a",), ())
    assert found({}, "max_connections", "binlog_format") == whole
    part = found({str(own): {"port"}})
    assert part is not None
    assert (part.rules("ignore_table", ""), len(part.unread)) == (("st.b",), 1)
    assert found({}) is None
    assert found({}, "max_connections", "port") is None
    assert found({str(included): {"port"}}) is None
    assert found({str(tmp_path / "none.cnf"): {"port"}}) is None
