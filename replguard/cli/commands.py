"""A group of commands of which each is imported when it is called: help and refusals pay for none of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command stands: a module with a function of the command's name and an EPILOG (and a COMMAND, where it
    reads its options in a way of its own), or with an ``app`` of several commands. ``summary`` is what the list of
    commands tells of it, the beginning of its own help.
    """

    module: str
    summary: str

    def load(self, name: str) -> Any:
        """The parser's command."""
        module = import_module(self.module)
        if hasattr(module, "app"):
            return get_command(module.app)
        alone = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
        parser = getattr(module, "COMMAND", None)
        alone.command(name, cls=parser, epilog=module.EPILOG)(getattr(module, name))
        return get_command(alone)


class Commands(TyperGroup):
    """Commands by their places."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self._places: Mapping[str, Place] = {}

    def put(self, places: Mapping[str, Place]) -> None:
        """The commands of this group. What was not imported yet stands as None: only names are looked up there."""
        self._places = places
        self.commands = dict.fromkeys(places)  # type: ignore[assignment]

    def get_command(self, _context: Any, name: str) -> Any:
        if self.commands.get(name) is None and name in self._places:
            self.commands[name] = self._places[name].load(name)
        return self.commands.get(name)

    def format_commands(self, _context: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.summary) for name, place in self._places.items()])
