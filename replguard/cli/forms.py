"""The forms in which a report of many checks can be printed."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from replguard.model.plain import encodable

if TYPE_CHECKING:
    from replguard.model.findings import Report


class GateFormat(StrEnum):
    text = "text"
    json = "json"
    junit = "junit"
    sarif = "sarif"
    nagios = "nagios"
    prometheus = "prometheus"


PLAIN = (GateFormat.text, GateFormat.json)
"""Those that every command knows."""


def rendered(report: Report, form: GateFormat) -> str:
    """The whole of standard output."""
    return encodable(_rendered(report, form))


def _rendered(report: Report, form: GateFormat) -> str:
    if form is GateFormat.junit:
        from replguard.report.junit import junit  # noqa: PLC0415 - each is asked for alone

        return junit(report)
    if form is GateFormat.sarif:
        from replguard.report.sarif import sarif  # noqa: PLC0415

        return sarif(report) + "\n"
    if form is GateFormat.nagios:
        from replguard.report.nagios import nagios  # noqa: PLC0415

        return nagios(report)
    from replguard.report.metrics import gate_metrics  # noqa: PLC0415

    return gate_metrics(report)


def exit_code(report: Report) -> int:
    """As a plugin of Nagios must end."""
    from replguard.report.nagios import status  # noqa: PLC0415

    return status(report)
