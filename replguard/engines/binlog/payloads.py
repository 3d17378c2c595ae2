"""MySQL's compressed transactions: whole events, zstd-compressed, inside one TRANSACTION_PAYLOAD event."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from replguard.engines.binlog.events import HEADER, HEADER_SIZE, Damage, Fields, NotUnderstood

if TYPE_CHECKING:
    from collections.abc import Iterator

_END, _SIZE, _COMPRESSION, _UNCOMPRESSED_SIZE = range(4)
_ZSTD = 0
_NONE = 255


def inner_events(body: bytes) -> Iterator[bytes]:
    """The events inside, one by one, without checksums; the whole is never in memory at once.

    Raises Damage, and NotUnderstood for another compression than zstd.
    """
    fields = Fields(body)
    values: dict[int, int] = {}
    while (kind := fields.packed()) != _END:
        value = Fields(fields.take(fields.packed()))
        if kind in (_SIZE, _COMPRESSION, _UNCOMPRESSED_SIZE):
            values[kind] = value.packed()
    payload = fields.rest()
    if values.get(_SIZE) != len(payload):
        raise Damage("a compressed transaction has not the size that it says")
    yield from _split(payload, values.get(_COMPRESSION, _ZSTD))


def _split(payload: bytes, compression: int) -> Iterator[bytes]:
    import io  # noqa: PLC0415 - like zstandard, needed for compressed transactions alone

    import zstandard  # noqa: PLC0415

    if compression not in (_ZSTD, _NONE):
        raise NotUnderstood(f"compression type {compression} of a transaction")
    plain: BinaryIO = io.BytesIO(payload)
    source = zstandard.ZstdDecompressor().stream_reader(plain, read_across_frames=True) if not compression else plain
    try:
        while head := _exactly(source, HEADER_SIZE):
            size = HEADER.unpack(head)[3]
            yield head + _exactly(source, size - HEADER_SIZE)
    except zstandard.ZstdError as error:
        raise Damage("a compressed transaction does not decompress") from error


def _exactly(source: BinaryIO, size: int) -> bytes:
    """``size`` bytes, or none at the very end."""
    if size < 0:
        raise Damage("an event in a compressed transaction is shorter than its header")
    parts: list[bytes] = []
    missing = size
    while missing and (part := source.read(missing)):
        parts.append(part)
        missing -= len(part)
    if missing and (parts or size != HEADER_SIZE):
        raise Damage("a compressed transaction ends in the middle of an event")
    return b"".join(parts)
