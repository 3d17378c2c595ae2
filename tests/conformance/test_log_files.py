"""Log files of real servers as one stream: nothing is lost between files, and no damage passes as clean."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from replguard.engines import of_files
from replguard.errors import UsageError
from replguard.model.changes import Change, Trouble
from tests.conformance.log_files import FORMAT_ENDS, START_APPLIER, STOP_APPLIER, Logs, copied, folder_of
from tests.conformance.mysql_mariadb_sides import eventually
from tests.servers.workspace import workspace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from replguard.model.changes import StreamItem
    from tests.servers.workspace import Workspace

pytestmark = pytest.mark.engines("mariadb", "mysql")
TABLES = (
    "CREATE TABLE account (id INT PRIMARY KEY, v LONGTEXT)",
    "CREATE TABLE event (id INT PRIMARY KEY, v LONGTEXT)",
)


@pytest.fixture
def logs(db: Workspace, tmp_path: Path) -> Logs:
    db.run("blue", *TABLES)
    return Logs(db, tmp_path / "logs")


def read(paths: Sequence[Path], since: str | None = None, until: str | None = None) -> list[StreamItem]:
    files = of_files(paths).files
    assert files
    found: list[StreamItem] = []
    with files.open(paths, since=since, until=until) as stream:
        while not stream.caught_up:
            found += stream.poll(5.0)
        found_at_end = stream.poll(0)
    assert list(found_at_end) == []
    return found


def changes(items: list[StreamItem]) -> list[tuple[str, str]]:
    """Operation and table; a trouble fails the test."""
    assert [item for item in items if isinstance(item, Trouble)] == []
    return [(item.operation.value, table.name) for item in items if isinstance(item, Change) for table in item.tables]


def troubles(items: list[StreamItem]) -> list[str]:
    return [item.kind.value for item in items if isinstance(item, Trouble)]


def three_files(logs: Logs) -> list[Path]:
    for number in (1, 2, 3):
        logs.db.run("blue", f"INSERT INTO event VALUES ({number}, 'x')")
        if number < 3:
            logs.rotate()
    return logs.files()


INSERTS = [("insert", "event")] * 3


def test_several_files_in_any_order_are_one_stream(logs: Logs) -> None:
    one, two, three = three_files(logs)
    found = read([three, one, two])
    assert changes(found) == INSERTS
    places = [(item.detail["file"], item.detail["offset"]) for item in found if isinstance(item, Change)]
    for path, (file, offset) in zip((one, two, three), places, strict=True):
        assert path.name == file
        assert path.read_bytes()[offset + 4] in (23, 30)  # a row event


def test_a_file_that_is_missing_is_a_gap(logs: Logs) -> None:
    one, _two, three = three_files(logs)
    found = read([one, three])
    assert troubles(found) == ["stream.gap"]
    assert sum(isinstance(item, Change) for item in found) == 2


def test_copies_under_other_names_are_held_against_each_other_by_gtids(logs: Logs) -> None:
    one, two, three = (path.rename(path.with_name(name)) for path, name in zip(three_files(logs), "xyz", strict=True))
    assert changes(read([one, two, three])) == INSERTS
    assert "stream.gap" in troubles(read([one, three]))
    assert "stream.gap" in troubles(read([two, one, three]))


def test_files_that_are_no_one_stream_are_refused(logs: Logs, tmp_path: Path) -> None:
    one, two, _three = three_files(logs)
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(UsageError, match="twice"):
        read([one, two, one])
    (other / one.name).write_bytes(two.read_bytes())
    with pytest.raises(UsageError, match="twice"):
        read([one, other / one.name])
    with pytest.raises(UsageError, match="relay log"):
        read([one, logs.received()[0]])


def test_files_of_two_servers_are_refused(logs: Logs, tmp_path: Path) -> None:
    (mine,) = logs.files()
    theirs = copied(folder_of(logs.db.pair.green), tmp_path / "green", "binlog.")[-1]
    with pytest.raises(UsageError, match="server_id"):
        read([mine, theirs.rename(theirs.with_name("other.000001"))])


def test_a_file_that_is_being_written_to_is_sound_and_says_so(logs: Logs) -> None:
    logs.db.run("blue", "INSERT INTO event VALUES (1, 'x')")
    paths = logs.files(closed=False)
    assert changes(read(paths)) == [("insert", "event")]
    files = of_files(paths).files
    assert files
    with files.open(paths) as stream:
        assert [file.unfinished for file in stream.files] == [True]


def test_a_copy_that_was_cut_is_never_clean(logs: Logs) -> None:
    logs.db.run("blue", "INSERT INTO account VALUES (1, 'x')", "INSERT INTO event VALUES (1, 'x')")
    (whole,) = logs.files()
    content = whole.read_bytes()
    begins = FORMAT_ENDS[logs.db.engine]
    sizes = [*range(begins, begins + 60, 7), *range(len(content) - 150, len(content))]
    for size in sizes:
        whole.write_bytes(content[:size])
        kinds = troubles(read([whole]))
        assert set(kinds) & {"stream.gap", "stream.corrupt"}, size


def test_a_file_that_becomes_shorter_while_it_is_read_is_damage(logs: Logs) -> None:
    logs.db.run("blue", "INSERT INTO account VALUES (1, 'x')", "INSERT INTO event VALUES (1, 'x')")
    (path,) = logs.files(closed=False)
    first = next(item for item in read([path]) if isinstance(item, Change))
    files = of_files([path]).files
    assert files
    with files.open([path]) as stream:
        path.write_bytes(path.read_bytes()[: int(first.position.text.rpartition(":")[2])])
        assert troubles([item for _ in range(3) for item in stream.poll(1)]) == ["stream.corrupt"]


def test_nothing_but_a_head_is_an_empty_file_of_changes(logs: Logs) -> None:
    logs.first = logs.rotate()
    assert changes(read(logs.files())) == []


@pytest.mark.parametrize("change", ["checksum", "compressed"])
def test_what_may_change_from_file_to_file_is_followed(logs: Logs, change: str) -> None:
    db = logs.db
    setting = {
        ("checksum", "mariadb"): ("binlog_checksum = NONE", "binlog_checksum = CRC32"),
        ("checksum", "mysql"): ("binlog_checksum = NONE", "binlog_checksum = CRC32"),
        ("compressed", "mariadb"): ("log_bin_compress = ON", "log_bin_compress = OFF"),
        ("compressed", "mysql"): ("binlog_transaction_compression = ON", "binlog_transaction_compression = OFF"),
    }[change, db.engine]
    long = "REPEAT('x', 5000)"
    try:
        db.run("blue", f"INSERT INTO event VALUES (1, {long})", f"SET GLOBAL {setting[0]}")
        db.run("blue", f"INSERT INTO event VALUES (2, {long})")
    finally:
        db.run("blue", f"SET GLOBAL {setting[1]}")
    db.run("blue", f"INSERT INTO event VALUES (3, {long})")
    assert changes(read(logs.files())) == INSERTS


def test_parts_by_place_and_by_gtid(logs: Logs) -> None:
    _one, two, three = paths = three_files(logs)
    everything = [item for item in read(paths) if isinstance(item, Change)]
    numbers = {item.transaction: number for number, item in enumerate(everything, 1)}

    def found(**part: str) -> list[int]:
        return [numbers[item.transaction] for item in read(paths, **part) if isinstance(item, Change)]

    second = str(everything[1].transaction)
    begins = str(everything[1].position)
    assert found(since=f"{two.name}:4") == [2, 3]
    assert found(until=f"{two.name}:4") == [1]
    assert found(since=begins, until=f"{three.name}:4") == [2]
    assert found(until=begins) == [1]
    up_to_second = f"{second.rpartition(':')[0]}:1-{second.rpartition(':')[2]}" if ":" in second else second
    assert found(since=up_to_second) == [3]
    assert found(until=up_to_second) == [1, 2]
    for wrong in ("nonsense", "binlog.999999:4"):
        with pytest.raises(UsageError, match="no place"):
            found(since=wrong)


def test_what_a_relay_log_holds_is_known_before_it_is_applied(logs: Logs) -> None:
    db = logs.db
    db.wait_caught_up()
    db.run("green", STOP_APPLIER[db.engine])
    db.run("blue", "INSERT INTO event VALUES (1, 'forbidden')", "FLUSH BINARY LOGS", "DELETE FROM account")
    db.run("blue", "INSERT INTO event VALUES (2, 'forbidden')")
    found = eventually(lambda: [item for item in inserted(logs) if len(inserted(logs)) == 2])
    assert db.query("green", "SELECT * FROM event") == []
    assert {str(item.detail["relay_log"]) for item in found} <= {path.name for path in logs.received()}
    assert {item.detail["server_id"] for item in found} == set(db.query("blue", "SELECT @@server_id")[0])
    db.run("green", START_APPLIER[db.engine])
    db.wait_caught_up()
    assert len(db.query("green", "SELECT * FROM event")) == 2


def inserted(logs: Logs) -> list[Change]:
    """The inserts of this test's database that green has received; none while a transaction is on its way."""
    items = read(logs.received())
    if troubles(items):
        return []
    ours = [item for item in items if isinstance(item, Change) and item.tables]
    return [item for item in ours if (item.tables[0].schema, item.operation.value) == (logs.db.name, "insert")]


