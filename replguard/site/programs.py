"""Programs of a site's own: run without a shell, in a process group of their own, which is killed when time is up."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SECRET = re.compile("PASS|PWD$|SECRET|TOKEN|KEY|CREDENTIAL", re.IGNORECASE)
MOST_BYTES = 4096
"""Of its output the last bytes are kept."""
WRITES_AT_MOST = 64 * 1024 * 1024
"""Bytes of output after which a program is killed: it would fill the disk."""
_LOOKS_EVERY = 0.2


@dataclass(frozen=True, slots=True)
class Ended:
    """``code`` is the exit code, negative for a signal; None where it did not end in time or could not be begun."""

    code: int | None
    output: str
    words: str


def run(command: Sequence[str], timeout: float, variables: Mapping[str, str]) -> Ended:
    """Run it to its end; standard output and error together."""
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(  # noqa: S603 - it is what the config asks for
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **variables},
                start_new_session=True,
            )
        except OSError as error:
            return Ended(None, "", f"cannot be run: {error.strerror}")
        try:
            code, words = _await(process, timeout, output.fileno())
        finally:
            _end(process)
        return Ended(code, _tail(output.fileno()), words)


def _await(process: subprocess.Popen[bytes], timeout: float, output: int) -> tuple[int | None, str]:
    ends = time.monotonic() + timeout
    while (left := ends - time.monotonic()) > 0:
        with suppress(subprocess.TimeoutExpired):
            code = process.wait(min(left, _LOOKS_EVERY))
            return code, f"ended with {code}"
        if os.fstat(output).st_size > WRITES_AT_MOST:
            return None, f"wrote more than {WRITES_AT_MOST // 1024**2} MB and was killed"
    return None, f"did not end within {timeout:.0f} s and was killed"


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of its process group: it, or children that it left behind."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _tail(handle: int) -> str:
    """The end of the output. So much more is read that no secret is cut before it is seen."""
    secrets = [os.fsencode(secret) for secret in _secrets()]
    most = MOST_BYTES + max(map(len, secrets), default=0)
    size = os.fstat(handle).st_size
    data = os.pread(handle, most, max(size - most, 0))
    text = _without(data, secrets, max(len(data) - MOST_BYTES, 0)).decode("utf-8", "replace")
    return "\n".join("".join(one if one.isprintable() else "?" for one in line) for line in text.splitlines()).strip()


def _without(data: bytes, secrets: Sequence[bytes], start: int) -> bytes:
    """``data`` from ``start``, with three asterisks for what lies in a secret, wherever that begins or ends."""
    hidden = bytearray(len(data))
    for secret in secrets:
        found = data.find(secret)
        while found >= 0:
            hidden[found : found + len(secret)] = b"\1" * len(secret)
            found = data.find(secret, found + 1)
    shown = bytearray()
    for position in range(start, len(data)):
        if not hidden[position]:
            shown.append(data[position])
        elif position == start or not hidden[position - 1]:
            shown += b"***"
    return bytes(shown)


def _secrets() -> list[str]:
    """What variables hold that are named like secrets: a program is given all of them."""
    return [value for name, value in os.environ.items() if _SECRET.search(name) and len(value) > 3]
