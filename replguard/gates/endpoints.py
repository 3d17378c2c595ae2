"""Do the places answer that must, and does the name of the service lead to the active side?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from replguard.endpoint import expand
from replguard.errors import ReplguardError
from replguard.gates.base import Gate, Outcome
from replguard.model.findings import Check, Finding, Severity
from replguard.site.probes import Answer, Expected, http_get, resolve, tcp

if TYPE_CHECKING:
    from replguard.gates.base import Context, Options, Roles
    from replguard.sitefile import EndpointSection


class Endpoints(Gate):
    id = "site.endpoints"
    title = "endpoints answer as they must"
    purpose = (
        "Nodes of the cluster that takes over must be healthy, and before a cutover the load balancer's name must "
        "still lead to the active side."
    )
    reads = "the endpoints of the config: one HTTP request, one TCP connection, or one resolution of a name each"
    remedy = (
        "start what does not answer; correct the name's addresses, or wait until caches have let go of the old ones"
    )
    limits = "What this host reaches and resolves, others may not."
    codes = ("endpoint.failed", "endpoint.unreached", "endpoint.answers")

    def takes(self, options: Options) -> float:  # noqa: ARG002 - the config says, which is not known here
        return 60.0

    def run(self, context: Context) -> Outcome:
        wanted = [one for one in context.config.site.endpoints if context.purpose.value in one.when]
        if not wanted:
            return Outcome((Check(self.id, "the config names no endpoint", applicable=False),))
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda one: _judged(one, context.roles), wanted))
        findings = tuple(finding for finding in found if finding)
        return Outcome((Check(self.id, f"{len(wanted)} asked, {len(findings)} not as they must be", findings),))


def _judged(section: EndpointSection, roles: Roles) -> Finding | None:
    try:
        answer = _asked(section, expand(section.url, f"endpoint {section.name}"), roles)
    except (ReplguardError, ValueError) as error:
        answer = Answer(None, f"cannot be asked: {error}")
    evidence = {"name": section.name}
    if section.down:
        if answer.good is True or (answer.good is False and "refuses" not in answer.words):
            words = f"{section.name} {answer.words}, and nothing may answer there"
            return Finding("endpoint.answers", Severity.fail, words, remedy="stop it", evidence=evidence)
        return None
    if answer.good:
        return None
    code, severity = (
        ("endpoint.failed", Severity.fail) if answer.good is False else ("endpoint.unreached", Severity.unknown)
    )
    remedy = "look at it, and at the way from here to there; `timeout:` gives it more time"
    return Finding(code, severity, f"{section.name} {answer.words}", remedy=remedy, evidence=evidence)


def _asked(section: EndpointSection, url: str, roles: Roles) -> Answer:
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and parts.hostname:
        expected = Expected(tuple(section.status), section.contains, section.ca_file)
        return http_get(url, expected, section.timeout)
    if parts.scheme == "tcp" and parts.hostname and parts.port:
        return tcp(parts.hostname, parts.port, section.timeout)
    if parts.scheme == "dns" and parts.netloc:
        return _resolved(section, parts.netloc, roles)
    return Answer(None, "has a URL of no known kind: http, https, tcp with a port, or dns")


def _resolved(section: EndpointSection, name: str, roles: Roles) -> Answer:
    found = resolve(name, section.timeout)
    if isinstance(found, Answer):
        return found
    if section.resolves_to is None:
        return Answer(good=True, words=f"is {', '.join(sorted(found))}")
    if roles.active is None or roles.active not in section.resolves_to:
        return Answer(None, f"cannot be judged: it is not known which addresses are right ({roles.why})")
    right = set(section.resolves_to[roles.active])
    wrong = found - right
    if wrong:
        return Answer(
            good=False, words=f"leads to {', '.join(sorted(wrong))}, which is not {roles.active}, the active side"
        )
    return Answer(good=True, words=f"leads to {roles.active}")
