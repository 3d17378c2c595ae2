"""TLS of connections to MySQL and MariaDB: what the options of a URL ask for, and what a handshake's errors mean.

The modes are those of MySQL's own clients. The driver would take a CA and not look at the certificate, so the context
is made here: who names a CA has the certificate checked by it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from replguard.engines import tls
from replguard.errors import ConfigError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from replguard.endpoint import Endpoint
    from replguard.errors import ConnectError

MODES = ("disabled", "preferred", "required", "verify_ca", "verify_identity")
_FILES = ("ssl_ca", "ssl_cert", "ssl_key")
_SWITCHES = ("ssl_disabled", "ssl_verify_cert", "ssl_verify_identity")
OPTIONS = ("ssl_mode", *_FILES, *_SWITCHES, "ssl_capath", "ssl_key_password", "ssl_min_protocol_version")
_LEAST = {"tlsv1.2": "TLSv1_2", "tlsv1.3": "TLSv1_3"}
_YES, _NO = frozenset({"1", "true", "yes", "on"}), frozenset({"0", "false", "no", "off"})

_EXPIRED, _NOT_YET = 10, 9
_OTHER_HOST = frozenset({62, 64})
_OUR_CERTIFICATE = re.compile(
    r"alert (?:unknown ca|bad certificate|certificate (?:required|unknown|expired|revoked)|unsupported certificate|"
    r"handshake failure|access denied)",
    re.IGNORECASE,
)
_HUNG_UP = re.compile(r"EOF occurred|gone away|lost connection|reset by peer", re.IGNORECASE)
"""In TLS 1.3 a server looks at the client's certificate when the client is through with the handshake."""
_PROTOCOL = re.compile(r"protocol.version|unsupported.protocol|no protocols available", re.IGNORECASE)

