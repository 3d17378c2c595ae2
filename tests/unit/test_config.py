"""The config file: what it means, and errors that name file, line, key and remedy."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from replguard import config
from replguard.configfile import LinkSection
from replguard.errors import ConfigError, PolicyError, ReplguardError, UsageError
from replguard.policy import TableClass
from tests.unit.builders import name

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """clusters:
  blue:  {url: "mariadb://u:${BLUE}@10.0.0.1/st"}
  green: {url: "mariadb://u:${GREEN}@10.0.1.1/st"}
"""


@pytest.fixture(autouse=True)
def _passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLUE", "bl@e/s3cret")
    monkeypatch.setenv("GREEN", "gr%40n-s3cret")


def load(folder: Path, text: str) -> config.Config:
    file = folder / "replguard.yaml"
    file.write_text(text, encoding="utf-8")
    return config.load(file)


def refused(folder: Path, text: str) -> ReplguardError:
    with pytest.raises((ConfigError, PolicyError)) as caught:
        load(folder, text)
    assert "s3cret" not in f"{caught.value!r} {caught.value.remedy}"
    assert caught.value.exit_code == 2
    return caught.value


def test_the_example_of_the_design(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        HEAD
        + """policy:
  preset: securetransport-zero-downtime
  must_not_sync: ["TMP_*"]
  config: ["*"]
  local: []
  ignore_columns: {virtualuser: [Seen]}
  changed_by: {"virtual*": [By, At], virtualuser: [at]}
  audit_tables: [{of: "virtual*", table: auditlog, key: [objectid], latest: id, columns: [who]}]
  expected_differences:
    - {table: serverconfiguration, where: "name = 'x'", reason: "names the site", until: 2027-06-30}
""",
    )
    assert [endpoint.name for endpoint in found.endpoints] == ["blue", "green"]
    assert [endpoint.password for endpoint in found.endpoints] == ["bl@e/s3cret", "gr%40n-s3cret"]
    assert "s3cret" not in repr(found)
    assert found.links == "discover"
    assert found.policy.classify(name("tmp_x")).table_class is TableClass.must_not_sync
    assert found.policy.classify(name("event")).table_class is TableClass.must_not_sync
    assert found.policy.ignored_columns(name("virtualuser")) == {"seen", "lastlogin"}
    assert found.policy.changed_by_columns(name("VirtualUser")) == ("By", "at")
    assert found.policy.changed_by_columns(name("other")) == ()
    assert [audit.table.pattern for audit in found.policy.audits_of(name("VirtualUser"))] == ["auditlog"]
    assert found.policy.audits_of(name("other")) == ()
    first = found.policy.expected_for(name("SERVERCONFIGURATION"))[0]
    assert (first.until, first.reason) == (date(2027, 6, 30), "names the site")


def test_relaxations_are_named_in_the_policy(tmp_path: Path) -> None:
    used = load(
        tmp_path,
        HEAD
        + """policy:
  relax:
    - {table: http_soap, columns: [opaque1], as: json, reason: "written by hand"}
    - {table: metric, columns: ["*_ratio"], as: float, tolerance: 1e-9, relative: 0.001, reason: r, until: 2027-06-30}
  only_rows: [{table: setting, where: "node <> 'x'", reason: "a node of its own"}]
  natural_keys: [{table: service, key: [Name, cluster_id], ignore: [ID], reason: "installed separately"}]