def test_a_transaction_that_runs_through_several_relay_logs(logs: Logs) -> None:
    db = logs.db
    db.wait_caught_up()
    stop, start = ("STOP SLAVE", "START SLAVE") if db.engine == "mariadb" else ("STOP REPLICA", "START REPLICA")
    db.run("green", stop, "SET GLOBAL max_relay_log_size = 4096", start, STOP_APPLIER[db.engine])
    try:
        rows = ", ".join(f"({number}, REPEAT('x', 3000))" for number in range(40))
        db.run("blue", f"INSERT INTO event VALUES {rows}", "INSERT INTO account VALUES (1, 'last')")
        eventually(lambda: [item for item in inserted(logs) if item.tables[0].name == "account"])
        assert len(logs.received()) > 2
        assert len([item for item in inserted(logs) if item.tables[0].name == "event"]) > 1
    finally:
        db.run("green", stop, "SET GLOBAL max_relay_log_size = DEFAULT", start)
    db.wait_caught_up()


def test_relay_logs_that_are_torn_or_missing_are_never_clean(logs: Logs) -> None:
    db = logs.db
    db.wait_caught_up()
    db.run("green", STOP_APPLIER[db.engine])
    for number in range(3):
        db.run("blue", f"INSERT INTO event VALUES ({number}, 'x')")
        eventually(lambda: len(inserted(logs)) == number + 1)  # noqa: B023 - called at once
        db.run("green", "FLUSH RELAY LOGS")
    paths = logs.received()
    last = max(index for index, path in enumerate(paths) if changes(read([path])))
    assert "stream.gap" in troubles(read([*paths[: last - 1], *paths[last:]]))
    torn = paths[last]
    content = torn.read_bytes()
    for size in range(len(content) - 120, len(content) - 60):
        torn.write_bytes(content[:size])
        assert set(troubles(read(paths))) & {"stream.gap", "stream.corrupt"}, size
    db.run("green", START_APPLIER[db.engine])


