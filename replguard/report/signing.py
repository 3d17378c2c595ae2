"""Ed25519 keys: the private one that signs evidence, the public one that shows who did.

Keys are PEM files, as ``openssl genpkey -algorithm ed25519`` and ``openssl pkey -pubout`` write them, or those of
OpenSSH (``ssh-keygen -t ed25519``), without a passphrase.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
    load_ssh_private_key,
    load_ssh_public_key,
)

from replguard.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_HOW = "make one with: openssl genpkey -algorithm ed25519 -out replguard.key"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key."""

    key: Ed25519PrivateKey

    @classmethod
    def read(cls, path: Path) -> SigningKey:
        """UsageError for a file that is none."""
        data = _read(path)
        load = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in data else load_pem_private_key
        try:
            key = load(data, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise UsageError(
                f"{path} holds no private key that can be read without a passphrase", remedy=_HOW
            ) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise UsageError(f"{path} is no Ed25519 key", remedy=_HOW)
        return cls(key)

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(data)

    def public_text(self) -> str:
        return _text(self.key.public_key())


def read_public(path: Path) -> str:
    """The text of a public key. UsageError for a file that holds none."""
    data = _read(path)
    load = load_ssh_public_key if data.startswith(b"ssh-") else load_pem_public_key
    try:
        key = load(data)
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError(
            f"{path} holds no public key", remedy="openssl pkey -in replguard.key -pubout -out replguard.pub"
        ) from None
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"{path} is no Ed25519 key", remedy=_HOW)
    return _text(key)


def holds(public: str, signature: bytes, data: bytes) -> bool:
    """Whether the signature is that of this key for these bytes; no for what is no key or no signature."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
        key.verify(base64.b64decode(signature, validate=False), data)
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint(public: str) -> str:
    """How people compare keys."""
    digest = hashlib.sha256(base64.b64decode(public)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def _text(key: Ed25519PublicKey) -> str:
    return base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", remedy="name the file of the key") from None
