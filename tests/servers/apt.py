"""Debian packages by the machine's own apt: installed as root, or unpacked into a folder without touching the system.

For unpacking, apt gets list and cache folders of its own and the mirror from the machine's apt sources.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_TRIES = 3
_ONE_LINE = re.compile(r"^deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<components>.+)$")
_RELEASE = re.compile(r"^(?P<name>[a-z]+)$")


class AptError(RuntimeError):
    """Apt did not do it, also not when asked again."""


@dataclass(frozen=True)
class Source:
    """An archive of Debian itself, as the machine's apt sources have it."""

    uri: str
    suite: str
    keyring: str | None

    def line(self, suite: str) -> str:
        option = f"[signed-by={self.keyring}] " if self.keyring else ""
        return f"deb {option}{self.uri} {suite} main\n"


def debian_source(folder: Path = Path("/etc/apt")) -> Source | None:
    """The first source with the suite of a Debian release itself: not security, updates or another vendor's."""
    files = [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))]
    for file in files:
        if not file.is_file():
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        sources = _stanzas(text) if file.suffix == ".sources" else _lines(text)
        for source in sources:
            if _RELEASE.match(source.suite) and source.uri.rstrip("/").endswith("/debian"):
                return source
    return None


def _lines(text: str) -> list[Source]:
    """One-line sources.

    >>> _lines("deb [arch=amd64 signed-by=/k.gpg] http://mirror/debian bookworm main")
    [Source(uri='http://mirror/debian', suite='bookworm', keyring='/k.gpg')]
    """
    found = []
    for line in text.splitlines():
        match = _ONE_LINE.match(line.strip())
        if match and "main" in match["components"].split():
            options = dict(word.partition("=")[::2] for word in (match["options"] or "").split())
            found.append(Source(match["uri"], match["suite"], options.get("signed-by")))
    return found


def _stanzas(text: str) -> list[Source]:
    """Deb822 sources, one for each suite.

    >>> text = "Types: deb\\nURIs: http://mirror/debian\\nSuites: bookworm bookworm-updates\\nComponents: main"
    >>> [source.suite for source in _stanzas(text)]
    ['bookworm', 'bookworm-updates']
    """
    found = []
    for stanza in re.split(r"\n\s*\n", text):
        pairs = (line.partition(":") for line in stanza.splitlines() if line[:1].isalpha())
        fields = {key.strip().lower(): value.strip() for key, _, value in pairs}
        if "deb" not in fields.get("types", "").split() or "main" not in fields.get("components", "").split():
            continue
        if fields.get("enabled", "yes").lower() == "no":
            continue
        keyring = fields.get("signed-by")
        for uri in fields.get("uris", "").split():
            found += [Source(uri, suite, keyring or None) for suite in fields.get("suites", "").split()]
    return found


class PrivateApt:
    """Apt with folders of its own under ``folder``, for one suite of the machine's mirror."""

    def __init__(self, folder: Path, source: Source, suite: str) -> None:
        self._folder = folder
        for part in ("lists/partial", "cache/archives/partial", "debs"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        listed = folder / "sources.list"
        listed.write_text(source.line(suite), encoding="utf-8")
        settings = {
            "Dir::Etc::sourcelist": listed,
            "Dir::Etc::sourceparts": "-",
            "Dir::Etc::preferencesparts": "-",
            "Dir::State::lists": folder / "lists",
            "Dir::State::status": "/dev/null",
            "Dir::Cache": folder / "cache",
            "APT::Sandbox::User": "",  # the folders are ours alone; apt's own user could not write there
            "Acquire::Languages": "none",
            "Acquire::Retries": "0",  # we ask again ourselves
        }
        self._options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]

    def update(self) -> None:
        run(["apt-get", *self._options, "update", "-q", "-o", "APT::Update::Error-Mode=any"])

    def closure(self, packages: Sequence[str]) -> dict[str, str]:
        """The packages and all that they depend on, each with its version."""
        words = ["apt-get", *self._options, "install", "-s", "-q", "--no-install-recommends", *packages]
        listed = re.findall(r"^Inst (\S+) \((\S+)", run(words), re.MULTILINE)
        return dict(listed)

    def unpack(self, packages: Sequence[str], target: Path) -> None:
        """Download the packages and unpack each into ``target``."""
        debs = self._folder / "debs"
        run(["apt-get", *self._options, "download", "-q", *packages], cwd=debs)
        target.mkdir(parents=True)
        for deb in sorted(debs.glob("*.deb")):
            run(["dpkg", "-x", str(deb), str(target)])
        shutil.rmtree(self._folder)


def run(words: Sequence[str], cwd: Path | None = None, environment: dict[str, str] | None = None) -> str:
    """Run a command, up to three times; its standard output. Raises AptError with its last words."""
    said = ""
    for attempt in range(_TRIES):
        time.sleep(2 * attempt)
        try:
            done = subprocess.run(
                words, cwd=cwd, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
            )
        except OSError as error:
            raise AptError(f"{words[0]}: {error.strerror}") from None
        if done.returncode == 0:
            return done.stdout
        said = done.stderr.strip() or done.stdout.strip()
    raise AptError(" ".join(said.splitlines()[-1:]) or f"{words[0]} failed")
