"""What servers leave on a machine, and that none of it stays: the run's folder, and the warden over all of it."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

_lock = threading.RLock()


class Keeper:
    """This process's warden (:mod:`warden`) and its folder for everything temporary, made when first needed.

    ``base`` is where that folder is made, by default among the usual temporary ones.
    """

    def __init__(self) -> None:
        self.base: Path | None = None
        self._warden: subprocess.Popen[str] | None = None
        self._folder: Path | None = None
        self._detached = False

    def folder(self) -> Path:
        """The folder of this run. Other users may enter it: PostgreSQL runs as another user for root."""
        with _lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="replguard-", dir=self.base or temporary_folder()))
                self._folder.chmod(0o711)
                self._order(f"folder {self._folder}")
            return self._folder

    def watch(self, pid: int, signal_number: int) -> None:
        self._order(f"watch {pid} {signal_number}")

    def forget(self, pid: int) -> None:
        self._order(f"forget {pid}")

    def leave_folder(self) -> Path | None:
        """Let the folder of this run stay when the process ends; a later run in this process makes a new one."""
        with _lock:
            left, self._folder = self._folder, None
            if left is not None:
                self._order(f"keep {left}")
            return left

    def _order(self, line: str) -> None:
        with _lock:
            if self._warden is None:
                self._warden = _start_warden()
                atexit.register(self._dismiss)
            if self._warden.stdin is not None:
                self._warden.stdin.write(f"{line}\n")
                self._warden.stdin.flush()

    def _dismiss(self) -> None:
        """Let the warden do its work and wait for it, so that nothing is left when this process has ended."""
        if self._warden is not None and self._warden.stdin is not None:
            self._warden.stdin.close()
            self._warden.wait(timeout=30)


def _start_warden() -> subprocess.Popen[str]:
    script = Path(__file__).with_name("warden.py")
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # Ctrl-C on the terminal is for the parent, which ends things in order
    )


def temporary_folder() -> Path:
    """The usual temporary folder, or a public one where the user that PostgreSQL runs as could not enter the usual."""
    usual = Path(tempfile.gettempdir())
    if server_user() is None or open_to_all(usual):
        return usual
    return next((place for place in (Path("/var/tmp"), Path("/tmp")) if open_to_all(place)), usual)  # noqa: S108


def server_user() -> pwd.struct_passwd | None:
    """The user that PostgreSQL must run as because it refuses root; ``None`` where it may run as we do."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")


def open_to_all(path: Path) -> bool:
    """Whether every user may enter a folder by its path, parents included."""
    real = path.resolve()
    return all(folder.stat().st_mode & 0o001 for folder in (real, *real.parents))


def readable_copy(root: Path, libraries: Path | None, target: Path) -> Path:
    """``root`` itself where every user may read it, else a copy of what a server needs of it, at ``target``.

    ``libraries`` are copied to ``target/libraries``.
    """
    folders = [root / part for part in ("bin", "lib", "share") if (root / part).is_dir()]
    beside = [libraries] if libraries is not None and libraries.is_dir() else []
    if all(_tree_readable(folder) for folder in (*folders, *beside)):
        return root
    with _lock:
        if not target.is_dir():
            half = target.with_name(f"{target.name}.part")
            for folder in folders:
                shutil.copytree(folder, half / folder.name, symlinks=True)
            for folder in beside:
                shutil.copytree(folder, half / "libraries", symlinks=True)
            for path in (half, *half.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            half.rename(target)
    return target


def _tree_readable(folder: Path) -> bool:
    return open_to_all(folder) and all(_readable(path) for path in folder.rglob("*"))


def _readable(path: Path) -> bool:
    mode = path.stat().st_mode
    return bool(mode & 0o004) and (not path.is_dir() or bool(mode & 0o001))


keeper = Keeper()
