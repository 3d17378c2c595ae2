"""Manifests, probes and programs, on real files, sockets and processes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from replguard.demo.servers import until
from replguard.errors import UsageError
from replguard.gates.base import Roles
from replguard.gates.endpoints import _asked
from replguard.gates.files import _judged
from replguard.site import manifest, probes, programs
from replguard.sitefile import EndpointSection, FilesSection
from tests.servers.answering import serving, trickling

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = b"a key of the site"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "empty").mkdir(parents=True)
    (root / "a").mkdir()
    (root / "a" / "one.txt").write_text("one")
    (root / "Größe\n.bin").write_bytes(b"\x00" * 3_000_000)
    (root / "link").symlink_to("/etc/passwd")
    os.close(os.open(os.fsencode(root) + b"/\xff.dat", os.O_CREAT | os.O_WRONLY))
    return root


def test_a_tree_is_listed_whole_and_links_are_not_followed(tree: Path) -> None:
    found = manifest.make(str(tree))
    assert [(one.path, one.kind, one.size) for one in found.entries] == [
        ("Größe\n.bin", "file", 3_000_000),
        ("\\xff.dat", "file", 0),
        ("a", "folder", None),
        ("a/one.txt", "file", 3),
        ("empty", "folder", None),
        ("link", "link", None),
    ]
    assert found.problems == ()
    assert manifest.Manifest.parse(json.dumps(found.document()).encode()).entries == found.entries
    again = manifest.make(str(tree))
    assert again.entries == found.entries
    (tree / "link").unlink()
    (tree / "link").symlink_to("/etc/group")
    assert manifest.make(str(tree)).entries != found.entries


def test_a_key_hides_contents_and_is_named_without_being_told(tree: Path) -> None:
    plain, keyed = manifest.make(str(tree)), manifest.make(str(tree), KEY)
    assert not {one.hash for one in plain.entries if one.hash} & {one.hash for one in keyed.entries if one.hash}
    assert plain.key is None
    assert keyed.key == manifest.make(str(tree), KEY).key
    assert keyed.key != manifest.make(str(tree), KEY + b"!").key
    assert KEY.decode() not in json.dumps(keyed.document())


def test_what_cannot_be_listed_is_told(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    (tree / "loop").symlink_to(tree / "loop")
    found = manifest.make(str(tree))
    assert found.problems == ("pipe: is neither file nor folder nor link",)
    assert "loop" in {one.path for one in found.entries}
    with pytest.raises(UsageError, match="cannot be read"):
        manifest.make(str(tree / "missing"))
    with pytest.raises(UsageError, match="holds no file"):
        manifest.make(f"file://{tree}/empty")


def test_a_file_and_a_url_are_listed_too(tree: Path) -> None:
    (one,) = manifest.make(str(tree / "a" / "one.txt")).entries
    assert (one.path, one.kind, one.size) == ("", "file", 3)
    by_url = manifest.make(f"file://{tree}/a")
    assert [(one.path, one.hash) for one in by_url.entries] == [("one.txt", one.hash)]
    assert manifest.load(f"file://{tree}/a/one.txt") == b"one"
    with pytest.raises(OSError, match="FileNotFoundError"):
        manifest.load(f"file://{tree}/missing")


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff", b'{"schema": "other"}', b'{"schema": "replguard.manifest/1"}']
)
def test_what_is_no_manifest_is_told(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words differ
        manifest.Manifest.parse(data)


def _made(path: Path, tree: Path, key: bytes | None = None, **changes: object) -> str:
    path.write_text(json.dumps({**manifest.make(str(tree), key).document(), **changes}))
    return str(path)


def _codes(section: FilesSection) -> list[str]:
    return [finding.code for finding in _judged(section)]


def test_manifests_are_held_against_one_another(tree: Path, tmp_path: Path) -> None:
    blue = _made(tmp_path / "blue.json", tree)
    same = FilesSection.model_validate(
        {"name": "storage", "manifests": {"blue": blue, "green": _made(tmp_path / "green.json", tree)}}
    )
    assert _codes(same) == []
    (tree / "a" / "one.txt").write_text("two")
    (tree / "more").write_text("x")
    other = same.model_copy(update={"manifests": {"blue": blue, "green": _made(tmp_path / "green.json", tree)}})
    found = list(_judged(other))
    assert [one.message for one in found] == [
        "storage: a/one.txt differs between blue and green",
        "storage: more is only on green",
    ]
    assert _codes(other.model_copy(update={"ignore": ["a/*", "MORE"]})) == []
    assert _codes(other.model_copy(update={"ignore": ["*"]})) == ["files.incomplete"], "nothing was compared"
    late = (datetime.now(UTC) - timedelta(hours=30)).isoformat()
    for name, changes, key, code in (
        ("late", {"made_at": late}, None, "files.stale"),
        ("partial", {"problems": ["x: Permission denied"]}, None, "files.incomplete"),
        ("keyed", {}, KEY, "files.unlike"),
    ):
        odd = _made(tmp_path / f"{name}.json", tree, key, **changes)
        codes = _codes(same.model_copy(update={"manifests": {"blue": _made(tmp_path / "b.json", tree), "green": odd}}))
        assert codes == [code], name
    gone = same.model_copy(update={"manifests": {"blue": blue, "green": str(tmp_path / "gone.json")}})
    assert _codes(gone) == ["files.unread"]
    assert set(_codes(same.model_copy(update={"keyed": True}))) >= {"files.unlike"}, (
        "a secret's plain hash can be guessed"
    )


class _Site(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/drip":
            self.send_response(200)
            self.end_headers()
            while not _stop.wait(0.05):
                try:
                    self.wfile.write(b".")
                except OSError:
                    return
            return
        self.send_response(int(self.path[1:4]))
        self.send_header("Location", "http://127.0.0.1:9/")
        self.end_headers()
        self.wfile.write(b"alive" + b"x" * 200_000)

    def log_message(self, *_arguments: object) -> None:
        """Nobody reads it."""


_stop = Event()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Site) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        _stop.set()
        server.shutdown()


@contextmanager
def _silent() -> Iterator[int]:
    """Somebody who accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_http_is_judged_by_status_and_text_and_follows_nothing(port: int) -> None:
    def ask(path: str, **expected: object) -> probes.Answer:
        return probes.http_get(f"http://127.0.0.1:{port}/{path}", probes.Expected(**expected), 5.0)  # type: ignore[arg-type]

    assert ask("200").good is True
    assert ask("200", contains="alive").good is True
    assert ask("200", contains="dead").good is False
    assert ask("503").words == "answers 503, not 200"
    assert ask("302").good is False
    assert ask("302", statuses=(302,)).good is True


