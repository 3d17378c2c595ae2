"""What becomes of a link's rules when its target is restarted: the rules of now, and how they were set, in; the rules
of then out. Pure.

Rules that were set at run time are gone; what the option files say comes instead, for this channel or else for all.
Where no option file is known, rules that the server was started with stay, as far as it says which these are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from replguard.engines.binlog.fragility import RULES
from replguard.engines.binlog.rawfilters import SOMEWHERE, pairs
from replguard.model.links import Fragility

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from replguard.engines.binlog.optionfile import OptionFile
    from replguard.engines.binlog.rawfilters import RawFilters
    from replguard.engines.binlog.surroundings import Setting, Surroundings

KINDS = (*RULES, "rewrite_db")
_AT_START = "STARTUP_OPTIONS"


@dataclass(frozen=True, slots=True)
class Restarted:
    """``raw`` are the rules of then, ``now`` those of now where the option files tell them better than the server."""

    raw: RawFilters
    now: RawFilters
    changes: tuple[Fragility, ...] = ()
    unknown: tuple[Fragility, ...] = ()


def restarted(raw: RawFilters, around: Surroundings, channel: str) -> Restarted:
    """Every kind of rule by itself, then the settings of both servers."""
    then: dict[str, tuple[Any, ...]] = {}
    now: dict[str, tuple[Any, ...]] = {}
    changes: list[Fragility] = []
    unknown: list[Fragility] = []
    for kind in KINDS:
        fate = _fate(_Kind(kind, raw, around, channel))
        then[kind] = fate.then
        if fate.really is not None:
            now[kind] = fate.really
        changes += [fate.change] if fate.change else []
        unknown += [fate.unknown] if fate.unknown else []
    for name, setting in _settings(around):
        (changes if setting.then is not None else unknown).append(_of_setting(name, setting))
    return Restarted(with_rules(raw, then), with_rules(raw, now), tuple(changes), tuple(unknown))


def with_rules(raw: RawFilters, rules: Mapping[str, Any]) -> RawFilters:
    """The same link with other rules of these kinds."""
    return replace(raw, **rules)


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of rule of a link, with everything that its fate hangs on."""

    kind: str
    raw: RawFilters
    around: Surroundings
    channel: str

    @property
    def name(self) -> str:
        return f"replicate_{self.kind}"

    @property
    def now(self) -> tuple[Any, ...]:
        found: tuple[Any, ...] = getattr(self.raw, self.kind)
        return found

    @property
    def origin(self) -> str:
        return self.raw.configured_by.get(f"REPLICATE_{self.kind.upper()}", "")

    @property
    def at_start(self) -> bool:
        return self.origin.startswith(_AT_START)

    @property
    def told(self) -> bool:
        """Whether the server says how rules were set."""
        return bool(self.raw.configured_by)

    @property
    def options(self) -> OptionFile | None:
        return self.around.options

    @property
    def written(self) -> tuple[Any, ...] | None:
        lines = self.options.rules(self.kind, self.channel) if self.options else None
        if lines is None or self.kind != "rewrite_db":
            return lines
        return tuple(pair for line in lines for pair in pairs(line))

    @property
    def remedy(self) -> str:
        return f"write the same rules into the option file of {self.around.target.name} as well"

    @property
    def ask(self) -> str:
        """How the user can tell what the server does not."""
        name, seen = self.around.target.name, self.around.hinted
        read = f" (it has read {', '.join(seen)})" if seen else ""
        return f"give the option file of {name}{read}: --option-file {name}=PATH"


@dataclass(frozen=True, slots=True)
class _Fate:
    then: tuple[Any, ...]
    change: Fragility | None = None
    unknown: Fragility | None = None
    really: tuple[Any, ...] | None = None


def _fate(one: _Kind) -> _Fate:
    if one.options is not None:
        return _by_file(one, one.options)
    if one.at_start:
        return _Fate(one.now, unknown=_perhaps_one_name(one))
    if one.told or not one.now:
        return _without_file(one)
    message = f"whether {one.name} survives a restart cannot be told: the server does not say where a rule was set"
    if len(one.now) > 1 and one.kind != "rewrite_db":
        message += f", nor whether {_shown(one.now)} are rules or one name with commas"
    remedy = f"{one.remedy}, and {one.ask}; or let replguard read how rules were set (see grants.sql)"
    return _Fate(one.now, unknown=Fragility(message, remedy, rule=one.name))