""",
    ).policy
    (opaque,) = used.relaxations_for(name("HTTP_SOAP"))
    assert (opaque.equality.value, opaque.touches("OPAQUE1"), opaque.touches("name")) == ("json", True, False)
    (ratio,) = used.relaxations_for(name("metric"))
    assert (ratio.tolerance, ratio.relative) == (Decimal("1e-9"), Decimal("0.001"))
    assert ratio.touches("cpu_ratio")
    assert used.expired(date(2027, 7, 1)) == (ratio,)
    (rows,) = used.row_filters_for(name("setting"))
    assert rows.where.holds({"node": "y"})
    natural = used.natural_key(name("service"))
    assert natural
    assert (natural.key, natural.ignore) == (("name", "cluster_id"), ("id",))
    assert used.natural_key(name("job")) is None


def test_an_explicit_config_replaces_the_default(tmp_path: Path) -> None:
    explicit = load(tmp_path, HEAD + "policy: {config: [account]}")
    assert explicit.policy.classify(name("other")).table_class is TableClass.unclassified
    assert load(tmp_path, HEAD + "policy: {config: []}").policy.classify(name("other")).rule is None
    for text in ("", "policy: {}", "policy: {config: }", "policy: {local: [x]}"):
        assert load(tmp_path, HEAD + text).policy.classify(name("other")).table_class is TableClass.config


def test_preset_and_file_are_united(tmp_path: Path) -> None:
    used = load(tmp_path, HEAD + "policy: {preset: zato, config: [my_table]}").policy
    for table in ("my_table", "sql_pool"):
        assert used.classify(name(table)).table_class is TableClass.config
    assert used.classify(name("other")).table_class is TableClass.unclassified


def test_groups_name_the_heading_of_a_rule(tmp_path: Path) -> None:
    used = load(tmp_path, HEAD + "policy: {must_not_sync: {queue: [event], logs: [l1, l2]}}").policy
    rule = used.classify(name("l2")).rule
    assert rule
    assert str(rule) == "must_not_sync 'l2' (policy [logs])"


@pytest.mark.parametrize("text", ["links: none", "policy: {preset: securetransport-passive}"])
def test_no_links_are_wanted(tmp_path: Path, text: str) -> None:
    assert load(tmp_path, HEAD + text).links == "none"


def test_links_are_discovered_or_named(tmp_path: Path) -> None:
    assert load(tmp_path, HEAD + "links: discover").links == "discover"
    overruled = load(tmp_path, HEAD + "links: discover\npolicy: {preset: securetransport-passive}")
    assert overruled.links == "discover"
    named = load(tmp_path, HEAD + "links:\n- {source: blue, target: green}\n- {source: green, target: blue, name: c2}")
    assert named.links == (
        LinkSection(source="blue", target="green"),
        LinkSection(source="green", target="blue", name="c2"),
    )


def test_schemas_and_state_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERE", str(tmp_path))
    text = HEAD.replace('st"}\n  green', 'st", schemas: [st, other]}\n  green') + "state_dir: ${WHERE}/state"
    found = load(tmp_path, text)
    assert found.endpoints[0].schemas == ("st", "other")
    assert found.state_dir == tmp_path / "state"


def test_a_preset_of_the_site_stands_beside_the_config(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("{name: mine, version: '1', title: t, source: s, must_not_sync: [queue]}")
    used = load(tmp_path, HEAD + "policy: {preset: mine.yaml}").policy
    assert used.classify(name("QUEUE")).table_class is TableClass.must_not_sync
    (tmp_path / "mine.yaml").write_text("{name: mine, version: '1', title: t, source: s,\n must_not_snyc: [queue]}")
    error = refused(tmp_path, HEAD + "policy: {preset: mine.yaml}")
    assert "mine.yaml:2" in error.message
    assert "'must_not_sync'" in error.message
    (tmp_path / "mine.yaml").unlink()
    error = refused(tmp_path, HEAD + "policy: {preset: mine.yaml}")
    assert "mine.yaml does not exist" in error.message
    assert "replguard.yaml:4:" in error.message


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (HEAD + "polcy: {}", 4, ["'polcy'", "did you mean 'policy'"]),
        (HEAD + "policy:\n  presett: zato", 5, ["'policy.presett'", "did you mean 'preset'"]),
        (HEAD + "policy:\n  zzz: 1", 5, ["'policy.zzz'", "known keys here: ", "must_not_sync"]),
        (HEAD.replace("{url", "{ulr", 1), 2, ["'clusters.blue.ulr'", "did you mean 'url'"]),
        (HEAD.replace('st"}', 'st", schema: [a]}', 1), 2, ["'clusters.blue.schema'", "did you mean 'schemas'"]),
        (
            HEAD + "policy:\n  expected_differences:\n  - table: a\n    where: a = 'b'\n    reasn: c",
            8,
            ["expected_differences.0.reasn'", "did you mean 'reason'"],
        ),
        (HEAD + "links:\n- source: blue\n  traget: green", 6, ["'links.0.traget'", "did you mean 'target'"]),
        (HEAD + "policy:\n  must_not_sync: 5", 5, ["policy.must_not_sync", "list"]),
        (HEAD + "policy:\n  must_not_sync:\n  - a\n  - 5", 7, ["policy.must_not_sync.1", "string"]),
        (HEAD + "policy:\n  must_not_sync:\n    grp:\n    - no", 7, ["policy.must_not_sync.grp.0", "string"]),
        (HEAD + "policy:\n  local:\n  - ''", 6, ["policy.local.0", "at least 1 character"]),
        (HEAD + "policy: []", 4, ["policy", "dictionary"]),
        (HEAD + "links: nome", 4, ["links", "'none'"]),
        (HEAD + "links: [{source: blue, target: red}]", 4, ["'blue' and 'green'"]),
        (HEAD + "links: [{source: blue, target: blue}]", 4, ["'blue' and 'green'"]),
        (HEAD.replace('"mariadb://u:${BLUE}@10.0.0.1/st"', "7"), 2, ["clusters.blue.url", "string"]),
        (HEAD.replace("mariadb://u:${BLUE}", "oracle://u:${BLUE}"), 2, ["'blue'", "'oracle'"]),
        (HEAD.replace("${GREEN}", "${NOT_SET_AT_ALL}"), 3, ["'green'", "NOT_SET_AT_ALL"]),
        (HEAD + "state_dir: ${NOT_SET_AT_ALL}", 4, ["state_dir", "NOT_SET_AT_ALL"]),
        (HEAD + "policy: {preset: zatoo}", 4, ["no preset 'zatoo'"]),
        (HEAD + "policy:\n  expected_differences:\n  - {table: a, where: a > 1, reason: r}", 6, ["a > 1"]),
        (HEAD + "policy:\n  local: [a]\n  local: [b]", 6, ["'local'", "second time"]),
        (HEAD + "policy:\n  ignore_columns:\n    t: [a]\n    t: [b]", 7, ["'t'", "second time"]),
        ("clusters: {blue: {url: x}, blue: {url: y}}", 1, ["'blue'", "second time"]),
        ("clusters:\n  blue: {url: 'mysql://h/d'}", 1, ["exactly two"]),
        (HEAD + "  red: {url: 'mysql://h/d'}", 1, ["exactly two"]),
        ("policy: {}", 1, ["clusters", "required"]),
        ("", 1, ["clusters", "required"]),
        ("just text", 1, ["dictionary"]),
        ("- a\n- b", 1, ["dictionary"]),
        (HEAD + "policy:\n\tpreset: zato", 5, ["not valid YAML"]),
        (HEAD + "policy: {preset: zato", 4, ["not valid YAML"]),
        (HEAD + "policy: {preset: {{ zato }}}", 4, ["not valid YAML"]),
        (HEAD + "policy: {? [a] : b}", 4, ["not valid YAML"]),
        (HEAD + "a: &x [*x]", 4, ["refers to itself"]),
        (HEAD + "policy: !!python/object:os.system {}", 4, ["not valid YAML"]),
        (HEAD + "---\nb: 1", 4, ["not valid YAML"]),
        (HEAD + "x: \0", 4, ["not valid YAML"]),
        (
            HEAD + "policy:\n  expected_differences:\n  - {table: a, where: a = 'b', reason: r, until: 2027-13-45}",
            6,
            ["until", "date"],
        ),
        (
            HEAD + "policy:\n  expected_differences:\n  - {table: a, where: a = 'b', reason: r, until: soon}",
            6,
            ["policy.expected_differences.0.until", "date"],
        ),
        (HEAD + "policy:\n  expected_differences:\n  - {table: a, where: a = 'b'}", 6, ["0.reason", "required"]),
        (HEAD + "policy:\n  relax:\n  - {table: t, columns: [a], as: json}", 6, ["relax.0.reason", "required"]),
        (HEAD + "policy:\n  relax:\n  - {table: t, columns: [a], as: xml, reason: r}", 6, ["relax.0.as", "'json'"]),
        (HEAD + "policy:\n  relax:\n  - {table: t, columns: [], as: json, reason: r}", 6, ["relax.0.columns", "1"]),
        (
            HEAD + "policy:\n  relax:\n  - table: t\n    columns: [a]\n    ass: json\n    reason: r",
            8,
            ["relax.0.ass'", "did you mean 'as'"],
        ),
        (
            HEAD + "policy:\n  relax:\n  - {table: t, columns: [a], as_: json, reason: r}",
            6,
            ["relax.0.as_'", "did you mean 'as'"],
        ),
        (HEAD + "policy:\n  relax:\n  - {table: t, columns: [a], as: float, reason: r}", 6, ["needs a tolerance"]),
        (
            HEAD + "policy:\n  relax:\n  - {table: t, columns: [a], as: trim, tolerance: 1, reason: r}",
            6,
            ["`as: float` alone"],
        ),
        (
            HEAD + "policy:\n  relax:\n  - {table: t, columns: [a], as: float, tolerance: 0, reason: r}",
            6,
            ["relax.0.tolerance", "greater than 0"],
        ),
        (
            HEAD + "policy:\n  relax:\n  - {table: t, columns: [a], as: float, relative: .inf, reason: r}",
            6,
            ["relax.0.relative", "finite"],
        ),
        (HEAD + "policy:\n  only_rows:\n  - {table: t, where: a > 1, reason: r}", 6, ["a > 1"]),
        (HEAD + "policy:\n  only_rows:\n  - {table: t, where: a = 1}", 6, ["only_rows.0.reason", "required"]),
        (HEAD + "policy:\n  natural_keys:\n  - {table: t, key: [], reason: r}", 6, ["natural_keys.0.key", "1"]),
        (
            HEAD + "policy:\n  natural_keys:\n  - {table: t, key: [a], ignored: [id], reason: r}",
            6,
            ["natural_keys.0.ignored'", "did you mean 'ignore'"],
        ),
    ],
)
def test_errors_name_file_line_and_key(tmp_path: Path, text: str, line: int, words: list[str]) -> None:
    error = refused(tmp_path, text)
    assert error.message.startswith(f"{tmp_path / 'replguard.yaml'}:{line}:")
    for word in words:
        assert word in error.message
    assert "\n" not in error.message
    assert error.remedy or "did you mean" in error.message or "known keys" in error.message


def test_the_remedies_help(tmp_path: Path) -> None:
    def remedy(text: str) -> str:
        return str(refused(tmp_path, text).remedy)

    assert "did you mean 'zato'" in remedy(HEAD + "policy: {preset: zatoo}")
    assert "securetransport-zero-downtime" in remedy(HEAD + "policy: {preset: nothing-like-it}")
    assert "export NOT_SET" in remedy(HEAD.replace("${GREEN}", "${NOT_SET}"))
    assert "spaces" in remedy(HEAD + "policy:\n\tpreset: zato")
    assert "join both" in remedy(HEAD + "policy: {local: [a], local: [b]}")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.yaml does not exist") as caught:
        config.load(tmp_path / "no.yaml")
    assert "replguard init" in str(caught.value.remedy)
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        config.load(tmp_path)
    assert caught.value.remedy
    (tmp_path / "latin.yaml").write_bytes(b"clusters: \xe9")
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        config.load(tmp_path / "latin.yaml")
    assert "UTF-8" in str(caught.value.remedy)


def test_the_options_of_the_command_line_make_a_config() -> None:
    urls = {"a": "mysql://u:${BLUE}@h1/d", "b": "mysql://u@h2/d"}
    found = config.from_options(urls, "zato", ("MINE_*",))
    rule = found.policy.classify(name("mine_1")).rule
    assert rule
    assert rule.origin == "--must-not-sync"
    assert "s3cret" not in repr(found)
    with pytest.raises(PolicyError, match="no preset"):
        config.from_options(urls, "zatoo", ())
    with pytest.raises(ConfigError, match="NOT_SET"):
        config.from_options({**urls, "b": "mysql://u:${NOT_SET}@h2/d"}, None, ())


def test_must_not_sync_of_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    found = config.with_rules(load(tmp_path, HEAD + "policy: {config: [account], local: [account]}"), ("account",))
    assert found.policy.classify(name("account")).table_class is TableClass.must_not_sync


@pytest.mark.parametrize("glob", ["", "  "])
def test_an_empty_word_names_no_table_and_is_refused(glob: str) -> None:
    with pytest.raises(PolicyError, match="empty word"):
        config.policy_of(None, ("event", glob))


def test_option_files_of_a_cluster(tmp_path: Path) -> None:
    """In the config relative to it, on the command line relative to where it is called, several where asked."""
    path = tmp_path / "replguard.yaml"
    path.write_text(
        "clusters:\n"
        "  blue: {url: 'mysql://u@h1/st', option_file: my.cnf}\n"
        "  green: {url: 'mysql://u@h2/st', option_file: [/etc/a.cnf, b.cnf]}\n"
    )
    found = config.load(path)
    assert [one.option_files for one in found.endpoints] == [
        (str(tmp_path / "my.cnf"),),
        ("/etc/a.cnf", str(tmp_path / "b.cnf")),
    ]
    given = tmp_path / "given.cnf"
    given.write_text("")
    assert config.with_option_files(found, [f"blue={given}"]).endpoints[0].option_files[1:] == (str(given),)
    for wrong in ("red=my.cnf", "blue", "blue=", f"blue={tmp_path / 'none'}"):
        with pytest.raises(UsageError, match="--option-file"):
            config.with_option_files(found, [wrong])