def test_who_does_not_answer_in_time_is_unknown(port: int) -> None:
    dripping = probes.http_get(f"http://127.0.0.1:{port}/drip", probes.Expected(contains="never"), 0.5)
    assert dripping.good is None
    with _silent() as silent:
        assert probes.http_get(f"http://127.0.0.1:{silent}/", probes.Expected(), 0.3).good is None
        assert probes.tcp("127.0.0.1", silent, 1.0).good is True
    refused = probes.tcp("127.0.0.1", _free(), 1.0)
    assert (refused.good, refused.words) == (False, "refuses connections")
    assert probes.http_get(f"http://127.0.0.1:{_free()}/", probes.Expected(), 1.0).good is False


def test_a_name_must_lead_to_the_active_side() -> None:
    known = Roles("blue", "green", "said")
    section = EndpointSection(
        name="balancer",
        url="dns://localhost",
        resolves_to={"blue": ["127.0.0.1", "::1"], "green": ["10.0.0.9"]},
        when=["cutover"],
    )
    assert _asked(section, section.url, known).good is True
    assert _asked(section, section.url, Roles("green", "blue", "said")).good is False
    assert _asked(section, section.url, Roles(None, None, "both")).good is None
    missing = _asked(section, "dns://no.such.name.invalid", known)
    assert missing.good is False
    assert _asked(section, "gopher://x", known).good is None


def test_programs_end_by_their_code_or_are_killed_with_their_children(tmp_path: Path) -> None:
    def run(code: str, timeout: float = 30.0) -> programs.Ended:
        return programs.run([sys.executable, "-c", code], timeout, {"REPLGUARD_PURPOSE": "cutover"})

    assert run("import os; print(os.environ['REPLGUARD_PURPOSE'])") == programs.Ended(0, "cutover", "ended with 0")
    assert run("import sys; print('no', file=sys.stderr); sys.exit(1)").output == "no"
    assert len(run("print('x' * 100_000)").output) <= programs.MOST_BYTES
    assert run("import os, signal; os.kill(os.getpid(), signal.SIGTERM)").code == -15
    assert programs.run(["/no/such/program"], 1.0, {}).code is None
    pid = tmp_path / "pid"
    child = (
        "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)']); "
        f"open({str(pid)!r}, 'w').write(str(p.pid)); time.sleep(99)"
    )
    began = time.monotonic()
    ended = run(child, 1.5)
    assert (ended.code, ended.words) == (None, "did not end within 2 s and was killed")
    assert time.monotonic() - began < 60
    number = int(pid.read_text())
    until(
        lambda: not Path(f"/proc/{number}").exists() or "Z" in Path(f"/proc/{number}/stat").read_text().split()[2],
        "the child to go",
    )


def test_a_peer_that_drips_its_headers_is_cut_off_in_time() -> None:
    with serving(trickling) as drips:
        assert probes.http_get(f"http://127.0.0.1:{drips}/", probes.Expected(), 0.3).good is None


def test_what_a_program_prints_shows_no_secret_and_does_nothing_to_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLUE_PASSWORD", "hush-hush")
    ended = programs.run(
        [sys.executable, "-c", "import os; print('\\x1b[31m' + os.environ['BLUE_PASSWORD'])"], 30.0, {}
    )
    assert ended.output == "?[31m***"


def test_no_part_of_a_secret_is_left_where_the_output_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "0123456789" * 30
    monkeypatch.setenv("BLUE_PASSWORD", secret)
    for times in (1, 3):
        rest = programs.MOST_BYTES - (times - 1) * len(secret)
        for left in (1, 150, len(secret) - 1, len(secret)):
            tail = f"os.environ['BLUE_PASSWORD'] * {times} + 'x' * {rest - left - 1}"
            ended = programs.run([sys.executable, "-c", f"import os; print({tail})"], 30.0, {})
            assert not any(digit in ended.output for digit in secret), (times, left)
            assert ended.output.endswith("xxx")


def test_a_program_that_never_stops_writing_is_killed_before_the_disk_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "WRITES_AT_MOST", 1024 * 1024)
    ended = programs.run([sys.executable, "-c", "while True: print('x' * 10_000)"], 60.0, {})
    assert (ended.code, ended.words) == (None, "wrote more than 1 MB and was killed")
    assert len(ended.output) <= programs.MOST_BYTES


def test_a_resolver_that_hangs_is_left_behind_by_every_probe_and_by_the_process() -> None:
    code = (
        "import socket, threading; socket.getaddrinfo = lambda *_, **__: threading.Event().wait(); "
        "from replguard.site import probes; "
        "print(probes.resolve('a.example', 0.1), probes.tcp('a.example', 1, 0.1).good, "
        "probes.http_get('http://a.example/', probes.Expected(), 0.1).good)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "Answer(good=None, words='was not resolved within 0 s') None None\n"
