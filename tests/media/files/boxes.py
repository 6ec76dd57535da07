"""Writes into the boxes of an mp4 (ISO/IEC 14496-12) what encoders don't: odd display matrices and edit lists."""

from __future__ import annotations

import struct


def with_matrix(data: bytes, a: float, b: float, c: float, d: float) -> bytes:
    """The file with another display matrix of its first video."""
    at = data.index(b"tkhd") + 4 + 40
    rows = (a, b, 0), (c, d, 0), (0, 0, 1)
    numbers = [int(value * (1 << 30 if column == 2 else 1 << 16)) for row in rows for column, value in enumerate(row)]
    return data[:at] + struct.pack(">9i", *numbers) + data[at + 36 :]


def with_edits(data: bytes, edits: list[tuple[float, float]], kinds: tuple[bytes, ...] = (b"vide",)) -> bytes:
    """The file, its index last, with other edit lists of all tracks of some kinds.

    Args:
        data: The file.
        edits: How long, and from when on (in the track; -1: nothing), in seconds.
        kinds: ``vide``, ``soun``.
    """
    (start,) = [start for name, start, end in _boxes(data, 0, len(data)) if name == b"moov" and end == len(data)]
    moov = data[start + 8 :]
    inner = b"".join(
        _retimed(moov[s:e], edits, _scale(moov)) if name == b"trak" and _kind(moov[s:e]) in kinds else moov[s:e]
        for name, s, e in _boxes(moov, 0, len(moov))
    )
    return data[:start] + _box(b"moov", inner)


def index_first(data: bytes) -> bytes:
    """The file with its index before the pictures, as a download that breaks off needs it."""
    (start,) = [start for name, start, end in _boxes(data, 0, len(data)) if name == b"moov" and end == len(data)]
    head = next(end for name, _, end in _boxes(data, 0, len(data)) if name == b"ftyp")
    moov = bytearray(data[start:])
    at = moov.find(b"stco")
    while at >= 0:
        count = struct.unpack_from(">I", moov, at + 8)[0]
        for entry in range(at + 12, at + 12 + 4 * count, 4):
            struct.pack_into(">I", moov, entry, struct.unpack_from(">I", moov, entry)[0] + len(moov))
        at = moov.find(b"stco", at + 4)
    return data[:head] + bytes(moov) + data[head:start]


def _retimed(trak: bytes, edits: list[tuple[float, float]], scale: int) -> bytes:
    own = struct.unpack_from(">I", trak, trak.index(b"mdhd") + 16)[0]
    entries = b"".join(
        struct.pack(">IiI", int(length * scale), int(since * own) if since >= 0 else -1, 1 << 16)
        for length, since in edits
    )
    listed = _box(b"edts", _box(b"elst", struct.pack(">II", 0, len(edits)) + entries))
    parts = [(name, trak[s:e]) for name, s, e in _boxes(trak, 8, len(trak)) if name != b"edts"]
    return _box(b"trak", b"".join(part + (listed if name == b"tkhd" else b"") for name, part in parts))


def _scale(moov: bytes) -> int:
    return int(struct.unpack_from(">I", moov, moov.index(b"mvhd") + 16)[0])


def _kind(trak: bytes) -> bytes:
    at = trak.index(b"hdlr")
    return trak[at + 12 : at + 16]


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def _boxes(data: bytes, start: int, end: int):
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, start)
        yield name, start, start + size
        start += size
