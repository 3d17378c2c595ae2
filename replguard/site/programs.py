"""Programs of a site's own: run without a shell, in a process group of their own, which is killed when time is up."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SECRET = re.compile("PASS|PWD$|SECRET|TOKEN|KEY|CREDENTIAL", re.IGNORECASE)
MOST_BYTES = 4096
"""Of its output the last bytes are kept."""


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
            code: int | None = process.wait(timeout)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end(process)
        text = _tail(output.fileno())
    if code is None:
        return Ended(None, text, f"did not end within {timeout:.0f} s and was killed")
    return Ended(code, text, f"ended with {code}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of its process group: it, or children that it left behind."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _tail(handle: int) -> str:
    size = os.fstat(handle).st_size
    data = os.pread(handle, MOST_BYTES, max(size - MOST_BYTES, 0))
    text = _without_secrets(data.decode("utf-8", "replace"))
    return "\n".join("".join(one if one.isprintable() else "?" for one in line) for line in text.splitlines()).strip()


def _without_secrets(text: str) -> str:
    """The output without what variables hold that are named like secrets: a program is given all of them."""
    for value in sorted((value for name, value in os.environ.items() if _SECRET.search(name)), key=len, reverse=True):
        text = text.replace(value, "***") if len(value) > 3 else text
    return text
