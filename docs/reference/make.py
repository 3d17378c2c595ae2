"""Write the reference from the code: ``python docs/reference/make.py``. A test holds that the pages are fresh."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typer.main import get_command

from replguard.cli.app import COMMANDS, app
from replguard.gates.run import GATES
from replguard.model.codes import MEANINGS
from replguard.model.findings import Check, Finding, LinkFacts, Report, Severity
from replguard.report import metrics
from replguard.report.schema import schemas

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
_HEAD = "<!-- Made by docs/reference/make.py from the code: change it there. -->\n\n"


def pages() -> dict[str, str]:
    """File name to text."""
    return {
        "commands.md": _HEAD + "\n".join(_commands()) + "\n",
        "config.md": _HEAD + "\n".join(_schema("replguard.yaml", schemas()["config.schema.json"])) + "\n",
        "preset.md": _HEAD + "\n".join(_schema("Presets", schemas()["policy.schema.json"])) + "\n",
        "checks.md": _HEAD + "\n".join(_checks()) + "\n",
        "metrics.md": _HEAD + "\n".join(_metrics()) + "\n",
    }


def findings() -> str:
    """The page on finding codes, with its table made anew."""
    text = (HERE.parent / "findings.md").read_text(encoding="utf-8")
    before, _, rest = text.partition("| code | severity | meaning |\n")
    _, _, after = rest.partition("\n\n")
    return before + "\n".join(_codes()) + "\n\n" + after


def _codes() -> Iterator[str]:
    yield "| code | severity | meaning |\n| --- | --- | --- |"
    for meaning in MEANINGS:
        yield f"| {', '.join(f'`{code}`' for code in meaning.codes)} | {meaning.severity} | {meaning.words} |"


def main() -> None:
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")
    (HERE.parent / "findings.md").write_text(findings(), encoding="utf-8")


def _commands() -> Iterator[str]:
    yield "# Commands\n"
    yield (
        "Exit codes: 0 pass, 1 fail, 2 wrong options or config, 3 inconclusive. With `--format json` standard output "
        "holds one document, described by `schemas/report.schema.json`.\n"
    )
    group = get_command(app)
    for name in COMMANDS:
        yield from _command(COMMANDS[name].load(name), f"replguard {name}", group)


def _command(command: Any, path: str, parent: Any) -> Iterator[str]:
    context = command.make_context(path, [], resilient_parsing=True, terminal_width=100, max_content_width=100)
    subcommands = getattr(command, "commands", None)
    if subcommands:
        yield f"## {path}\n\n{command.help}\n"
        for name, one in subcommands.items():
            yield from _command(one, f"{path} {name}", parent)
        return
    level = "###" if path.count(" ") > 1 else "##"
    yield f"{level} {path}\n\n```text\n{command.get_help(context).strip()}\n```\n"


def _schema(title: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {title}\n"
    yield "Every key that may be written, with its type and default. A key that is not listed is an error.\n"
    yield from _keys(schema)
    for name, part in sorted(schema.get("$defs", {}).items()):
        if "properties" in part:
            yield f"\n## {name.removesuffix('Section')}\n"
            if words := part.get("description"):
                yield f"{words}\n"
            yield from _keys(part)


def _keys(part: Mapping[str, Any]) -> Iterator[str]:
    yield "| key | type | default | meaning |\n| --- | --- | --- | --- |"
    needed = part.get("required", ())
    for key, value in part["properties"].items():
        default = "must be given" if key in needed else _default(value.get("default"))
        words = _cell(value.get("description") or "")
        yield f"| `{key}` | {_cell(_type(value))} | {_cell(default)} | {words} |"


def _default(value: Any) -> str:
    if isinstance(value, dict) and value:
        return "see its table"
    return "all" if isinstance(value, list) and "nightly" in value else f"`{value}`"


def _type(value: Mapping[str, Any]) -> str:
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2].removesuffix("Section")
        return f"[{name}](#{name.lower()})"
    if "anyOf" in value:
        return " or ".join(_type(one) for one in value["anyOf"] if one.get("type") != "null")
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    if "const" in value:
        return f"`{value['const']}`"
    if value.get("type") == "array":
        return f"list of {_type(value.get('items', {}))}"
    if value.get("type") == "object":
        more = value.get("additionalProperties")
        return f"mapping to {_type(more)}" if isinstance(more, dict) else "mapping"
    return str(value.get("format") or value.get("type", "any"))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _checks() -> Iterator[str]:
    yield "# Checks of the gate\n"
    yield (
        "`replguard gate` runs all of these, several at once, and gives one verdict. What could not be checked is "
        "never a pass. What a site does not use is listed as not applicable.\n"
    )
    yield "| check | holds where it passes | asked for |\n| --- | --- | --- |"
    for gate in GATES:
        yield f"| [`{gate.id}`](#{_anchor(gate.id)}) | {_cell(gate.title)} | {_moments(gate)} |"
    for gate in GATES:
        yield f"\n## {gate.id} {{#{_anchor(gate.id)}}}\n"
        yield f"*{gate.title[0].upper()}{gate.title[1:]}.*\n\n{gate.purpose}\n"
        yield f"**Reads:** {gate.reads}.\n"
        yield f"**Where it does not pass:** {gate.remedy}.\n"
        if gate.limits:
            yield f"**What a pass does not prove:** {gate.limits}\n"
        codes = ", ".join(f"`{code}`" for code in gate.codes)
        yield f"**Asked for:** {_moments(gate)}. **[Finding codes](../findings.md):** {codes}, `check.not_run`."


def _moments(gate: Any) -> str:
    names = [one.value for one in type(next(iter(gate.when))) if one in gate.when]
    return "always" if len(names) == 4 else ", ".join(names)


def _anchor(text: str) -> str:
    return text.replace(".", "-")


def _metrics() -> Iterator[str]:
    from datetime import UTC, datetime  # noqa: PLC0415 - for this alone

    now = datetime(2026, 1, 1, tzinfo=UTC)
    link = LinkFacts("blue->green", "", "blue", "green", "running", lag_seconds=0.0)
    check = Check("diff.data", "", (Finding("row.differs", Severity.fail, ""),))
    budget = {"cluster": "blue", "link": "blue->green", "must_resume_by": now.isoformat(), "used": 0.1, "bytes_kept": 1}
    data = {"receipt": {"paused_at": now.isoformat()}, "budget": [{**budget, "lost": None}], "for": "nightly"}
    report = Report("gate", "0", now, now, checks=(check,), links=(link,), data=data)
    yield "# Metrics\n"
    yield "For the textfile collector of Prometheus' node exporter. What is not known has no sample, never a zero.\n"
    for title, text in (
        ("`replguard gate --format prometheus`", metrics.gate_metrics(report)),
        ("`replguard status --metrics FILE`", metrics.metrics(report)),
    ):
        yield f"\n## {title}\n\n| metric | labels | meaning |\n| --- | --- | --- |"
        yield from _families(text)


def _families(text: str) -> Iterator[str]:
    from prometheus_client.parser import text_string_to_metric_families  # noqa: PLC0415 - for this alone

    for family in text_string_to_metric_families(text):
        labels = ", ".join(f"`{name}`" for name in (family.samples[0].labels if family.samples else ()))
        yield f"| `{family.name}` | {labels} | {_cell(family.documentation)} |"


if __name__ == "__main__":
    sys.exit(main())
