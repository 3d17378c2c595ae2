"""What a URL's TLS options ask for, and what is refused without a server."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from replguard.endpoint import Endpoint
from replguard.engines.binlog import tls as binlog
from replguard.engines.postgresql import tls as postgresql
from replguard.engines.postgresql.session import parameters
from replguard.errors import ConfigError
from tests.servers.certificates import Authority

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tls")
    authority = Authority(made, "ca")
    authority.issue("client")
    authority.issue("other")
    (made / "nothing").write_text("no certificate")
    return made


def place(engine: str, folder: Path, text: str, host: str = "db.example") -> Endpoint:
    """``text``: options as ``name=value name=value``, where ``@`` is the folder of certificates."""
    options = dict(part.split("=", 1) for part in text.replace("@", f"{folder}/").split())
    return Endpoint("blue", engine, None if "host" in options else host, None, "u", "geheim", "d", options=options)


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("", "preferred"),
        ("ssl_mode=DISABLED", "disabled"),
        ("ssl_disabled=true", "disabled"),
        ("ssl_mode=required", "required"),
        ("ssl_min_protocol_version=TLSv1.3", "required"),
        ("ssl_cert=@client.crt ssl_key=@client.key", "required"),
        ("ssl_ca=@ca.pem", "verify_ca"),
        ("ssl_mode=required ssl_ca=@ca.pem", "verify_ca"),
        ("ssl_ca=@ca.pem ssl_verify_cert=false", "required"),
        ("ssl_verify_cert=1", "verify_ca"),
        ("ssl_ca=@ca.pem ssl_verify_identity=true", "verify_identity"),
        ("ssl_mode=VERIFY-IDENTITY", "verify_identity"),
    ],
)
def test_mysql_and_mariadb(folder: Path, text: str, mode: str) -> None:
    endpoint = place("mysql", folder, text)
    asked = binlog.wanted(endpoint)
    assert (asked.mode, asked.needed) == (mode, mode not in {"disabled", "preferred"})
    made = binlog.context(endpoint, asked)
    assert made.check_hostname == (mode == "verify_identity")
    assert (made.verify_mode == ssl.CERT_REQUIRED) == mode.startswith("verify")
    assert made.minimum_version == (ssl.TLSVersion.TLSv1_3 if "1.3" in text else ssl.TLSVersion.TLSv1_2)


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("", None),
        ("sslmode=prefer", "prefer"),
        ("sslmode=require", "require"),
        ("ssl_min_protocol_version=TLSv1.3", "require"),
        ("sslcert=@client.crt sslkey=@client.key", "require"),
        ("sslrootcert=@ca.pem", "verify-ca"),
        ("ssl_ca=@ca.pem", "verify-ca"),
        ("sslrootcert=system", "verify-full"),
        ("sslrootcert=@ca.pem sslmode=verify-full", "verify-full"),
    ],
)
def test_postgresql(folder: Path, text: str, mode: str | None) -> None:
    found = parameters(place("postgresql", folder, text))
    assert found.get("sslmode") == mode
    assert found.get("gssencmode") == ("disable" if mode not in {None, "prefer"} else None)


@pytest.mark.parametrize(
    ("engine", "text", "named"),
    [
        ("mysql", "ssl_ca=@missing.pem", "missing.pem"),
        ("mysql", "ssl_ca=@nothing", "ssl_ca"),
        ("mysql", "ssl_cert=@client.crt", "ssl_key"),
        ("mysql", "ssl_cert=@client.crt ssl_key=@other.key", "ssl_cert"),
        ("mysql", "ssl_mode=maybe", "ssl_mode=maybe"),
        ("mysql", "ssl_mode=preferred ssl_ca=@ca.pem", "ssl_mode=preferred"),
        ("mysql", "ssl_disabled=1 ssl_verify_identity=1", "ssl_verify_identity"),
        ("mysql", "ssl_verify_cert=perhaps", "ssl_verify_cert=perhaps"),
        ("mysql", "ssl_min_protocol_version=TLSv1", "TLSv1.2"),
        ("postgresql", "sslrootcert=@missing.pem", "missing.pem"),
        ("postgresql", "sslkey=@client.key", "sslcert"),
        ("postgresql", "sslmode=maybe", "sslmode=maybe"),
        ("postgresql", "sslmode=verify-full", "sslrootcert"),
        ("postgresql", "sslmode=prefer sslrootcert=@ca.pem", "sslmode=prefer"),
        ("postgresql", "ssl_min_protocol_version=9", "ssl_min_protocol_version=9"),
        ("postgresql", "sslmode=require host=/run/postgresql", "Unix socket"),
    ],
)
def test_what_cannot_be_is_named_without_a_server(
    folder: Path, engine: str, text: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("PGSSLROOTCERT", raising=False)
    endpoint = place(engine, folder, text)
    ask = parameters if engine == "postgresql" else lambda place: binlog.context(place, binlog.wanted(place))
    with pytest.raises(ConfigError) as caught:
        ask(endpoint)
    assert caught.value.cluster == "blue"
    assert named in f"{caught.value.message} {caught.value.remedy}"
    assert caught.value.remedy
    assert "geheim" not in f"{caught.value.message} {caught.value.remedy}"


def test_what_libpq_says_of_its_own_files_is_no_matter_of_the_server(folder: Path) -> None:
    endpoint = place("postgresql", folder, "")
    found = postgresql.on_handshake('private key file "x.key" has group or world access', endpoint, "there")
    assert isinstance(found, ConfigError)
    assert "chmod 600" in str(found.remedy)
    assert postgresql.on_handshake("connection refused", endpoint, "there") is None
