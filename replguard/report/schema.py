"""The JSON Schemas in ``schemas/``, made from the models. ``python -m replguard.report.schema`` writes them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from replguard.configfile import ConfigFile, PresetFile
from replguard.control.receipt import SCHEMA as RECEIPT
from replguard.control.receipt import Receipt
from replguard.model.certificate import SCHEMA as CERTIFICATE
from replguard.model.certificate import Certificate
from replguard.model.changes import Operation
from replguard.model.findings import (
    SCHEMA,
    ClusterFacts,
    Coverage,
    Finding,
    LinkFacts,
    StreamCoverage,
    Strength,
    Verdict,
)
from replguard.model.plan import SCHEMA as PLAN
from replguard.model.plan import Plan

DRAFT = "https://json-schema.org/draft/2020-12/schema"


_TEXT = {"type": ["string", "null"]}
_WHENCE = {"cluster": _TEXT, "stream": {"enum": ["sent", "own", "pending", "scan", None]}, "link": _TEXT}
_PLACE = {"transaction": _TEXT, "position": {"type": "string"}, "committed_at": _TEXT}
_TRANSACTION = {**_WHENCE, "committed": {"type": "boolean"}, **_PLACE}
_VERDICTS = {"enum": [verdict.value for verdict in Verdict]}
_VERDICT: dict[str, Any] = {
    "command": {"type": "string"},
    "verdict": _VERDICTS,
    "started_at": {"type": "string", "format": "date-time"},
    "finished_at": {"type": "string", "format": "date-time"},
    "checks": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"id": {"type": "string"}, "verdict": _VERDICTS, "summary": {"type": "string"}},
            "required": ["id", "verdict", "summary"],
            "additionalProperties": False,
        },
    },
}


def schemas() -> dict[str, dict[str, Any]]:
    """File name to schema."""
    return {
        "config.schema.json": _titled(ConfigFile.model_json_schema(), "replguard.yaml"),
        "policy.schema.json": _titled(PresetFile.model_json_schema(), "a preset of replguard"),
        "report.schema.json": _titled(_report(), "a report of replguard"),
        "certificate.schema.json": _titled(_certificate(), "a certificate of replguard diff"),
        "plan.schema.json": _titled(_plan(), "a plan of replguard filter plan"),
        "receipt.schema.json": _titled(_receipt(), "the receipt of a pause"),
        "line.schema.json": _titled(_line(), "a line of replguard's --format jsonl"),
    }


def dumps(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def write(folder: Path) -> None:
    """Write all schemas into a folder."""
    for name, schema in schemas().items():
        (folder / name).write_text(dumps(schema), encoding="utf-8")


def _titled(schema: dict[str, Any], title: str) -> dict[str, Any]:
    return {"$schema": DRAFT, **schema, "title": title}


def _report() -> dict[str, Any]:
    definitions: dict[str, Any] = {}
    finding, cluster, link, coverage = (
        _definition(model, definitions) for model in (Finding, ClusterFacts, LinkFacts, Coverage)
    )
    verdict = {"enum": [verdict.value for verdict in Verdict]}
    properties: dict[str, Any] = {
        "schema": {"const": SCHEMA},
        "command": {"type": "string"},
        "verdict": verdict,
        "started_at": {"type": "string", "format": "date-time"},
        "finished_at": {"type": "string", "format": "date-time"},
        "version": {"type": "string"},
        "clusters": {"type": "object", "additionalProperties": cluster},
        "links": {"type": "array", "items": link},
        "checks": {
            "type": "array",
            "items": _closed(
                {
                    "id": {"type": "string"},
                    "verdict": verdict,
                    "applicable": {"type": "boolean"},
                    "summary": {"type": "string"},
                    "findings": {"type": "array", "items": finding},
                }
            ),
        },
        "coverage": coverage,
        "strength": {"enum": [*(strength.value for strength in Strength), None]},
        "data": {"type": "object"},
    }
    return {**_closed(properties), "$defs": definitions}


def _certificate() -> dict[str, Any]:
    definitions: dict[str, Any] = {}
    reference = _definition(Certificate, definitions)
    properties = definitions.pop(reference["$ref"].rpartition("/")[2])["properties"]
    own = {"schema": {"const": CERTIFICATE}, **properties, "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}
    return {**_closed(own), "$defs": definitions}


def _plan() -> dict[str, Any]:
    definitions: dict[str, Any] = {}
    reference = _definition(Plan, definitions)
    properties = definitions.pop(reference["$ref"].rpartition("/")[2])["properties"]
    own = {"schema": {"const": PLAN}, **properties, "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}}
    return {**_closed(own), "$defs": definitions}


def _receipt() -> dict[str, Any]:
    """What is written; receipts of earlier versions lack parts that came later, and are read all the same."""
    definitions: dict[str, Any] = {}
    reference = _definition(Receipt, definitions)
    properties = definitions.pop(reference["$ref"].rpartition("/")[2])["properties"]
    return {**_closed({**properties, "schema": {"const": RECEIPT}}), "$defs": definitions}


def _line() -> dict[str, Any]:
    """One line of ``jsonl``: told apart by ``type``. The values of rows are there only with ``--rows``."""
    definitions: dict[str, Any] = {}
    finding, stream = _definition(Finding, definitions), _definition(StreamCoverage, definitions)
    kinds = {
        "change": _change_line(),
        "transaction": _closed({**_typed("transaction"), **_TRANSACTION}),
        "finding": _closed({**_typed("finding"), **definitions[finding["$ref"].rpartition("/")[2]]["properties"]}),
        "verdict": _closed({**_typed("verdict"), **_VERDICT, "coverage": {"type": "array", "items": stream}}),
    }
    return {"oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in kinds], "$defs": {**definitions, **kinds}}


def _typed(kind: str) -> dict[str, Any]:
    return {"type": {"const": kind}}


def _change_line() -> dict[str, Any]:
    table = _closed({"schema": {"type": "string"}, "table": {"type": "string"}})
    values = {"type": ["object", "null"]}
    line = _closed(
        {
            **_typed("change"),
            **_WHENCE,
            "operation": {"enum": [operation.value for operation in Operation]},
            "schema": _TEXT,
            "table": _TEXT,
            "tables": {"type": "array", "items": table},
            "key": values,
            "rows": {"type": "integer"},
            "changed": {"type": ["array", "null"], "items": {"type": "string"}},
            **_PLACE,
            "origin": _TEXT,
            "pending": {"type": "boolean"},
        }
    )
    line["properties"] |= {"before": values, "after": values, "statement": _TEXT}
    return line


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _definition(model: type, definitions: dict[str, Any]) -> dict[str, Any]:
    """The model's schema among the definitions; in a report every field is written, so every field is required."""
    schema = TypeAdapter(model).json_schema(ref_template="#/$defs/{model}")
    parts = {**schema.pop("$defs", {}), model.__name__: schema}
    for name, part in parts.items():
        if part.get("type") == "object" and "properties" in part:
            renamed = {key.rstrip("_"): value for key, value in part["properties"].items()}
            definitions[name] = {**part, **_closed(renamed)}
        else:
            definitions[name] = part
    return {"$ref": f"#/$defs/{model.__name__}"}


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("schemas"))
