"""The story of the demo: real commands on a real pair, each shown as a user would type it, each checked.

A scene is data: what happens on the stage, the command that is run, and what it must show. The demo ends well only if
every scene showed what it promises.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from replguard.demo.servers import ServersNotFound, StartError, start_pair
from replguard.demo.servers.found import find
from replguard.demo.servers.pair import open_pair
from replguard.demo.stage import DATABASE, Stage
from replguard.errors import ReplguardError

if TYPE_CHECKING:
    from collections.abc import Callable

    from replguard.demo.servers import Pair

PATIENCE = 120.0
"""Seconds after which a command of the story counts as hanging."""
EVENT_EVERY = 0.25


@dataclass(frozen=True, slots=True)
class Scene:
    """One step: ``before`` is done on the stage, ``arguments`` go to replguard, ``during`` is done while it runs.

    The command must exit with ``exits`` and print each text of ``shows``.
    """

    title: str
    arguments: tuple[str, ...]
    exits: int
    shows: tuple[str, ...]
    before: Callable[[], None] | None = None
    during: Callable[[], None] | None = None


def scenes(stage: Stage) -> tuple[Scene, ...]:
    """The main job from end to end."""
    audit = ("filter", "audit")
    return (
        Scene("Replication runs from blue to green.", ("status",), 0, ("blue->green", "running", "PASS")),
        Scene("What must not sync is kept apart, all else crosses.", audit, 0, ("PASS",)),
        Scene(
            "Somebody lets the event queue cross. The audit finds it before any row has moved.",
            audit,
            1,
            ("leak.configured", "event", "FAIL"),
            before=stage.leak,
        ),
        Scene(
            "The application queues events, and the leak shows in the streams.",
            ("watch", "--for", "3s"),
            1,
            ("leak.sent", "leak.applied", "event", "FAIL"),
            during=stage.queue_event,
        ),
        Scene("The leak is closed, and what leaked is removed.", audit, 0, ("PASS",), before=stage.mend_leak),
        Scene(
            "Somebody corrects two things on green alone. The comparison names the rows.",
            ("diff",),
            1,
            ("row.differs", "id=7", "typo@example.com", "row.extra", "debug", "FAIL"),
            before=stage.drift,
        ),
        Scene(
            "The rows are put right, and replication is paused: drained, stopped, verified.",
            ("pause", "--reason", "CHG-4711"),
            0,
            ("paused", "PASS"),
            before=stage.mend_drift,
        ),
        Scene(
            "Nothing moves between the clusters now, though blue still queues events: the comparison is exact.",
            ("diff",),
            0,
            ("exact", "PASS"),
            before=stage.queue_event,
        ),
        Scene(
            "The gate for a cutover asks for just that.", ("gate", "--for", "cutover", "--window", "1s"), 0, ("PASS",)
        ),
        Scene("Replication goes on, and data flows.", ("resume",), 0, ("resumed", "PASS")),
        Scene("All is mended, and the gate passes.", ("gate", "--window", "2s"), 0, ("diff.data", "PASS")),
    )


def tell(engine: str, *, keep: bool = False, color: bool = True, debug: bool = False) -> int:
    """Run the demo; 0 if every scene showed what it promises, 1 if one did not, 3 if it could not be played."""
    console = Console(no_color=not color or "NO_COLOR" in os.environ, highlight=False)
    ended = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with ExitStack() as stack:
            return _tell(engine, console, stack, keep=keep)
    except ServersNotFound as error:
        console.print(f"error: {error.message}", markup=False)
        console.print(f"  -> {error.remedy}", markup=False)
        return error.exit_code
    except KeyboardInterrupt:
        console.print("\ninterrupted: servers stopped, their data removed")
        return 3
    except (StartError, ReplguardError, OSError, TimeoutError) as error:
        if debug:
            traceback.print_exception(error)
        console.print(f"error: the demo could not be played: {error}", markup=False)
        return 3
    finally:
        signal.signal(signal.SIGTERM, ended)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _tell(engine: str, console: Console, stack: ExitStack, *, keep: bool) -> int:
    started = time.monotonic()
    installation = find(engine)
    console.print(
        f"Starting two {engine} {installation.version} servers: [bold]blue[/] (active), [bold]green[/] (passive)."
    )
    pair = open_pair(installation) if keep else stack.enter_context(start_pair(engine, installation.version))
    stage = Stage(pair)
    stage.build()
    folder = _folder(stack, keep=keep)
    environment = _config(pair, folder)
    failures = 0
    for number, scene in enumerate(scenes(stage), start=1):
        console.print(Text(f"{number}. {scene.title}", "bold"), soft_wrap=True)
        failures += not play(scene, console, folder, environment)
    _end(console, failures, time.monotonic() - started)
    if keep:
        _leave(pair, folder, environment, console)
    return 1 if failures else 0


def _folder(stack: ExitStack, *, keep: bool) -> Path:
    """Where config and receipts of the demo lie; removed at the end unless the pair is kept."""
    folder = Path(mkdtemp(prefix="replguard-demo-"))
    if not keep:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _config(pair: Pair, folder: Path) -> dict[str, str]:
    """Write replguard.yaml; returns the environment that its passwords are taken from."""
    lines = ["clusters:"]
    for server in pair.servers:
        variable = f"{server.name.upper()}_PASSWORD"
        url = f"{pair.engine}://{server.user.user}:${{{variable}}}@{server.user.host}:{server.port}/{DATABASE}"
        lines.append(f'  {server.name}: {{url: "{url}"}}')
    lines += [
        "policy:",
        "  preset: securetransport-zero-downtime",
        "  local: [TRANSFERSTATUS, AUDITLOG_OLD]   # lookalikes of the preset: this site has decided",
        "state_dir: state",
        "",
    ]
    (folder / "replguard.yaml").write_text("\n".join(lines), encoding="utf-8")
    return {f"{server.name.upper()}_PASSWORD": server.user.password for server in pair.servers}


def play(scene: Scene, console: Console, folder: Path, environment: dict[str, str]) -> bool:
    """Run one scene and show it; whether it showed what it promises."""
    if scene.before:
        scene.before()
    console.print(Text.assemble(("$ replguard " + " ".join(scene.arguments), "bold cyan")))
    output, code = _run(scene, folder, environment)
    console.print(Text.from_ansi(output.rstrip()), soft_wrap=True)
    missing = [text for text in scene.shows if text.lower() not in output.lower()]
    if code != scene.exits:
        missing.append(f"exit code {scene.exits} (it was {code})")
    for text in missing:
        console.print(f"[bold red]not as promised:[/] {text!r} is missing")
    if not missing:
        console.print(f"[dim]exit code {code}, as promised[/]\n")
    return not missing


def _run(scene: Scene, folder: Path, environment: dict[str, str]) -> tuple[str, int]:
    command = [sys.executable, "-m", "replguard", *scene.arguments]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + PATIENCE
    try:
        while True:
            try:
                output, _ = process.communicate(timeout=EVENT_EVERY if scene.during else PATIENCE)
            except subprocess.TimeoutExpired:
                if time.monotonic() > deadline:
                    raise
                if scene.during:
                    scene.during()
            else:
                return output, process.returncode
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _end(console: Console, failures: int, seconds: float) -> None:
    if failures:
        console.print(f"[bold red]{failures} scene{'s' * (failures != 1)} did not show what was promised.[/]")
    else:
        console.print(f"[bold green]Every scene showed what it promises[/] ({seconds:.0f} s).")


def _leave(pair: Pair, folder: Path, environment: dict[str, str], console: Console) -> None:
    """Let the pair run on, and say how to use and how to end it."""
    pids, data = pair.detach()
    exports = "\n".join(f"export {name}={value}" for name, value in environment.items())
    (folder / "passwords.sh").write_text(exports + "\n", encoding="utf-8")
    (folder / "passwords.sh").chmod(0o600)
    console.print(
        f"The pair runs on. To play with it:\n  cd {folder} && . ./passwords.sh\n  replguard status", markup=False
    )
    signal_name = "INT" if pair.engine == "postgresql" else "TERM"
    end = f"kill -{signal_name} {' '.join(map(str, pids))} && sleep 2 && rm -r {folder} {data or ''}"
    console.print(f"To end it:\n  {end.rstrip()}", markup=False, soft_wrap=True)