_LOADING = {
    "ssl_ca": "ssl_ca is a file of CA certificates in PEM form, ssl_capath a folder of them",
    "ssl_cert": (
        "ssl_cert and ssl_key are a certificate and its own private key in PEM form; the password of a key that has "
        "one is ssl_key_password=${NAME}"
    ),
}
_CLIENT = "give ssl_cert and ssl_key: a client certificate that is in date and signed by a CA that the server trusts"
_VERSIONS = "check what TLS versions the server allows (tls_version), and ssl_min_protocol_version of the URL"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a URL asks for. ``mode`` is one of :data:`MODES`."""

    mode: str
    files: dict[str, str]
    capath: str | None = None
    password: str | None = None
    least: str = "TLSv1_2"

    @property
    def needed(self) -> bool:
        """Whether a connection without TLS is none."""
        return self.mode not in {"disabled", "preferred"}


def wanted(endpoint: Endpoint) -> Wanted:
    """The options taken together; ConfigError for what is misspelt, contradicts itself, or names a missing file."""
    options = endpoint.options
    files = {option: options[option] for option in _FILES if option in options}
    tls.together(endpoint, options, "ssl_cert", "ssl_key")
    tls.files(endpoint, files)
    asked = _asked(endpoint)
    given = _mode(endpoint)
    mode = given or asked or "preferred"
    if asked and MODES.index(mode) < MODES.index("required"):
        strong = ", ".join(option for option in (*_FILES, "ssl_capath", *_SWITCHES) if _asks(endpoint, option))
        raise tls.contradicts(endpoint, f"ssl_mode={mode}" if "ssl_mode" in options else "ssl_disabled", strong)
    if asked and MODES.index(asked) > MODES.index(mode):
        mode = asked
    return Wanted(mode, files, options.get("ssl_capath"), options.get("ssl_key_password"), _least(endpoint))


def _mode(endpoint: Endpoint) -> str | None:
    text = endpoint.options.get("ssl_mode")
    if text is None:
        return "disabled" if _switch(endpoint, "ssl_disabled") else None
    mode = text.lower().replace("-", "_")
    if mode not in MODES:
        raise _unknown(endpoint, "ssl_mode", MODES)
    return mode


def _asked(endpoint: Endpoint) -> str | None:
    """The mode that the other options ask for by being there."""
    if _switch(endpoint, "ssl_verify_identity"):
        return "verify_identity"
    if _switch(endpoint, "ssl_verify_cert"):
        return "verify_ca"
    if _asks(endpoint, "ssl_ca") or _asks(endpoint, "ssl_capath"):
        return "required" if "ssl_verify_cert" in endpoint.options else "verify_ca"
    least = "ssl_min_protocol_version" in endpoint.options
    return "required" if least or _asks(endpoint, "ssl_cert") else None


def _asks(endpoint: Endpoint, option: str) -> bool:
    if option == "ssl_disabled":
        return False
    return _switch(endpoint, option) if option in _SWITCHES else option in endpoint.options


def _switch(endpoint: Endpoint, option: str) -> bool:
    text = endpoint.options.get(option, "no").lower()
    if text not in _YES | _NO:
        raise _unknown(endpoint, option, ("true", "false"))
    return text in _YES


def _least(endpoint: Endpoint) -> str:
    text = endpoint.options.get("ssl_min_protocol_version", "TLSv1.2").lower()
    if text not in _LEAST:
        raise _unknown(endpoint, "ssl_min_protocol_version", ("TLSv1.2", "TLSv1.3"))
    return _LEAST[text]


def _unknown(endpoint: Endpoint, option: str, known: tuple[str, ...]) -> ConfigError:
    message = f"cluster {endpoint.name}: the URL's option {option}={endpoint.options[option]} is not understood"
    return ConfigError(message, remedy=f"{option} is one of {', '.join(known)}", cluster=endpoint.name)


def context(endpoint: Endpoint, asked: Wanted) -> ssl.SSLContext:
    """What a handshake is made with. ConfigError for files that are no certificates or do not belong together."""
    import ssl  # noqa: PLC0415 - starting up must be quick

    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = asked.mode == "verify_identity"
    made.minimum_version = ssl.TLSVersion[asked.least]
    if asked.mode not in {"verify_ca", "verify_identity"}:
        made.verify_mode = ssl.CERT_NONE
    elif asked.capath or "ssl_ca" in asked.files:
        _load(endpoint, "ssl_ca", lambda: made.load_verify_locations(asked.files.get("ssl_ca"), asked.capath))
    else:
        made.load_default_certs()
    if "ssl_cert" in asked.files:
        cert, key = asked.files["ssl_cert"], asked.files["ssl_key"]
        # Without a password OpenSSL would ask for one on the terminal.
        _load(endpoint, "ssl_cert", lambda: made.load_cert_chain(cert, key, lambda: asked.password or ""))
    return made


def _load(endpoint: Endpoint, option: str, load: Callable[[], None]) -> None:
    try:
        load()
    except OSError as error:
        why = getattr(error, "reason", None) or error.strerror or error
        message = f"cluster {endpoint.name}: {option} cannot be used: {why}"
        raise ConfigError(message, remedy=_LOADING[option], cluster=endpoint.name) from None


def unverified() -> ssl.SSLContext:
    """TLS without a look at the certificate, for where TLS is taken if it is there and nobody asked for more."""
    import ssl  # noqa: PLC0415 - starting up must be quick

    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


def on_handshake(error: BaseException, endpoint: Endpoint, where: str) -> ConnectError | None:
    """What it means that TLS did not come about; None for an error that has nothing to do with it."""
    import ssl  # noqa: PLC0415 - see above

    cause = getattr(error, "original_exception", None)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _certificate(cause, endpoint, where)
    said = str(cause if isinstance(cause, ssl.SSLError) else error)
    if _OUR_CERTIFICATE.search(said.replace("_", " ")):
        why = f"the server refuses this client's certificate, or its lack: {said}"
        return tls.refused(endpoint, where, why, _CLIENT)
    if _HUNG_UP.search(said) and "ssl_cert" in endpoint.options:
        return tls.refused(endpoint, where, f"the server hung up when it was shown our certificate: {said}", _CLIENT)
    if isinstance(cause, ssl.SSLError):
        remedy = _VERSIONS if _PROTOCOL.search(said) else "check the server's TLS settings and its error log"
        return tls.refused(endpoint, where, said, remedy)
    return None


def _certificate(error: ssl.SSLCertVerificationError, endpoint: Endpoint, where: str) -> ConnectError:
    why = f"its certificate does not hold: {error.verify_message}"
    if error.verify_code in {_EXPIRED, _NOT_YET}:
        remedy = "renew the server's certificate; or this machine's clock is wrong"
    elif error.verify_code in _OTHER_HOST:
        remedy = (
            "write a host name or address into the URL that stands in the certificate (subjectAltName), or issue a "
            "certificate that holds this one; ssl_mode=verify_ca looks at no names"
        )
    else:
        remedy = "give the CA that signed the server's certificate: ssl_ca=FILE in the cluster's URL"
    return tls.refused(endpoint, where, why, remedy)
