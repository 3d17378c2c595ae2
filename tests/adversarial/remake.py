"""Makes the fuzzer's seed corpus anew, with the real servers of this machine: ``python -m tests.adversarial.remake``.

Binlog files of MariaDB and MySQL as they are; of PostgreSQL the messages of one slot by each protocol version of
pgoutput, and the lines of test_decoding, one a line (messages in hex).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from replguard.demo.servers import start_pair
from tests.adversarial.recording import record

if TYPE_CHECKING:
    from replguard.demo.servers import Server

FOLDER = Path(__file__).parent / "corpus"
_SCENES = ("tables", "rows", "ddl", "statements", "images", "compressed", "more", "anonymous", "little")
_SETUP = (
    "CREATE TABLE plain (id int PRIMARY KEY, v text)",
    'CREATE TABLE "Full Name" (a numeric, "b ""c" text[])',
    'ALTER TABLE "Full Name" REPLICA IDENTITY FULL',
    "CREATE TYPE mood AS ENUM ('sad', 'glad')",
    "CREATE TABLE typed (id int PRIMARY KEY, m mood, j jsonb, t timestamptz, b bytea, f float8, big text)",
    "ALTER TABLE typed ALTER big SET STORAGE EXTERNAL",
    "CREATE PUBLICATION p FOR ALL TABLES",
    "SELECT pg_create_logical_replication_slot('one', 'pgoutput', false, true)",
)
_TRAFFIC = (
    "INSERT INTO plain VALUES (1, 'it''s'), (2, NULL)",
    "UPDATE plain SET id = 3, v = 'ü' WHERE id = 1",
    "DELETE FROM plain WHERE id = 2",
    """INSERT INTO "Full Name" VALUES (1.50, '{"x y",NULL}'); UPDATE "Full Name" SET a = 2; DELETE FROM "Full Name" """,
    "INSERT INTO typed VALUES (1, 'glad', '{\"a\": [1]}', '2026-01-01', '\\x00ff', 'NaN', repeat('x', 3000))",
    "UPDATE typed SET m = 'sad'",
    "TRUNCATE plain, typed RESTART IDENTITY CASCADE",
    "SELECT pg_logical_emit_message(true, 'prefix', 'content')",
    (
        "BEGIN; INSERT INTO plain SELECT n, repeat('y', 500) FROM generate_series(10, 300) n; SAVEPOINT s; "
        "INSERT INTO plain VALUES (1000, 's'); ROLLBACK TO s; COMMIT"
    ),
    "BEGIN; INSERT INTO plain SELECT n, repeat('y', 500) FROM generate_series(2000, 2300) n; ROLLBACK",
    "BEGIN; INSERT INTO plain VALUES (5000, 'two-phase'); PREPARE TRANSACTION 'g'; COMMIT PREPARED 'g'",
    "BEGIN; INSERT INTO plain VALUES (5001, 'two-phase'); PREPARE TRANSACTION 'h'; ROLLBACK PREPARED 'h'",
)
_WITH_CONTRIB = ("SELECT pg_create_logical_replication_slot('two', 'test_decoding', false, true)",)
_MOST = 60
"""Messages kept of each: the streamed ones are all alike."""


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for engine in ("mariadb", "mysql"):
        with start_pair(engine, direction="none") as pair:
            corpus = record(pair.blue)
        for scene in _SCENES:
            if any(log.scene == scene for log in corpus.logs):
                (FOLDER / f"{engine}-{scene}.bin").write_bytes(corpus.of(scene).data)
    for version in ("15", "18"):
        options = ("logical_decoding_work_mem=64kB", "max_prepared_transactions=4")
        with start_pair("postgresql", version, direction="none", options=options) as pair:
            _postgresql(pair.blue, version)


def _postgresql(server: Server, version: str) -> None:
    for texts in (_SETUP, _WITH_CONTRIB if version == "15" else (), _TRAFFIC):
        with server.connect() as connection:
            for text in texts:
                for part in text.split("; "):
                    connection.run(part)
    for protocol, options in {"1": "", "2": ", 'streaming', 'on'", "3": ", 'streaming', 'on'", "4": ""}.items():
        if protocol == "4" and version == "15":
            continue
        more = ", 'streaming', 'parallel'" if protocol == "4" else options
        rows = server.query(
            "SELECT data FROM pg_logical_slot_peek_binary_changes('one', NULL, NULL, 'proto_version', "
            f"'{protocol}', 'publication_names', 'p', 'messages', 'true'{more})"
        )
        messages = _different([bytes(row[0]).hex() for row in rows])
        (FOLDER / f"pgoutput-{protocol}-of-{version}.hex").write_text("\n".join(messages) + "\n")
    if version == "15":
        rows = server.query("SELECT data FROM pg_logical_slot_peek_changes('two', NULL, NULL)")
        (FOLDER / "test_decoding.txt").write_text("\n".join(_different([row[0] for row in rows])) + "\n")


def _different(messages: list[str]) -> list[str]:
    """The messages without long runs of the same kind, in order."""
    kept: list[str] = []
    run = 0
    for before, message in zip(["", *messages], messages, strict=False):
        run = run + 1 if message[:2] == before[:2] else 0
        if run < 4 and len(kept) < 4 * _MOST:
            kept.append(message)
    return kept


if __name__ == "__main__":
    main()
