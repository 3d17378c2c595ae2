"""TLS of connections to PostgreSQL: libpq's options taken together, and what its messages about a handshake mean.

libpq by itself prefers TLS and goes on without: a CA named in the URL would change nothing. So the options that ask for
TLS by being there ask for it, as ``sslmode`` would.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replguard.engines import tls
from replguard.errors import ConfigError

if TYPE_CHECKING:
    from replguard.endpoint import Endpoint
    from replguard.errors import ConnectError

_WEAK = ("disable", "allow", "prefer")
MODES = (*_WEAK, "require", "verify-ca", "verify-full")
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
_ASKING = (*_FILES, "sslpassword", "ssl_min_protocol_version")
_SYSTEM = "system"
_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")

_NO_TLS = re.compile(r"server does not support SSL")
_OUR_FILES = re.compile(r"could not (?:load|read|open certificate)|private key file|certificate present")
_BROKEN: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"server certificate for .* does not match host name", re.DOTALL),
        (
            "write a host name or address into the URL that stands in the certificate (subjectAltName), or issue a "
            "certificate that holds this one; sslmode=verify-ca looks at no names"
        ),
    ),
    (
        re.compile(
            r"requires a valid client certificate|certificate authentication failed|"
            r"alert (?:unknown ca|bad certificate|"
            r"certificate (?:required|unknown|expired|revoked)|unsupported certificate)"
        ),
        (
            "give sslcert and sslkey: a client certificate that is in date, signed by a CA that the server trusts "
            "(ssl_ca_file) and, where pg_hba.conf asks for it, made out to the user of the URL"
        ),
    ),
    (
        re.compile(r"certificate verify failed|self.signed certificate"),
        (
            "sslrootcert=FILE must be the CA that signed the server's certificate, and that must be in date; "
            "`openssl s_client -starttls postgres -connect HOST:PORT -CAfile FILE` tells which of the two it is"
        ),
    ),
    (
        re.compile(r"protocol version|unsupported protocol|no protocols available"),
        "check what TLS versions the server allows, and ssl_min_protocol_version of the URL",
    ),
    (
        re.compile(r"no pg_hba\.conf entry .*no encryption", re.DOTALL),
        "add sslmode=require, or better sslrootcert=FILE, to the cluster's URL; or mend the server's pg_hba.conf",
    ),
)
"""What libpq says of a handshake that was broken off, and what helps."""


def completed(endpoint: Endpoint, given: dict[str, Any]) -> dict[str, Any]:
    """Parameters of libpq with the ``sslmode`` that their TLS options ask for.

    ConfigError for what is misspelt, contradicts itself, or names a missing file.
    """
    mode, asking = given.get("sslmode"), [option for option in _ASKING if option in given]
    _one_of(endpoint, given, "sslmode", MODES)
    _one_of(endpoint, given, "ssl_min_protocol_version", _VERSIONS)
    tls.together(endpoint, given, "sslcert", "sslkey")
    tls.files(endpoint, {name: given[name] for name in _FILES if given.get(name, _SYSTEM) != _SYSTEM})
    if asking and mode in _WEAK:
        raise tls.contradicts(endpoint, f"sslmode={mode}", ", ".join(asking))
    if asking and mode is None:
        root = given.get("sslrootcert")
        mode = "verify-full" if root == _SYSTEM else "verify-ca" if root else "require"
    if mode is None or mode in _WEAK:
        return given
    if mode.startswith("verify") and not _has_root(given):
        raise ConfigError(
            f"cluster {endpoint.name}: sslmode={mode} names no CA by which to check the server's certificate",
            remedy="add sslrootcert=FILE to the cluster's URL, or sslrootcert=system for the CAs of this machine",
            cluster=endpoint.name,
        )
    if str(given.get("host") or endpoint.host or "").startswith("/"):
        raise ConfigError(
            f"cluster {endpoint.name}: sslmode={mode} asks for TLS, which a connection by a Unix socket never has",
            remedy="give host and port, or remove the TLS options",
            cluster=endpoint.name,
        )
    # Encryption by GSSAPI would be taken before TLS, and looks at no certificate.
    return {"gssencmode": "disable", **given, "sslmode": mode}


def _one_of(endpoint: Endpoint, given: dict[str, Any], option: str, known: tuple[str, ...]) -> None:
    if option in given and given[option] not in known:
        message = f"cluster {endpoint.name}: the URL's option {option}={given[option]} is not understood"
        raise ConfigError(message, remedy=f"{option} is one of {', '.join(known)}", cluster=endpoint.name)


def _has_root(given: dict[str, Any]) -> bool:
    default = Path("~/.postgresql/root.crt").expanduser()
    return "sslrootcert" in given or "PGSSLROOTCERT" in os.environ or default.is_file()


def on_handshake(text: str, endpoint: Endpoint, place: str) -> ConnectError | ConfigError | None:
    """What a message of libpq says about TLS; None for one that has nothing to do with it."""
    if _NO_TLS.search(text):
        return tls.plain(endpoint, place)
    if remedy := next((remedy for said, remedy in _BROKEN if said.search(text)), None):
        return tls.refused(endpoint, place, text, remedy)
    if _OUR_FILES.search(text):
        remedy = (
            "sslcert and sslkey are a certificate and its own private key in PEM form, which nobody else may read "
            "(chmod 600); the password of a key that has one is sslpassword=${NAME}"
        )
        return ConfigError(f"cluster {endpoint.name}: {text}", remedy=remedy, cluster=endpoint.name)
    return None
