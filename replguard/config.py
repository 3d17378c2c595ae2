"""What a user writes: ``replguard.yaml``, presets, and their way into a :class:`Policy` and two endpoints.

Reading needs no server. Every error names file, line and key, and says what would be right.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from replguard.configfile import (
    ClusterSection,
    ConfigFile,
    ExpectedSection,
    GateSection,
    Globs,
    Groups,
    LinkSection,
    NaturalKeySection,
    OnlyRowsSection,
    PolicySection,
    PresetFile,
    RelaxSection,
    WaiverSection,
)
from replguard.endpoint import Endpoint, endpoint, expand
from replguard.errors import ConfigError, PolicyError, ReplguardError, UsageError
from replguard.model.codes import CODES
from replguard.model.findings import NOT_RUN
from replguard.policy import (
    GIVEN,
    AuditTable,
    Equality,
    ExpectedDifference,
    NaturalKey,
    Policy,
    Relaxation,
    RowFilter,
    Rule,
    TableClass,
    fits,
)
from replguard.predicate import parse
from replguard.sitefile import SiteFile
from replguard.yamlfile import YamlFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from replguard.predicate import Predicate

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
W = TypeVar("W", "ExpectedSection", "OnlyRowsSection")

__all__ = ["Config", "Endpoint", "endpoint", "from_options", "load", "preset_names"]

DEFAULT_FILE = "replguard.yaml"


def _default_state_dir() -> Path:
    from platformdirs import user_state_path  # noqa: PLC0415 - few commands need it

    return user_state_path("replguard")


@dataclass(frozen=True, slots=True)
class Config:
    """Everything a run needs to know, before any server was asked.

    ``links`` is ``"none"`` where the application itself synchronises, ``"discover"``, or the links that are expected.
    """

    endpoints: tuple[Endpoint, Endpoint]
    policy: Policy
    links: Literal["none", "discover"] | tuple[LinkSection, ...] = "discover"
    state_dir: Path = field(default_factory=_default_state_dir)
    source: str = ""
    gate: GateSection = field(default_factory=GateSection)
    waivers: tuple[WaiverSection, ...] = ()
    history: str | None = None
    notify: tuple[str, ...] = field(default=(), repr=False)
    site: SiteFile = field(default_factory=SiteFile)


def load(path: Path) -> Config:
    """Read a config file. ConfigError or PolicyError name the line."""
    file = YamlFile.read(path)
    model = _validated(ConfigFile, file)
    return _config(model, file.path.parent, str(path), file)


def from_options(clusters: dict[str, str], preset: str | None, must_not_sync: tuple[str, ...]) -> Config:
    """The config of ``--cluster NAME=URL`` twice, ``--preset`` and ``--must-not-sync``."""
    sections = {name: ClusterSection(url=url) for name, url in clusters.items()}
    model = ConfigFile(clusters=sections, policy=PolicySection(preset=preset))
    return with_rules(_config(model, Path(), "the command line", None), must_not_sync)


def with_rules(config: Config, must_not_sync: tuple[str, ...]) -> Config:
    """The same config with more tables that must not sync."""
    return replace(config, policy=_with_rules(config.policy, must_not_sync))


def with_option_files(config: Config, given: Iterable[str]) -> Config:
    """The same config with the option files of ``NAME=PATH``, several for a cluster if need be; UsageError for what is
    not written so.
    """
    endpoints = {one.name: one for one in config.endpoints}
    for text in given:
        name, _, path = text.partition("=")
        if name not in endpoints or not path:
            raise UsageError(
                f"--option-file {text} does not name a cluster and a file",
                remedy=f"write --option-file NAME=PATH, where NAME is {' or '.join(endpoints)}",
            )
        if not Path(path).is_file():
            raise UsageError(
                f"--option-file {text}: there is no such file",
                remedy="give the path of the server's option file on this machine, or of a copy",
            )
        endpoints[name] = replace(endpoints[name], option_files=(*endpoints[name].option_files, path))
    first, second = endpoints.values()
    return replace(config, endpoints=(first, second))


def _with_rules(policy: Policy, must_not_sync: tuple[str, ...]) -> Policy:
    if not all(glob.strip() for glob in must_not_sync):
        raise PolicyError(
            "a table that must not sync is named by an empty word, which names none",
            remedy="write the table's name or a glob; a variable of the shell may not be set",
        )
    given = tuple(Rule(glob, TableClass.must_not_sync, GIVEN) for glob in must_not_sync)
    return replace(policy, rules=(*given, *policy.rules))


def policy_of(preset: str | None = None, must_not_sync: tuple[str, ...] = ()) -> Policy:
    """The policy of a preset (a name, or a file's path) and of tables that must not sync, without any cluster."""
    policy, _ = _policy(PolicySection(preset=preset), Path(), None)
    return _with_rules(policy, must_not_sync)


def preset_names() -> list[str]:
    """The presets that come with replguard."""
    folder = resources.files("replguard.policies")
    return sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml"))


def _config(model: ConfigFile, folder: Path, source: str, file: YamlFile | None) -> Config:
    first, second = (_endpoint(name, part, file) for name, part in model.clusters.items())
    policy, preset_links = _policy(model.policy, folder, file)
    links = model.links if model.links is not None else (preset_links or "discover")
    if isinstance(links, list):
        for index, link in enumerate(links):
            if {link.source, link.target} != set(model.clusters):
                where = f"{source}:{file.line(('links', index))}: " if file else ""
                raise ConfigError(
                    f"{where}a link joins the two clusters {first.name!r} and {second.name!r}",
                    remedy="name one of them as source and the other as target",
                )
    state = _at(file, ("state_dir",), lambda: _state_dir(model))
    named = tuple(links) if isinstance(links, list) else links
    waivers = tuple(model.policy.waivers)
    for index, waiver in enumerate(waivers):
        _at(file, ("policy", "waivers", index, "code"), partial(_known_code, waiver))
    return Config(
        (first, second), policy, named, state, source, model.gate, waivers, model.history, tuple(model.notify), model
    )


def _known_code(waiver: WaiverSection) -> None:
    if not any(fits(waiver.code, code) for code in CODES):
        near = difflib.get_close_matches(waiver.code, list(CODES), 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise PolicyError(f"there is no finding code {waiver.code!r}", remedy=f"{hint}see the page on finding codes")
    if waiver.code == NOT_RUN:
        raise PolicyError("what could not be checked cannot be waived", remedy="let it be checked")


def _state_dir(model: ConfigFile) -> Path:
    return Path(expand(model.state_dir, "state_dir")).expanduser() if model.state_dir else _default_state_dir()


def _endpoint(name: str, section: ClusterSection, file: YamlFile | None) -> Endpoint:
    found = _at(file, ("clusters", name, "url"), lambda: endpoint(name, section.url, tuple(section.schemas)))
    written = [section.option_file] if isinstance(section.option_file, str) else section.option_file
    folder = file.path.parent if file else Path()
    return replace(found, option_files=tuple(str(folder / Path(one).expanduser()) for one in written))


def _policy(section: PolicySection, folder: Path, file: YamlFile | None) -> tuple[Policy, Literal["none"] | None]:
    layers: list[tuple[PolicySection | PresetFile, str]] = [(section, "policy")]
    preset: PresetFile | None = None
    if section.preset:
        preset = _at(file, ("policy", "preset"), lambda: _preset(str(section.preset), folder))
        layers.append((preset, f"preset {preset.name}"))
    rules: list[Rule] = []
    for layer, origin in layers:
        rules += _rules(layer.must_not_sync, TableClass.must_not_sync, origin)
        rules += _rules(layer.local, TableClass.local, origin)
        rules += _rules(layer.config or [], TableClass.config, origin)
    if not any(rule.table_class is TableClass.config for rule in rules) and all(
        layer.config is None for layer, _ in layers
    ):
        rules.append(Rule("*", TableClass.config, "default"))
    at = {True: file, False: None}
    return Policy(
        rules=tuple(rules),
        lookalikes=tuple(
            Rule(glob, TableClass.unclassified, origin) for layer, origin in layers for glob in layer.lookalikes
        ),
        ignored=tuple(
            (Rule(glob, TableClass.config, origin), frozenset(column.casefold() for column in columns))
            for layer, origin in layers
            for glob, columns in layer.ignore_columns.items()
        ),
        changed_by=tuple(
            (Rule(glob, TableClass.config, origin), tuple(columns))
            for layer, origin in layers
            for glob, columns in layer.changed_by.items()
        ),
        audit_tables=tuple(
            AuditTable(
                Rule(item.of, TableClass.config, origin),
                Rule(item.table, TableClass.config, origin),
                tuple(item.key),
                item.latest,
                tuple(item.columns),
            )
            for layer, origin in layers
            for item in layer.audit_tables
        ),
        expected=tuple(
            ExpectedDifference(_rule(item, origin), where, item.reason, item.until)
            for layer, origin in layers
            for item, where in _parsed("expected_differences", layer.expected_differences, at[layer is section])
        ),
        relaxations=tuple(
            _at(at[layer is section], ("policy", "relax", index), partial(_relaxation, item, origin))
            for layer, origin in layers
            for index, item in enumerate(layer.relax)
        ),
        row_filters=tuple(
            RowFilter(_rule(item, origin), where, item.reason, item.until)
            for layer, origin in layers
            for item, where in _parsed("only_rows", layer.only_rows, at[layer is section])
        ),
        natural_keys=tuple(
            NaturalKey(_rule(item, origin), _folded(item.key), item.reason, _folded(item.ignore))
            for layer, origin in layers
            for item in layer.natural_keys
        ),
        title=preset.title if preset else "",
    ), preset.links if preset else None


def _rule(item: ExpectedSection | RelaxSection | OnlyRowsSection | NaturalKeySection, origin: str) -> Rule:
    return Rule(item.table, TableClass.config, origin)


def _folded(columns: list[str]) -> tuple[str, ...]:
    return tuple(column.casefold() for column in columns)


def _parsed(key: str, items: list[W], file: YamlFile | None) -> list[tuple[W, Predicate]]:
    """The rules with their predicates; an error names the line where there is a file."""
    return [
        (item, _at(file, ("policy", key, index, "where"), partial(parse, item.where)))
        for index, item in enumerate(items)
    ]


def _relaxation(item: RelaxSection, origin: str) -> Relaxation:
    given = (item.tolerance, item.relative) != (None, None)
    if given is not (item.as_ is Equality.float):
        raise PolicyError(
            "a tolerance is for `as: float` alone" if given else "`as: float` needs a tolerance",
            remedy="write `as: float` with `tolerance:` (a distance) or `relative:` (a share), no other `as` with one",
        )
    return Relaxation(
        _rule(item, origin), tuple(item.columns), item.as_, item.reason, item.tolerance, item.relative, item.until
    )


def _rules(globs: Globs | Groups, table_class: TableClass, origin: str) -> list[Rule]:
    if isinstance(globs, dict):
        return [Rule(glob, table_class, origin, group) for group, items in globs.items() for glob in items]
    return [Rule(glob, table_class, origin) for glob in globs]


def _preset(name: str, folder: Path) -> PresetFile:
    if name.endswith((".yaml", ".yml")):
        known = f"write it, or name one of those that come with replguard: {', '.join(preset_names())}"
        return _validated(PresetFile, YamlFile.read(folder / name, remedy=known))
    presets = preset_names()
    if name not in presets:
        near = difflib.get_close_matches(name, presets, 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise PolicyError(f"there is no preset {name!r}", remedy=f"{hint}known presets: {', '.join(presets)}")
    resource = resources.files("replguard.policies") / f"{name}.yaml"
    return _validated(PresetFile, YamlFile(Path(f"{name}.yaml"), resource.read_text(encoding="utf-8")))


def _at(file: YamlFile | None, keys: tuple[str | int, ...], make: Callable[[], T]) -> T:
    """What ``make`` gives; an error of its gets the line of the key in front."""
    try:
        return make()
    except ReplguardError as error:
        if file and not error.message.startswith(str(file.path)):
            error.message = f"{file.path}:{file.line(keys)}: {error.message}"
            error.args = (error.message,)
        raise


def _validated(model: type[M], file: YamlFile) -> M:
    try:
        return model.model_validate(file.data if file.data is not None else {})
    except ValidationError as error:
        # A misspelt key tells more than the missing one that it was meant to be, and of the branches of a union the one
        # that came furthest is the one that was meant.
        problem = max(
            error.errors(include_url=False, include_input=False),
            key=lambda problem: (problem["type"] == "extra_forbidden", len(_keys(problem))),
        )
        raise _explained(model, file, problem) from None


_REMEDIES = {
    "string_type": "write text, and put quotes around numbers and words such as yes, no, on, off",
    "string_too_short": "write a name, or take the entry out",
    "list_type": "write a list: [a, b]",
    "model_type": "write keys and values under it",
    "dict_type": "write keys and values under it",
    "missing": "add this key",
    "literal_error": "write one of these words",
}


def _explained(model: type[BaseModel], file: YamlFile, problem: Any) -> ConfigError:
    """File, line, key, what is wrong and what would be right."""
    keys = _keys(problem)
    place = f"{file.path}:{file.line(keys)}"
    key = ".".join(str(key) for key in keys) or "the file"
    if problem["type"] == "extra_forbidden":
        known = _known_keys(model, keys[:-1])
        near = difflib.get_close_matches(str(keys[-1]), known, 1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; known keys here: {', '.join(known)}" if known else ""
        return ConfigError(f"{place}: the key {key!r} is not known{hint}")
    if keys == ["clusters"] and problem["type"] in ("too_short", "too_long"):
        return ConfigError(
            f"{place}: clusters: there must be exactly two, each with a name and a url",
            remedy="write a config file for each pair of clusters",
        )
    words = problem["msg"].split(" or instance of ")[0]
    day = "date" in problem["type"]
    remedy = "write a day as 2027-06-30" if day else _REMEDIES.get(problem["type"], "correct the value")
    return ConfigError(f"{place}: {key}: {words[0].lower()}{words[1:]}", remedy=remedy)


def _keys(problem: Any) -> list[str | int]:
    """The path of keys; pydantic also puts in the branches of unions, which stand in no file."""
    return [key for key in problem["loc"] if not (isinstance(key, str) and ("[" in key or key == LinkSection.__name__))]


def _known_keys(model: type[BaseModel], keys: list[str | int]) -> list[str]:
    """The keys that the model knows at this path."""
    here: type[BaseModel] | None = model
    for key in keys:
        if here and str(key) in here.model_fields:
            here = _model_in(here.model_fields[str(key)].annotation)
    return sorted(each.alias or name for name, each in here.model_fields.items()) if here else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation holds, as a value of a mapping, an item of a list or a branch of a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