def test_a_transaction_that_was_taken_out_of_a_relay_log_is_missed(logs: Logs) -> None:
    """The relay log's own last event says how long the file was."""
    db = logs.db
    db.wait_caught_up()
    db.run("green", STOP_APPLIER[db.engine])
    db.run("blue", "INSERT INTO event VALUES (1, 'x')", "INSERT INTO event VALUES (2, 'x')")
    eventually(lambda: len(inserted(logs)) == 2)
    db.run("green", "FLUSH RELAY LOGS")
    path = next(path for path in reversed(logs.received()) if troubles(read([path])) == [] != changes(read([path])))
    content = path.read_bytes()
    spans = [(at, at + size) for at, size, kind in framed(content) if kind in (33, 162)]
    (first, _), (second, _) = spans[-2:]
    path.write_bytes(content[:first] + content[second:])
    assert troubles(read([path])) == ["stream.gap"]
    db.run("green", START_APPLIER[db.engine])


def framed(content: bytes) -> list[tuple[int, int, int]]:
    """Offset, size and type of each event."""
    found, at = [], 4
    while at < len(content):
        size = int.from_bytes(content[at + 9 : at + 13], "little")
        found.append((at, size, content[at + 4]))
        at += size
    return found


def test_after_a_crash_the_next_file_proves_that_nothing_is_missing(make_pair, tmp_path: Path) -> None:
    pair = make_pair(direction="none", options=("--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1"))
    with workspace(pair) as db:
        db.run("blue", *TABLES)
        logs = Logs(db, tmp_path / "logs")
        db.run("blue", "INSERT INTO event VALUES (1, 'x')")
        db.pair.blue.kill()
        db.pair.blue.start()
        db.run("blue", "INSERT INTO event VALUES (2, 'x')")
        crashed, after = logs.files()
        assert changes(read([crashed, after])) == INSERTS[:2]
        content = crashed.read_bytes()
        first = next(item for item in read([crashed]) if isinstance(item, Change))
        crashed.write_bytes(content[: int(first.position.text.rpartition(":")[2])])
        assert "stream.gap" in troubles(read([crashed, after]))


def test_a_large_row_takes_little_memory(logs: Logs) -> None:
    logs.db.run("blue", "INSERT INTO event VALUES (1, REPEAT('x', 15000000))")
    paths = logs.files()
    tracemalloc.start()
    try:
        assert changes(read(paths)) == [("insert", "event")]
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
