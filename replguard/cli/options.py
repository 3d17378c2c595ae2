"""The options that every command takes, declared once and put into each command's signature."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from collections.abc import Callable


class Format(StrEnum):
    text = "text"
    json = "json"


class StreamFormat(StrEnum):
    text = "text"
    json = "json"
    jsonl = "jsonl"


@dataclass(frozen=True, slots=True)
class Common:
    """How a command was called: the same for all."""

    config: Annotated[
        Path | None,
        typer.Option(
            "-c", "--config", help="Config file [default: $REPLGUARD_CONFIG, else replguard.yaml].", metavar="FILE"
        ),
    ] = None
    cluster: Annotated[
        list[str] | None,
        typer.Option(
            "--cluster",
            help="NAME=URL, given twice, instead of a config file. ${NAME} is taken from the environment.",
            metavar="NAME=URL",
        ),
    ] = None
    preset: Annotated[
        str | None, typer.Option("--preset", help="Policy preset, with --cluster or scan.", metavar="NAME")
    ] = None
    must_not_sync: Annotated[
        list[str] | None,
        typer.Option(
            "--must-not-sync", help="A table that must not be replicated; may be given again.", metavar="GLOB"
        ),
    ] = None
    format: Annotated[Format, typer.Option("--format", help="json: exactly one document on standard output.")] = (
        Format.text
    )
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no previews.")] = False
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Every finding, information included.")] = False
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour (as does NO_COLOR).")] = False
    show_sql: Annotated[
        bool, typer.Option("--show-sql", help="Print every statement to standard error before it is sent.")
    ] = False


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Replace the parameter ``common`` of a command by the options of :class:`Common`.

    A command that declares an option of its own with the name of a common one (``format``) keeps its own.
    """
    signature = inspect.signature(function)
    hints = get_type_hints(function, include_extras=True)
    own = [
        parameter.replace(annotation=hints.get(name, parameter.annotation))
        for name, parameter in signature.parameters.items()
        if name != "common"
    ]
    taken = {parameter.name for parameter in own}
    common_hints = get_type_hints(Common, include_extras=True)
    shared = [
        inspect.Parameter(
            item.name, inspect.Parameter.KEYWORD_ONLY, default=item.default, annotation=common_hints[item.name]
        )
        for item in fields(Common)
        if item.name not in taken
    ]

    @functools.wraps(function)
    def wrapper(**values: Any) -> None:
        chosen = {item.name: values.pop(item.name) for item in fields(Common) if item.name not in taken}
        function(common=Common(**chosen), **values)

    keyword = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    wrapper.__signature__ = signature.replace(parameters=[*keyword, *shared])  # type: ignore[attr-defined]
    wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in [*own, *shared]}
    return wrapper
