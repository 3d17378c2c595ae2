"""Expressions for other tools against the policy itself: both must say the same of every name."""

from __future__ import annotations

import random
import re

from replguard.control import filterexport
from replguard.control.exportpatterns import matches, patterns
from replguard.model.tables import TableName
from replguard.policy import Rule, TableClass

GLOBS = ("EVENT", "dmz_*", "log?", "t[0-9]", "t[!a-c]x", "other.audit*", "a$b", "grün", "with,comma", "we ird")
NAMES = [
    *("event", "events", "Event", "dmz_zone", "dmzxzone", "DMZ_", "log1", "log", "log12", "t5", "tx", "tax", "tzx"),
    *("audit", "audit_2", "a$b", "a_b", "GRÜN", "grün", "with,comma", "with.comma", "dmz_a/b"),
]
NAMES += ["we ird", "st.event", "a.dmz_x"]


def forbidden(name):
    return any(Rule(glob, TableClass.must_not_sync).matches(name) for glob in GLOBS)


def every_name():
    return [TableName(schema, name) for schema in ("st", "other") for name in NAMES]


def made(known=()):
    split: dict[bool, list[TableName]] = {True: [], False: []}
    for name in known:
        split[forbidden(name)].append(name)
    return patterns(GLOBS, ["st", "other"], split[True], split[False])


def test_expressions_say_what_the_policy_says():
    found = made(every_name())
    assert (found.unsaid, found.wrong) == ((), ())
    assert [name for name in every_name() if matches(found.texts, str(name)) is not forbidden(name)] == []


def test_tables_that_come_later_are_meant_too():
    """Made without any table: random names of the letters that matter."""
    texts, dice = made().texts, random.Random(3)
    letters = "eEvVnNtTdDmMzZ_x05$log"
    names = [TableName("st", "".join(dice.choices(letters, k=dice.randint(1, 6)))) for _ in range(3000)]
    names += [TableName("st", "dmz_" + name.name) for name in names[:100]]
    assert [name for name in names if matches(texts, str(name)) is not forbidden(name)] == []
    assert sum(map(forbidden, names)) > 100


def test_what_cannot_be_said_is_said():
    odd = patterns(["x[.]y"], ["st"], [TableName("st", "x.y")], [])
    assert odd.unsaid == ("x[.]y",)
    assert odd.texts == ("st[.]x[.]y",)
    wrong = patterns(["event"], ["st"], [], [TableName("st", "EVENT")])
    assert wrong.wrong == (TableName("st", "EVENT"),)


def java_properties(line):
    """Key and value as java.util.Properties reads them, for lines without blanks before the sign of equality."""
    key, _, text = line.partition("=")
    read = re.sub(r"\\u([0-9A-F]{4})", lambda match: chr(int(match[1], 16)), text.replace("\\\\", "\0"))
    return key, read.replace("\0", "\\")


def test_debezium_reads_the_list_as_it_was_meant():
    found = filterexport._debezium(made(every_name()))
    [line] = found.lines
    assert line.isascii()
    key, value = java_properties(line)
    assert (key, value) == ("table.exclude.list", found.value)
    parts = [part.strip() for part in re.split(r"(?<!\\),", value)]
    assert [name for name in every_name() if matches(parts, str(name)) is not forbidden(name)] == []


def test_maxscale_searches_for_one_expression():
    found = filterexport._maxscale(made(every_name()))
    assert found.lines[:3] == ("[replguard]", "type=filter", "module=binlogfilter")
    text = re.fullmatch("exclude=/(.*)/", found.lines[3])
    assert text is not None
    assert not {"/", ";", "#"} & set(text[1])
    searched = re.compile(text[1].removeprefix("(*UTF)"), re.ASCII)
    assert [name for name in every_name() if bool(searched.search(str(name))) is not forbidden(name)] == []
    assert not searched.search("st.")  # what MaxScale looks for where a statement names no table
    narrow = filterexport._maxscale(patterns(["event", "dmz_*"], ["st"], [], []))
    assert narrow.value == "(?i)^(?:st[.]event|st[.]dmz_.*)$"
