"""When two values that are not the same bytes may be called the same, exactly. Pure.

``trim``
    ASCII white space (space, tab, line feed, vertical tab, form feed, carriage return) at both ends does not matter.
``case``
    Texts are equal after Unicode's full case folding. Nothing is normalised: a letter that is composed on one side and
    written with a combining sign on the other is not the same.
``json``
    Both are JSON (RFC 8259) of the same meaning: the order of names and the space between signs do not matter, texts
    are compared as characters, numbers as numbers, exactly: ``1.0`` is ``1``, and ``1e400`` or twenty digits are what
    they are. An object with a name twice means different things to different readers, so a text that has one is
    compared as it stands, and so is what is no JSON.
``float``
    Both are decimal numbers no further apart than the rule allows. NaN is NaN, an infinity is the one of its sign.
``secret``
    Both are ciphertext of Fernet, or hashes with a salt (``$scheme$...``) of the same scheme. Each time the same secret
    is entered it looks another way, so such a pair proves nothing. Ciphertexts of different length hold different
    secrets. A mark may stand before the ciphertext (``zato.secf.``), the same on both sides.

What is no UTF-8 is compared as it stands by ``case``, ``json`` and ``float``. NULL is the same as NULL alone.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from decimal import MAX_EMAX, MIN_EMIN, ROUND_DOWN, ROUND_UP, Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLANKS = b" \t\n\v\f\r"
_NUMBER = re.compile(rb"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:inf(?:inity)?)|nan", re.IGNORECASE)
_HASH = re.compile(rb"\$(?P<scheme>[A-Za-z0-9-]+)\$.+", re.DOTALL)
_FERNET = re.compile(rb"(?P<mark>[A-Za-z0-9.:+/_-]*?)(?P<token>gAAAA[A-Za-z0-9_-]+={0,2})")
_UP = Context(prec=50, rounding=ROUND_UP, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[])
_DOWN = Context(prec=50, rounding=ROUND_DOWN, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[])


def trimmed(value: bytes) -> bytes:
    r"""The value without white space at its ends.

    >>> trimmed(b"\t a b\n "), trimmed("\u00a0".encode())
    (b'a b', b'\xc2\xa0')
    """
    return value.strip(_BLANKS)


def folded(value: bytes) -> bytes:
    """The text as it is compared without regard to case.

    >>> folded("Straße".encode()) == folded("STRASSE".encode())
    True
    """
    try:
        return value.decode().casefold().encode()
    except UnicodeDecodeError:
        return value


def json_form(value: bytes) -> bytes | None:
    """One text for all JSON of the same meaning; None for what has to be compared as it stands.

    >>> json_form(b' {"b": 1.0, "a": [1e1, null]}') == json_form(b'{"a":[10,null],"b":1}')
    True
    >>> json_form(b'{"a": 1, "a": 1}') is None
    True
    """
    try:
        meaning = json.loads(
            value.decode(),
            parse_float=Decimal,
            parse_int=Decimal,
            parse_constant=_no_json,
            object_pairs_hook=_object,
        )
        return "".join(_written(meaning)).encode("utf-8", "surrogatepass")
    except (ValueError, InvalidOperation, RecursionError):
        return None


def _no_json(word: str) -> Any:
    raise ValueError(word)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = dict(pairs)
    if len(names) < len(pairs):
        raise ValueError("a name stands twice")
    return names


def _written(meaning: Any) -> Iterator[str]:
    if isinstance(meaning, dict):
        yield "{"
        for name in sorted(meaning):
            yield json.dumps(name)
            yield ":"
            yield from _written(meaning[name])
            yield ","
        yield "}"
    elif isinstance(meaning, list):
        yield "["
        for item in meaning:
            yield from _written(item)
            yield ","
        yield "]"
    elif isinstance(meaning, Decimal):
        yield _number_form(meaning)
    else:
        yield json.dumps(meaning)


def _number_form(number: Decimal) -> str:
    """Sign, digits without zeros at the end, exponent; without rounding, whatever the length.

    >>> _number_form(Decimal("-120.0")), _number_form(Decimal("0.0")), _number_form(Decimal("1e400"))
    ('-12e1', '0', '1e400')
    """
    text, _, exponent = f"{number:e}".partition("e")
    whole, _, fraction = text.partition(".")
    digits = (whole + fraction).rstrip("0")
    if not digits.strip("-"):
        return "0"
    return f"{digits}e{int(exponent) - len(fraction) + len(whole + fraction) - len(digits)}"


def near(left: bytes, right: bytes, tolerance: Decimal | None, relative: Decimal | None) -> bool:
    """Whether both are numbers no further apart than ``tolerance``, or than ``relative`` times the larger of the two.

    Where a distance has more than fifty digits it is rounded up, never down.

    >>> near(b"0.3", b"0.2", Decimal("0.1"), None), near(b"0.31", b"0.2", Decimal("0.1"), None)
    (True, False)
    >>> near(b"NaN", b"nan", Decimal(1), None), near(b"inf", b"-inf", Decimal(1), None)
    (True, False)
    """
    first, second = _number(left), _number(right)
    if first is None or second is None:
        return False
    if first.is_nan() or second.is_nan():
        return first.is_nan() and second.is_nan()
    if first == second:
        return True
    if first.is_infinite() or second.is_infinite():
        return False
    distance = _UP.abs(_UP.subtract(first, second))
    if tolerance is not None and distance <= tolerance:
        return True
    larger = max(first.copy_abs(), second.copy_abs())
    return relative is not None and distance <= _DOWN.multiply(relative, larger)


def _number(value: bytes) -> Decimal | None:
    if not _NUMBER.fullmatch(value):
        return None
    try:
        return Decimal(value.decode())
    except InvalidOperation:
        return None


def indeterminate(left: bytes, right: bytes) -> bool:
    """Whether the two may hide the same secret.

    >>> indeterminate(b"$2b$12$abc", b"$2b$12$xyz"), indeterminate(b"$2b$12$abc", b"$6$abc")
    (True, False)
    >>> indeterminate(b"secret", b"Secret")
    False
    """
    ours, theirs = _ciphertext(left), _ciphertext(right)
    if ours and theirs:
        return ours == theirs
    hashes = _HASH.fullmatch(left), _HASH.fullmatch(right)
    return bool(hashes[0] and hashes[1] and hashes[0]["scheme"] == hashes[1]["scheme"])


_VERSION, _FRAME, _BLOCK = 0x80, 1 + 8 + 16 + 32, 16


def _ciphertext(value: bytes) -> tuple[bytes, int] | None:
    """What stands before a Fernet token and its length: version, time, vector, whole blocks, signature."""
    found = _FERNET.fullmatch(value)
    if not found or len(found["token"]) % 4:
        return None
    token = urlsafe_b64decode(found["token"])
    blocks, rest = divmod(len(token) - _FRAME, _BLOCK)
    return (found["mark"], len(token)) if token[0] == _VERSION and blocks > 0 and not rest else None
