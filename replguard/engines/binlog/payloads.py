"""MySQL's compressed transactions: whole events, zstd-compressed, inside one TRANSACTION_PAYLOAD event.

The bytes may come in portions, and neither they nor what they unpack to are ever in memory at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from replguard.engines.binlog.events import HEADER, HEADER_SIZE, Damage, Fields, Header, NotUnderstood
from replguard.engines.binlog.large import LargeEvent
from replguard.engines.binlog.quick import LARGE

if TYPE_CHECKING:
    from collections.abc import Iterator

_END, _SIZE, _COMPRESSION, _UNCOMPRESSED_SIZE = range(4)
_ZSTD: Final = 0
_NONE: Final = 255
_MOST_HEAD: Final = 256
_SLICE: Final = 512
"""So few bytes unpack to 16 MB at most: a block of 128 kB takes four of them."""
_WINDOW: Final = 1 << 27
"""What the highest level of compression needs; the default level has 2 MB."""


class Inner(NamedTuple):
    """One event inside; of a large one only the beginning of its body (``whole`` is false)."""

    header: Header
    body: bytes
    whole: bool


class Payload:
    """Takes the body of one TRANSACTION_PAYLOAD in portions. Raises Damage, and NotUnderstood for another compression
    than zstd.
    """

    def __init__(self) -> None:
        self._head: bytes | None = b""
        self._packed_size = 0
        self._plain_size: int | None = None
        self._unpacker: Any = None
        self._rest = b""
        self._large: LargeEvent | None = None

    def take(self, part: bytes | memoryview) -> Iterator[Inner]:
        if self._head is not None:
            self._head += bytes(part)
            if len(self._head) < _MOST_HEAD:
                return
            part = self._begin(self._head)
        yield from self._unpacked(part)

    def end(self) -> Iterator[Inner]:
        """What is still there, when all has come."""
        if self._head is not None:
            yield from self._unpacked(self._begin(self._head))
        if self._packed_size:
            raise Damage("a compressed transaction has not the size that it says")
        if self._rest or self._large is not None:
            raise Damage("a compressed transaction ends in the middle of an event")
        if self._plain_size:
            raise Damage(f"a compressed transaction lacks {self._plain_size} bytes of what it says that it holds")

    def _begin(self, data: bytes) -> bytes:
        fields = Fields(data)
        values: dict[int, int] = {}
        while (kind := fields.packed()) != _END:
            value = Fields(fields.take(fields.packed()))
            if kind in (_SIZE, _COMPRESSION, _UNCOMPRESSED_SIZE):
                values[kind] = value.packed()
        if _SIZE not in values:
            raise Damage("a compressed transaction does not say how long it is")
        self._packed_size, self._plain_size = values[_SIZE], values.get(_UNCOMPRESSED_SIZE)
        compression = values.get(_COMPRESSION, _ZSTD)
        if compression not in (_ZSTD, _NONE):
            raise NotUnderstood(f"compression type {compression} of a transaction")
        if compression == _ZSTD:
            import zstandard  # noqa: PLC0415 - needed for compressed transactions alone

            self._unpacker = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj(read_across_frames=True)
        self._head = None
        return fields.rest()

    def _unpacked(self, part: bytes | memoryview) -> Iterator[Inner]:
        self._packed_size -= len(part)
        if self._packed_size < 0:
            raise Damage("a compressed transaction has not the size that it says")
        if self._unpacker is None:
            yield from self._events(bytes(part))
            return
        import zstandard  # noqa: PLC0415 - see above

        for at in range(0, len(part), _SLICE):
            try:
                plain = self._unpacker.decompress(bytes(part[at : at + _SLICE]))
            except zstandard.ZstdError as error:
                raise Damage("a compressed transaction does not decompress") from error
            if self._plain_size is not None:
                self._plain_size -= len(plain)
                if self._plain_size < 0:
                    raise Damage("a compressed transaction holds more than it says")
            if plain:
                yield from self._events(plain)

    def _events(self, plain: bytes) -> Iterator[Inner]:
        data, at = self._rest + plain, 0
        while True:
            if self._large is not None:
                part = memoryview(data)[at : at + self._large.missing]
                self._large.take(part)
                at += len(part)
                if self._large.missing:
                    break
                yield Inner(self._large.header, self._large.body(), whole=False)
                self._large = None
            if len(data) - at < HEADER_SIZE:
                break
            header = Header(*HEADER.unpack_from(data, at))
            if header.size < HEADER_SIZE:
                raise Damage("an event in a compressed transaction is shorter than its header")
            if header.size > LARGE:
                self._large = LargeEvent(header, checksum=False)
                continue
            if len(data) - at < header.size:
                break
            yield Inner(header, data[at + HEADER_SIZE : at + header.size], whole=True)
            at += header.size
        self._rest = data[at:]