def _without_file(one: _Kind) -> _Fate:
    """No rule, or rules of run time; what stands in the option file for this channel alone nobody sees."""
    then = one.around.startup.get(one.kind, ())
    if not one.origin or set(then) == set(one.now):
        return _Fate(one.now)
    if one.origin == SOMEWHERE:
        message = f"{one.name} was set at run time ({one.origin}): whether this one survives a restart cannot be told"
        return _Fate(one.now, unknown=Fragility(message, f"{one.remedy}, and {one.ask}", rule=one.name))
    how = f"{one.name} was set at run time ({one.origin})"
    gone = f"{how} and is lost at a restart" if one.now else f"{how} to no rule, which is lost at a restart"
    back = f": {_shown(then)} comes back" if then else ""
    return _Fate(then, Fragility(f"{gone}{back}", f"{one.remedy}; or {one.ask}", rule=one.name))


def _by_file(one: _Kind, options: OptionFile) -> _Fate:
    """What the option files say is what will be; where they say nothing, the command line or another file may."""
    files, written = ", ".join(options.files), one.written
    if written is None and one.at_start and one.now:
        message = (
            f"{one.name} was set when the server was started, and {files} does not have it: whether it survives a "
        )
        message += "restart cannot be told"
        return _Fate(one.now, unknown=Fragility(message, one.remedy, rule=one.name))
    if options.unread and not set(one.now) <= set(written or ()) and not one.at_start:
        message = f"whether {one.name} survives a restart cannot be told: {'; '.join(options.unread)} was not read"
        return _Fate(one.now, unknown=Fragility(message, one.ask, rule=one.name))
    then = written or ()
    really = then if one.at_start and _printed(then) == _printed(one.now) else None
    if set(then) == set(one.now) or really is not None:
        return _Fate(then, really=really)
    what = f"{_shown(one.now)} now"
    if one.now and not then:
        message = f"{one.name} is {what} and is lost at a restart: {files} does not have it"
    else:
        message = f"{one.name} is {what}, and {_shown(then)} after a restart: {files} says so"
    return _Fate(then, Fragility(message, one.remedy, rule=one.name))


def _perhaps_one_name(one: _Kind) -> Fragility | None:
    """Rules of the option file are printed with commas between them, and so is one name that holds a comma."""
    if len(one.now) < 2 or one.kind == "rewrite_db":
        return None
    message = (
        f"{one.name} {_shown(one.now)} was set when the server was started: if it stands on one line there, with "
        "commas, it is a single name to the server, and keeps nothing apart"
    )
    return Fragility(message, f"write one line a rule, and {one.ask}", rule=one.name)


def _printed(rules: tuple[Any, ...]) -> list[str]:
    return sorted(part for rule in rules for part in (rule.split(",") if isinstance(rule, str) else [str(rule)]))


def _shown(rules: tuple[Any, ...]) -> str:
    """Rules as a message has them.

    >>> _shown(("st.a", "st.b")), _shown((("a", "b"),)), _shown(())
    ("'st.a', 'st.b'", "'a->b'", 'no rule')
    """
    texts = [rule if isinstance(rule, str) else "->".join(rule) for rule in rules]
    return ", ".join(f"'{text}'" for text in texts) or "no rule"


def _settings(around: Surroundings) -> Iterator[tuple[str, Setting]]:
    for side in (around.source, around.target):
        for setting in side.settings if side else ():
            yield side.name if side else "", setting


def _of_setting(server: str, setting: Setting) -> Fragility:
    then = f"{setting.then} after a restart" if setting.then is not None else "perhaps something else after a restart"
    return Fragility(
        f"{setting.name} of {server} is {setting.now} now, and {then}: {setting.why}",
        f"write {setting.name} = {setting.now} into the option file of {server}, or persist it",
        rule=setting.name,
    )
