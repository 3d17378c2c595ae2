"""``python -m tests.servers``: a pair to play with, what servers this machine has, getting those that are missing."""

from __future__ import annotations

import argparse
import signal
import sys
import time

from replguard.demo.servers import ENGINES, ServersNotFound, StartError, found, start_pair
from tests.servers.install import InstallError, install


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (ServersNotFound, StartError, InstallError) as error:
        print(error, getattr(error, "remedy", None) or "", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.servers", description=__doc__)
    commands = parser.add_subparsers(required=True)
    up = commands.add_parser("up", help="start a pair, print its URLs, stay until Ctrl-C")
    up.add_argument("engine", choices=ENGINES)
    up.add_argument("--two-way", action="store_true", help="replicate in both directions")
    up.add_argument("--version", help="10.11, 18, ...; default: the newest")
    up.set_defaults(run=_up)
    get = commands.add_parser("install", help="get what is missing")
    get.add_argument("--upgrade", action="store_true", help="also look for newer versions of what was unpacked")
    get.set_defaults(run=_install)
    commands.add_parser("list", help="what this machine has").set_defaults(run=_list)
    return parser


def _up(options: argparse.Namespace) -> int:
    begun = time.monotonic()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        with start_pair(options.engine, options.version, "two-way" if options.two_way else "one-way") as pair:
            pair.create_database("st")
            took = time.monotonic() - begun
            print(f"{pair.engine} {pair.version}, {pair.direction}, up in {took:.1f} s; Ctrl-C ends it")
            for server in pair.servers:
                print(f"{server.name}: {server.url('st')}   admin: {server.url('st', server.admin.user)}")
            if pair.engine == "postgresql":
                print("database st is on both sides; nothing of it is published yet")
            sys.stdout.flush()
            signal.pause()
    except KeyboardInterrupt:
        print("stopped, data removed")
    return 0


def _install(options: argparse.Namespace) -> int:
    install(upgrade=options.upgrade)
    return 0


def _list(_options: argparse.Namespace) -> int:
    for engine in ENGINES:
        installations = found(engine)
        for installation in installations:
            print(f"{engine:10}  {installation.version:9}  {installation.origin:19}  {installation.server}")
        if not installations:
            print(f"{engine:10}  missing    {ServersNotFound(engine).how_to_get}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
