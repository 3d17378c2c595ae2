"""The shape of what a user writes about things beside the databases: ``files``, ``endpoints``, ``commands`` and
``attestations`` of ``replguard.yaml``.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, description="how reports call it")]
Moments = Annotated[
    list[Literal["setup", "nightly", "switchover", "cutover"]],
    Field(default=["setup", "nightly", "switchover", "cutover"], min_length=1, description="when the gate asks for it"),
]
Seconds = Annotated[float, Field(gt=0, le=3600)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FilesSection(_Strict):
    """Files or trees that must be equal on several hosts, by the manifests that `replguard manifest` made there."""

    name: Name
    manifests: dict[str, str] = Field(
        min_length=2,
        description="host or node: path or fsspec URL of its manifest; ${NAME} is taken from the environment",
    )
    keyed: bool = Field(default=False, description="a secret: only manifests made with a key will do")
    max_age_hours: float = Field(default=24.0, gt=0, description="older manifests say nothing about now")
    ignore: list[str] = Field(default=[], description="globs over paths below the root that may differ")
    when: Moments


class EndpointSection(_Strict):
    """A place that must answer, or a name that must lead to the active side."""

    name: Name
    url: str = Field(
        min_length=1, description="http://..., https://..., tcp://host:port or dns://name; ${NAME} from the environment"
    )
    status: list[int] = Field(default=[200], min_length=1, description="http: the statuses that are right")
    contains: str | None = Field(default=None, min_length=1, description="http: what must stand in the answer")
    ca_file: str | None = Field(default=None, description="https: whom to trust; default: as the system does")
    resolves_to: dict[str, list[str]] | None = Field(
        default=None, description="dns: cluster: addresses; the name must lead to those of the active side alone"
    )
    down: bool = Field(default=False, description="nothing may answer there: what must be stopped")
    timeout: Seconds = 5.0
    when: Moments


class CommandSection(_Strict):
    """A program of the site's own: 0 passes, 1 fails, all else is inconclusive."""

    name: Name
    run: list[str] = Field(min_length=1, description="program and arguments; no shell")
    timeout: Seconds = 30.0
    contains: str | None = Field(default=None, min_length=1, description="what its output must hold to pass")
    when: Moments


class AttestationSection(_Strict):
    """What no tool can see: somebody says it, by name, for a time."""

    name: Annotated[str, Field(min_length=1, pattern="^[A-Za-z0-9_.-]+$", description="a word, for --attest")]
    text: str = Field(min_length=1, description="what is attested, as a sentence")
    hours: float = Field(default=24.0, gt=0, description="how long it holds")
    when: Moments

    @property
    def fingerprint(self) -> str:
        """By which the sentence is known again: another sentence needs to be attested anew."""
        return hashlib.sha256(self.text.encode("utf-8", "backslashreplace")).hexdigest()


class SiteFile(_Strict):
    """The keys of ``replguard.yaml`` about things beside the databases."""

    files: list[FilesSection] = []
    endpoints: list[EndpointSection] = []
    commands: list[CommandSection] = []
    attestations: list[AttestationSection] = []
