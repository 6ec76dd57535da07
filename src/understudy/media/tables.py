"""How many samples an MP4 or QuickTime file says it has, seen before FFmpeg makes a table of them.

A few bytes of such a file can say that a track has billions of samples, of one size and one duration (ISO/IEC
14496-12, 8.6 and 8.7), and FFmpeg believes them: a file of 2 kB takes gigabytes when it is opened. So what the tables
say is added up first.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import numpy as np

from understudy.errors import NotMediaError
from understudy.regular import open_regular

#: Most samples of all tracks: 37 hours at 60 frames a second. FFmpeg keeps some forty bytes of each.
MOST_SAMPLES: Final = 8_000_000
#: Most samples of uncompressed sound: FFmpeg takes 1024 of those together.
_MOST_SOUND: Final = 1024 * MOST_SAMPLES
#: Most edits of a track: FFmpeg makes a table for each of them.
_MOST_EDITS: Final = 1000
#: Most boxes that are looked at.
_MOST_BOXES: Final = 1_000_000
#: What such a file may begin with.
_BEGINNINGS: Final = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"uuid", b"moof", b"styp", b"junk")
#: Boxes with boxes in them. FFmpeg takes what it knows wherever it finds it.
_HOLDING: Final = frozenset(
    (
        b"moov",
        b"trak",
        b"mdia",
        b"minf",
        b"stbl",
        b"edts",
        b"udta",
        b"dinf",
        b"moof",
        b"traf",
        b"mvex",
        b"wave",
        b"tref",
    )
)
#: How deep boxes may lie in each other.
_DEEPEST: Final = 12
_HINT: Final = "It is damaged, or made to be: export it again."


class _Box(NamedTuple):
    kind: bytes
    begin: int
    end: int
    depth: int


def check_tables(path: Path) -> None:
    """Refuse an MP4 or QuickTime file whose tables would fill the memory. Other files pass.

    Raises:
        NotMediaError: they would, or its header is a compressed one.
        OSError: it can't be read.
    """
    with open_regular(path, 1 << 62) as file:
        if file.read(8)[4:] not in _BEGINNINGS:
            return
        said: Counter[str] = Counter()
        for number, box in enumerate(_boxes(file, file.seek(0, 2))):
            if number >= _MOST_BOXES:
                raise NotMediaError(f"{path.name} is made of too many pieces", _HINT)
            if box.kind == b"cmov":
                raise NotMediaError(f"{path.name} has a compressed header, which is not read", "Export it again.")
            if box.kind == b"trak":
                _check(path, said)
                said = Counter(samples=said["samples"])
            _add(said, file, box)
        _check(path, said)


def _check(path: Path, said: Counter[str]) -> None:
    """Whether what the tables said so far can be held; samples of earlier tracks are in it."""
    sound = said["sound"] and not said["offsets"] and said["durations"] == said["ticks"]
    if sound:
        most = max(said["sizes"], said["durations"], said["chunks"] * said["a chunk"])
        said["samples"] += most // 1024
        too_many = most > _MOST_SOUND
    else:
        most = max(said["sizes"], said["durations"], said["offsets"])
        said["samples"] += most
        too_many = False
    edits = said["edits"]
    if too_many or said["samples"] > MOST_SAMPLES or edits > _MOST_EDITS:
        what = f"{edits:,} edits" if edits > _MOST_EDITS else f"{max(most, said['samples']):,} samples"
        raise NotMediaError(f"{path.name} says that it has {what}: more than can be", _HINT)
    if edits > 1 and edits * most // (1024 if sound else 1) > 4 * MOST_SAMPLES:
        raise NotMediaError(f"{path.name} says that it shows its samples {edits:,} times: more than can be", _HINT)


def _add(said: Counter[str], file: BinaryIO, box: _Box) -> None:
    """Take in what one box says."""
    kind = box.kind
    if kind in (b"stsz", b"stz2"):
        said["sizes"] += _number(file, box, 8)
    elif kind in (b"stts", b"ctts"):
        table = _table(file, box, 2)
        said["durations" if kind == b"stts" else "offsets"] += int(table[:, 0].sum())
        if kind == b"stts" and len(table) == 1 and table[0, 1] == 1:
            said["ticks"] += int(table[0, 0])
    elif kind == b"stsc":
        table = _table(file, box, 3)
        said["a chunk"] = max(said["a chunk"], int(table[:, 1].max(initial=0)))
    elif kind in (b"stco", b"co64"):
        said["chunks"] += _number(file, box, 4)
    elif kind == b"hdlr":
        file.seek(box.begin + 8)
        said["sound"] |= file.read(4) == b"soun"
    elif kind == b"elst":
        said["edits"] += _number(file, box, 4)
    elif kind == b"trun":
        said["samples"] += _number(file, box, 4)


def _number(file: BinaryIO, box: _Box, place: int) -> int:
    """Four bytes of a box; 0 if it ends before."""
    if box.begin + place + 4 > box.end:
        return 0
    file.seek(box.begin + place)
    return int.from_bytes(file.read(4), "big")


def _table(file: BinaryIO, box: _Box, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """The rows of a box's table: int64 (n, ``width``), as many as are there, and no more than can be held."""
    rows = min(_number(file, box, 4), max(box.end - box.begin - 8, 0) // (4 * width), MOST_SAMPLES)
    file.seek(box.begin + 8)
    data = file.read(4 * width * rows)
    rows = len(data) // (4 * width)
    return np.frombuffer(data, ">u4", width * rows).reshape(rows, width).astype(np.int64)


def _boxes(file: BinaryIO, size: int) -> Iterator[_Box]:
    """All boxes of a file, each before those in it."""
    waiting = [(0, size, 0)]
    while waiting:
        place, end, depth = waiting.pop()
        if place + 8 > end:
            continue
        file.seek(place)
        head = file.read(16)
        if len(head) < 8:
            continue
        length, kind = struct.unpack(">I4s", head[:8])
        begins = 8
        if length == 1 and len(head) == 16:  # a long one: its size follows
            length, begins = int.from_bytes(head[8:], "big"), 16
        if length == 0:
            length = end - place
        if length < begins:
            continue
        box = _Box(kind, place + begins, min(place + length, end), depth)
        yield box
        waiting.append((place + length, end, depth))
        if kind in _HOLDING and depth < _DEEPEST:
            waiting.append((box.begin, box.end, depth + 1))
