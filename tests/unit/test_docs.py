"""What the documents list is what the code says."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import TYPE_CHECKING

from replguard.config import load
from replguard.gates.run import GATES
from replguard.model.codes import CODES

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).resolve().parents[2]
_CODE = re.compile(
    r'"((?:leak|row|table|schema|link|filter|stream|check|freeze|pause|resume|journal|plan|policy|clusters|change|expected|diff|repair|certificate|selftest|trace|sequence|errant|export|waiver|replication|direction|clock|settings|events|separate|files|endpoint|command|attestation|evidence|activity|passive|tool|notify|retention|capacity|privilege|back|history)\.[a-z_]+)"'
)
CHECKS = {
    "pause.receipt",
    "certificate.json",
    "filter.audit",
    "filter.plan",
    "filter.apply",
    "filter.export",
    "filter.undo",
    "links.state",
    "clusters.identity",
    "policy.tables",
    "policy.waivers",
    "replication.health",
    "replication.caught_up",
    "activity.backups",
    "activity.prepared",
    "activity.transactions",
    "passive.read_only",
    "passive.writers",
    "tools.others",
    "tools.operators",
    "capacity.retention",
    "capacity.free",
    "capacity.privileges",
    "capacity.way_back",
    "clusters.direction",
    "clusters.clocks",
    "clusters.settings",
    "tables.keys",
    "passive.events",
    "separate.rows",
    "evidence.files",
    "evidence.signature",
    "diff.data",
    "diff.repair",
    "diff.self_test",
    "diff.certificate",
    "diff.schema",
    "diff.sequences",
    "diff.strength",
    "errant.writes",
    "resume.position",
    "history.store",
    "history.sqlite",
    "resume.servers",
    "resume.changes",
}


def _in_code() -> set[str]:
    texts = [
        path.read_text(encoding="utf-8")
        for path in (ROOT / "replguard").rglob("*.py")
        if "demo" not in path.parts and path.name != "codes.py"
    ]
    return {code for text in texts for code in _CODE.findall(text)} - CHECKS | {"row.missing", "row.extra"}


def test_every_finding_code_is_documented_and_no_other() -> None:
    assert set(CODES) == _in_code()


def test_the_codes_of_a_check_are_codes() -> None:
    for gate in GATES:
        assert set(gate.codes) <= set(CODES), gate.id


def test_every_link_in_the_documents_leads_somewhere() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if not target.startswith("http") and not (page.parent / target).exists()
    ]
    assert broken == []


def test_the_page_of_rights_holds_the_grants_as_they_are() -> None:
    page = (ROOT / "docs" / "grants.md").read_text(encoding="utf-8")
    for engine in ("mysql", "mariadb", "postgresql"):
        assert (ROOT / "sql" / engine / "grants.sql").read_text(encoding="utf-8").strip() in page, engine


def test_the_examples_of_the_page_on_policies_are_policies(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(policy:.*?)```", page, re.DOTALL)
    assert len(examples) >= 3
    head = "clusters: {blue: {url: 'mysql://u@h1/st'}, green: {url: 'mysql://u@h2/st'}}\n"
    for number, example in enumerate(examples):
        file = tmp_path / f"{number}.yaml"
        file.write_text(head + example, encoding="utf-8")
        load(file)


def test_the_reference_is_what_the_code_says() -> None:
    make = runpy.run_path(str(ROOT / "docs" / "reference" / "make.py"))
    assert (ROOT / "docs" / "findings.md").read_text(encoding="utf-8") == make["findings"](), "run `make reference`"
    for name, text in make["pages"]().items():
        assert (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8") == text, "run `make reference`"


def test_the_examples_of_the_guides_are_configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = "clusters: {blue: {url: 'mysql://u@h1/st'}, green: {url: 'mysql://u@h2/st'}}\n"
    for name in ("BLUE", "GREEN", "ONE", "TWO"):
        monkeypatch.setenv(f"{name}_PASSWORD", "x")
    pages = [ROOT / "docs" / "tutorial.md", *(ROOT / "docs" / "guides").glob("*.md")]
    examples = [one for page in pages for one in re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)]
    assert len(examples) >= 5
    for number, example in enumerate(examples):
        file = tmp_path / f"{number}.yaml"
        file.write_text(("" if "clusters:" in example else head) + example, encoding="utf-8")
        load(file)


def test_every_page_stands_in_the_site() -> None:
    listed = set(re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))
    assert {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")} == listed
