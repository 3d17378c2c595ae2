"""Ways to break a healthy pair, each of which one check of the gate must tell, and no other.

A case is written beside the others of its part, in a module ``breaking_*.py`` with a tuple ``CASES``; the test that
runs all of them is test_gate_breaks.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replguard.gates.base import Purpose
from replguard.model.findings import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from replguard.config import Config
    from tests.conformance.application import Application


@dataclass(frozen=True)
class Case:
    """``broken`` breaks the pair of an application as its context is entered, and has mended it when that is left.

    ``check`` is the id of the one check that must not pass, with exactly ``codes`` among its findings that fail or are
    unknown (with ``verdict`` pass: that warn). ``also`` are other checks that this fault cannot but break; say why
    beside it. ``engines`` are names as of ``pytest.mark.engines``, empty for all. Cases of a cutover are run while
    ``replguard pause`` holds.
    """

    check: str
    name: str
    codes: frozenset[str]
    broken: Callable[[Application], AbstractContextManager[None]]
    engines: tuple[str, ...] = ()
    verdict: Verdict = Verdict.failed
    purpose: Purpose = Purpose.switchover
    options: dict[str, Any] = field(default_factory=dict)
    config: Callable[[Config], Config] = lambda config: config
    also: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.check}: {self.name}"


def cases() -> list[Case]:
    """All cases of all parts."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("breaking_*.py"))
    return [case for name in names for case in import_module(f"tests.conformance.{name}").CASES]
