"""What a statement is and which tables it names, from its text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replguard.config import policy_of
from replguard.engines.binlog.statements import Mode, named, operation, references, transaction_effect
from replguard.engines.binlog.tokens import DEFAULT, Kind, Token, readings, tokens
from replguard.engines.binlog.updates import updated
from replguard.model.changes import Operation
from replguard.model.tables import TableName
from replguard.policy import TableClass
from tests.unit.corpus import statements

EVENT = TableName("st", "event")


def names(text: str, mode: Mode = DEFAULT) -> set[str]:
    return {str(table) for table in named(text, "st", mode)}


@pytest.mark.parametrize("text", statements("hits"))
def test_the_table_is_named(text: str) -> None:
    found = references(text, "st")
    where = found.guessed if operation(text) is Operation.statement else found.tables
    assert EVENT in {table.folded() for table in where}
    assert set(found.tables).isdisjoint(found.guessed)


@pytest.mark.parametrize("text", [*statements("misses"), "INSERT INTO account VALUES ('event', 'it''s \\' event')"])
def test_it_is_no_table_there(text: str) -> None:
    assert EVENT not in {table.folded() for table in named(text, "st")}


BLANKS = st.sampled_from(
    [" ", "\n", "\t\v", "\r\f ", "/**/", "/* event2 ' \" ` */", "-- it's\n", "--\n", "# `\n", "/*/ ; */"]
)
RUN = st.sampled_from(["/*!", "/*!50000 ", "/*!40101", "/*!050503\n"])


def decorated(draw: st.DrawFn, token: Token) -> str:
    """One token, in another case or quoted, perhaps within an executable comment."""
    text = token.text
    if token.kind is Kind.word:
        text = "`event`" if text == "event" and draw(st.booleans()) else draw(st.sampled_from([text, text.swapcase()]))
    elif token.kind is Kind.quoted:
        text = "`" + text.replace("`", "``") + "`"
    return f"{draw(RUN)} {text}*/" if draw(st.integers(0, 9)) == 0 and token.kind is not Kind.string else text


@st.composite
def dressed(draw: st.DrawFn, corpus: list[str]) -> str:
    text = draw(st.sampled_from(corpus))
    parts = [decorated(draw, token) + draw(BLANKS) for token in tokens(text)]
    return draw(BLANKS) + "".join(parts)


DRESSABLE = [text for text in statements("hits") if "/*" not in text and "1.FROM" not in text]


@given(dressed(DRESSABLE))
def test_no_decoration_hides_a_table(text: str) -> None:
    found = references(text, "st")
    where = found.guessed if operation(text) is Operation.statement else found.tables
    assert EVENT in {table.folded() for table in where}
    assert operation(text) is not None


@given(dressed([text for text in statements("misses") if "/*" not in text]))
def test_no_decoration_makes_a_table_of_another_name(text: str) -> None:
    assert EVENT not in {table.folded() for table in named(text, "st")}


@given(st.text(alphabet="event `'\"\\/*!M50001-#;().,=@%\n\x00$é\xa0"), st.booleans(), st.booleans())
def test_any_text_is_read_to_its_end(text: str, ansi: bool, plain: bool) -> None:
    mode = Mode(ansi, plain)
    assert all(len(reading) <= len(text) for reading in readings(text, mode))
    references(text, "st", mode)
    transaction_effect(text)
    operation(text, mode)


@pytest.mark.parametrize(
    "text",
    [
        "CREATE PROCEDURE p() BEGIN PREPARE s FROM 'DROP TABLE event'; EXECUTE s; END",
        "CREATE PROCEDURE p() BEGIN EXECUTE IMMEDIATE CONCAT('DROP TABLE ', 'st.event'); END",
        "CREATE FUNCTION f() RETURNS INT LANGUAGE JAVASCRIPT AS $$ session.sql(`DELETE FROM event`) $$",
        "CREATE FUNCTION f() RETURNS INT LANGUAGE JAVASCRIPT AS $js$ it's; event $js$",
        "CREATE VIEW v AS WITH event AS (SELECT 1 FROM event) SELECT * FROM event",
        "CREATE SOMETHING NEW event",
        "CREATE TABLE event\xa0(id INT)",
        "INSERT INTO a VALUES (f(event))",
        "FROBNICATE event",
    ],
)
def test_what_is_not_understood_is_guessed(text: str) -> None:
    assert EVENT in references(text, "st").guessed


def test_what_makes_servers_differ_is_read_in_every_way() -> None:
    many = "".join(f"/*!{version} x */" for version in range(80000, 80020))
    assert EVENT in {*named(f"DROP {many} TABLE event", "st")}
    assert operation("/*!99999 BEGIN */ DROP TABLE event") is Operation.statement
    for name in ("event", "1event"):
        assert TableName("st", name) in named("DROP TABLE /*!500001event */", "st")
    assert EVENT in named("CREATE /*!50700 TEMPORARY */ TABLE event (id INT)", "st")
    assert EVENT in named("CREATE /*M! TEMPORARY */ TABLE event (id INT)", "st")
    assert EVENT not in named("CREATE /*!50000 TEMPORARY */ TABLE event (id INT)", "st")


def test_the_mode_decides_what_a_string_is() -> None:
    assert "st.event" in names('DROP TABLE "event"', Mode(ansi=True))
    assert "st.event" in names(r"INSERT INTO a VALUES ('\', event)", Mode(plain_backslash=True))
    assert "st.event" in names(r'DROP TABLE "a\", event', Mode(ansi=True))
    assert "st.event" not in names(r'CREATE VIEW v AS SELECT "a\", event" FROM a')


def test_names_keep_their_quotes_and_letters() -> None:
    assert names('DROP TABLE `Order"; DROP--`') == {'st.Order"; DROP--'}
    assert names("DROP TABLE `täglich``es`.`日`") == {"täglich`es.日"}


def test_a_dropped_database_is_all_its_tables() -> None:
    assert names("DROP DATABASE IF EXISTS `zz`") == {"zz.*"}
    assert names("CREATE DATABASE zz") == set()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("INSERT INTO a VALUES (1)", Operation.statement),
        ("/* x */ (SELECT 1)", Operation.statement),
        ("TRUNCATE a", Operation.truncate),
        ("create table a (b int)", Operation.ddl),
        ("SAVEPOINT a", None),
        ("XA END X'61',X'',1", None),
        ("BEGIN", None),
        ("begin work", None),
        ("BEGIN NOT ATOMIC DROP TABLE a; END", Operation.statement),
        ("START TRANSACTION", None),
        ("RELEASE SAVEPOINT a", None),
        ("ANALYZE TABLE a", Operation.ddl),
        ("ANALYZE UPDATE a SET b = 1", Operation.statement),
        ("SET STATEMENT max_statement_time=1 FOR DROP TABLE a", Operation.ddl),
        ("SET STATEMENT max_statement_time=1 FOR DELETE FROM a", Operation.statement),
        ("SET PASSWORD FOR u = 'x'", Operation.ddl),
        ("/*!80001 create */ view a as select 1", Operation.statement),
        ("/*!40000 create */ view a as select 1", Operation.ddl),
        ("CREATE SOMETHING NEW x", Operation.statement),
        ("IMPORT TABLE FROM '/tmp/x.sdi'", Operation.statement),
        ("CREATE OR REPLACE ALGORITHM=MERGE DEFINER=a@b SQL SECURITY INVOKER VIEW v AS SELECT 1", Operation.ddl),
        ("CREATE DEFINER=CURRENT_USER() AGGREGATE FUNCTION f() RETURNS INT RETURN 1", Operation.ddl),
        ("", Operation.statement),
    ],
)
def test_operations(text: str, kind: Operation | None) -> None:
    assert operation(text) is kind


def test_updated_says_that_it_does_not_know() -> None:
    assert updated("UPDATE a JOIN b SET a.x = 1", "st").tables is None
    assert updated("DROP TRIGGER a", "st").tables is None
    assert updated("CREATE PROCEDURE p() DELETE FROM a", "st").tables == ()
    assert [str(table) for table in updated("DELETE FROM a WHERE 1", "st").tables or ()] == ["st.a"]


@pytest.mark.parametrize("preset", ["securetransport-zero-downtime", "zato"])
def test_ordinary_ddl_is_no_hit(preset: str) -> None:
    """Its only name that may be a forbidden table's stands in a statement that a procedure makes up."""
    policy = policy_of(preset)
    for text in statements("ordinary"):
        found = references(text, "st")
        hits = [name for name in found.tables if policy.classify(name).table_class is TableClass.must_not_sync]
        assert hits == [], text
        assert not found.guessed or "PREPARE" in text, text
