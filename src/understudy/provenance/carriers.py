"""Whether a file carries Content Credentials, seen from its structure alone.

The library that reads credentials takes in all of a JPEG, follows every piece of a PNG, and believes what a box says of
its own length. So it is asked only about files that carry credentials, in a structure that is walked through first:
piece by piece, no more than so many, and none of its credentials longer than they may be.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final

from understudy.regular import open_regular
from understudy.release import SIDECAR_MOST

#: Most pieces of a file that are looked at: those of a GIF have 255 bytes.
MOST_PIECES: Final = 3_000_000
#: Most bytes of a picture that carries credentials: the library holds all of it, some three times.
MOST_PICTURE: Final = 256_000_000
#: Most bytes of a video that carries credentials: all of them are read to check its signature.
MOST_VIDEO: Final = 32_000_000_000
_C2PA_BOX: Final = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_TIFF_TAG: Final = 0xCD41
#: Types whose files are rows of boxes, and read piece by piece.
_BOXED: Final = ("video/mp4", "video/quicktime", "image/avif", "image/heic")


class UnwieldyError(ValueError):
    """A file whose credentials can't be looked for, or not be read, in reasonable time and memory."""


def carries_credentials(path: Path, kind: str) -> bool:
    """Whether a file has a place with Content Credentials in it.

    Args:
        path: The file.
        kind: Its media type. One that is not known here carries none.

    Raises:
        UnwieldyError: too many pieces, credentials that are too long, or too large a file with credentials in it.
        OSError: it can't be read.
    """
    walk = _WALKS.get(kind)
    if walk is None:
        return False
    with open_regular(path, 1 << 62) as file:
        size = path.stat().st_size
        for number, found in enumerate(walk(file, size)):
            if number >= MOST_PIECES:
                raise UnwieldyError("it is made of too many pieces")
            if found is None:
                continue
            if found > SIDECAR_MOST:
                raise UnwieldyError(f"its credentials are longer than {SIDECAR_MOST:,} bytes")
            most = MOST_VIDEO if kind in _BOXED else MOST_PICTURE
            if size > most:
                raise UnwieldyError(f"it is larger than {most // 1_000_000:,} MB, too large to check its credentials")
            return True
    return False


#: Walks through a file: for every piece None, or how long its credentials are.
_Walk = Callable[[BinaryIO, int], Iterator["int | None"]]


def _png(file: BinaryIO, size: int) -> Iterator[int | None]:
    place = 8
    while place + 8 <= size:
        file.seek(place)
        length, kind = struct.unpack(">I4s", file.read(8))
        yield length if kind == b"caBX" else None
        if kind == b"IEND":
            return
        place += 12 + length


def _jpeg(file: BinaryIO, size: int) -> Iterator[int | None]:
    place = 2
    while place + 4 <= size:
        file.seek(place)
        marker, code, length = struct.unpack(">BBH", file.read(4))
        if marker != 0xFF or code in (0xD9, 0xDA):  # the pixels begin
            return
        yield length if code == 0xEB and b"jumb" in file.read(40) else None
        if code == 0xFF:  # padding
            place += 1
        else:
            place += 2 if code == 0x01 or 0xD0 <= code <= 0xD8 else 2 + length


def _riff(file: BinaryIO, size: int) -> Iterator[int | None]:
    place = 12
    while place + 8 <= size:
        file.seek(place)
        kind, length = struct.unpack("<4sI", file.read(8))
        yield length if kind == b"C2PA" else None
        place += 8 + length + length % 2


def _gif(file: BinaryIO, size: int) -> Iterator[int | None]:
    file.seek(10)
    flags = file.read(1)[0]
    place = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    while place < size:
        file.seek(place)
        head = file.read(12)
        if head[:1] == b"\x2c":  # a picture: its place, perhaps colours, a byte, then pieces
            flags = head[9] if len(head) > 9 else 0
            place += 11 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
        elif head[:1] == b"\x21":
            if head[1:] == b"\xff\x0bC2PA_GIF\x01":
                yield 0
            place += 2
        else:
            return
        while place < size:
            file.seek(place)
            length = file.read(1)[0]
            place += 1 + length
            if not length:
                break
            yield None


def _tiff(file: BinaryIO, size: int) -> Iterator[int | None]:
    order = "<" if file.read(2) == b"II" else ">"
    file.seek(4)
    (place,) = struct.unpack(order + "I", file.read(4))
    while place >= 8 and place + 2 <= size:
        file.seek(place)
        (count,) = struct.unpack(order + "H", file.read(2))
        table = file.read(12 * count + 4)
        for at in range(0, min(12 * count, len(table) - 11), 12):
            tag, _, length = struct.unpack(order + "HHI", table[at : at + 8])
            yield length if tag == _TIFF_TAG else None
        if len(table) < 12 * count + 4:
            return
        (place,) = struct.unpack(order + "I", table[-4:])
        yield None


def _boxes(file: BinaryIO, size: int) -> Iterator[int | None]:
    place = 0
    while place + 8 <= size:
        file.seek(place)
        head = file.read(32)
        length, kind = struct.unpack(">I4s", head[:8])
        begins = 8
        if length == 1:  # a long one: its size follows
            length, begins = int.from_bytes(head[8:16], "big"), 16
        elif length == 0:
            length = size - place
        yield length if kind == b"uuid" and head[begins : begins + 16] == _C2PA_BOX else None
        if length < begins:
            return
        place += length


_WALKS: Final[Mapping[str, _Walk]] = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/webp": _riff,
    "video/avi": _riff,
    "image/gif": _gif,
    "image/tiff": _tiff,
    **dict.fromkeys(_BOXED, _boxes),
}
