"""PostgreSQL servers of the demo and the tests. For root they run as another user, from files this user may read."""

from __future__ import annotations

import os
import signal
import subprocess
from functools import cached_property
from typing import TYPE_CHECKING, Any

from replguard.demo.servers.access import Access
from replguard.demo.servers.keeping import keeper, readable_copy, server_user
from replguard.demo.servers.server import HOST, LocalServer, StartError

if TYPE_CHECKING:
    from pathlib import Path

_SETTINGS = (
    "wal_level=logical",
    "max_replication_slots=20",
    "max_wal_senders=20",
    "max_logical_replication_workers=10",
    "max_worker_processes=30",
    "max_prepared_transactions=10",
    "max_connections=60",
    "track_commit_timestamp=on",
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=64MB",
    "wal_writer_delay=10ms",
    "wal_retrieve_retry_interval=200ms",
    "wal_receiver_status_interval=1s",
    "password_encryption=scram-sha-256",
    "dynamic_shared_memory_type=mmap",  # so that a server that is killed leaves nothing outside its folder
)


class PostgreSQLServer(LocalServer):
    admin_user = "postgres"
    stop_signal = signal.SIGINT
    discard_signal = signal.SIGQUIT
    transient = ("pre-existing shared memory block", "is another postmaster", "lock file")

    def process_options(self) -> dict[str, Any]:
        user = server_user()
        if user is None:
            return {}
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    @property
    def socket(self) -> Path:
        return self.folder / f".s.PGSQL.{self.port}"

    def probe(self) -> Access:
        return Access(self.engine, HOST, self.port, self.admin_user, self.password, str(self.folder))

    def command(self) -> list[str]:
        settings = [f"listen_addresses={HOST}", f"port={self.port}", f"unix_socket_directories={self.folder}"]
        words = [str(self._programs / "bin" / "postgres"), "-D", str(self.data)]
        for setting in (*settings, *_SETTINGS, *self.options):
            words += ["-c", setting]
        return words

    def prepare(self) -> None:
        user = server_user()
        if user is not None:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        secret = self.folder / "secret"
        secret.write_text(self.password)
        secret.chmod(0o600)
        if user is not None:
            os.chown(secret, user.pw_uid, user.pw_gid)
        words = [str(self._programs / "bin" / "initdb"), "-D", str(self.data), "-U", self.admin_user]
        words += [f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env=self.environment(),
            **self.process_options(),
        )
        if done.returncode:
            raise StartError(f"{self.engine} {self.version} could not make a data folder:\n{done.stdout}{done.stderr}")
        secret.unlink()

    @cached_property
    def _programs(self) -> Path:
        root = self.installation.root
        if server_user() is None:
            return root
        return readable_copy(root, self.installation.libraries, keeper.folder() / f"postgresql-{self.version}")

    def environment(self) -> dict[str, str]:
        bundled = self._programs / "libraries"
        return {**super().environment(), **({"LD_LIBRARY_PATH": str(bundled)} if bundled.is_dir() else {})}
