"""One reading of a binlog in a process of its own, on one core: ``python -m benchmarks.stream_readers ROLE OPTIONS``.

``OPTIONS`` is JSON; what was measured is printed as JSON: wall and processor seconds of the reading itself, what was
read, and the peak memory of the whole process.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from replguard.engines.base import ChangeStream, Engine, Server, Wanted

Options = dict[str, Any]
POLL = 1.0
_PEER_ID = 4_100_000_001


def main() -> None:
    role, options = sys.argv[1], json.loads(sys.argv[2])
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    measured = _ROLES[role](options)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**measured, "memory": memory}))


def _engine(name: str) -> Engine:
    from importlib import import_module  # noqa: PLC0415

    engine: Engine = import_module(f"replguard.engines.{name}").ENGINE
    return engine


def _server(options: Options) -> Server:
    from replguard.endpoint import Endpoint  # noqa: PLC0415

    where = (options[key] for key in ("engine", "host", "port", "user", "password", "database"))
    return _engine(options["engine"]).connect(Endpoint("bench", *where), lambda *_: None)


def _wanted(options: Options, server: Server) -> Wanted:
    """Nobody is interested in any table, but where ``options`` ask for the keys of one schema's."""
    from replguard.engines.base import Wanted  # noqa: PLC0415
    from replguard.model.changes import Interest  # noqa: PLC0415

    if not options.get("keys"):
        return Wanted(lambda _: Interest.counted)
    shapes = {table.name: table for table in server.catalog.tables()}
    return Wanted(lambda name: Interest.keyed if name in shapes else Interest.counted, shapes.get)


def _drain(stream: ChangeStream) -> tuple[int, int]:
    """Read to the end; the number of changes with a key, and of troubles."""
    from replguard.model.changes import Change, Trouble  # noqa: PLC0415

    keys = troubles = 0
    while not stream.caught_up:
        for found in stream.poll(POLL):
            keys += isinstance(found, Change) and found.key is not None
            troubles += isinstance(found, Trouble)
    return keys, troubles


def _measured(stream: ChangeStream) -> Options:
    with stream:
        wall, processor = time.perf_counter(), time.process_time()
        keys, troubles = _drain(stream)
        seconds, busy = time.perf_counter() - wall, time.process_time() - processor
    tally = stream.tally
    if troubles:
        raise SystemExit(f"{troubles} troubles in a sound binlog")
    read = {"events": tally.events, "bytes": tally.bytes, "transactions": tally.transactions, "keys": keys}
    return {"seconds": seconds, "processor": busy, **read}


def _live(options: Options) -> Options:
    server = _server(options)
    try:
        return _measured(server.streams.own("start", _wanted(options, server)))
    finally:
        server.close()


def _files(options: Options) -> Options:
    files = _engine(options["engine"]).files
    assert files is not None
    server = _server(options)
    wanted = _wanted(options, server)
    server.close()
    return _measured(files.open([Path(file) for file in options["files"]], wanted))


def _peer(options: Options) -> Options:
    """mysql-replication, checksums verified, until as many transactions came as there are."""
    from pymysqlreplication import BinLogStreamReader  # noqa: PLC0415
    from pymysqlreplication.event import XidEvent  # noqa: PLC0415
    from pymysqlreplication.row_event import RowsEvent  # noqa: PLC0415

    settings = {key: options[key] for key in ("host", "port", "user")} | {"passwd": options["password"]}
    wall, processor = time.perf_counter(), time.process_time()
    stream = BinLogStreamReader(
        connection_settings=settings,
        server_id=_PEER_ID,
        blocking=True,
        verify_checksum=True,
        is_mariadb=options["engine"] == "mariadb",
        **options["start"],
    )
    transactions = rows = 0
    for event in stream:
        if isinstance(event, XidEvent):
            transactions += 1
            if transactions == options["transactions"]:
                break
        elif options["rows"] and isinstance(event, RowsEvent):
            rows += len(event.rows)
    seconds, busy = time.perf_counter() - wall, time.process_time() - processor
    stream.close()
    return {"seconds": seconds, "processor": busy, "transactions": transactions, "keys": rows}


_ROLES: dict[str, Callable[[Options], Options]] = {"live": _live, "files": _files, "peer": _peer}


if __name__ == "__main__":
    main()
