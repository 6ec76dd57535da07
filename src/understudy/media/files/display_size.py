"""Writes into a finished Matroska or WebM file how wide its pixels are shown (RFC 9559, 5.1.4.1.28).

FFmpeg's muxer takes that from where PyAV can't set it, and VP9 has no place for it, as H.264 and H.265 have. It grows
the description of the video by some bytes; the empty element that FFmpeg leaves before it gives them, so that nothing
behind it moves.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final, NamedTuple

#: Identifiers of elements.
_SEGMENT: Final = bytes.fromhex("18538067")
_SEEK_HEAD: Final = bytes.fromhex("114d9b74")
_SEEK: Final = bytes.fromhex("4dbb")
_SEEK_POSITION: Final = bytes.fromhex("53ac")
_VOID: Final = bytes.fromhex("ec")
_CRC: Final = bytes.fromhex("bf")
_TRACKS: Final = bytes.fromhex("1654ae6b")
_TRACK: Final = bytes.fromhex("ae")
_VIDEO: Final = bytes.fromhex("e0")
_WIDTH: Final = bytes.fromhex("b0")
_HEIGHT: Final = bytes.fromhex("ba")
_SHOWN_WIDTH: Final = bytes.fromhex("54b0")
_SHOWN_HEIGHT: Final = bytes.fromhex("54ba")
_SHOWN_UNIT: Final = bytes.fromhex("54b2")
#: Bytes at the beginning of a file in which the tracks are described.
_HEAD: Final = 1 << 20
#: Bytes of the smallest empty element that is written.
_LEAST_VOID: Final = 9


class _Element(NamedTuple):
    """A piece of a file: where it lies, where its content begins, and that."""

    name: bytes
    begin: int
    content_at: int
    end: int
    content: bytes


def set_pixel_aspect(path: Path, aspect: Fraction) -> bool:
    """Write the shape of the pixels of a finished file's first video.

    Args:
        path: A file as FFmpeg's muxer has written it.
        aspect: Width of a pixel over its height.

    Returns:
        Whether there was room for it; if not, the file is as it was.
    """
    with path.open("r+b") as file:
        head = file.read(_HEAD)
        changed = _with_aspect(head, aspect)
        if changed is None:
            return False
        file.seek(0)
        file.write(changed)
    return True


def _with_aspect(head: bytes, aspect: Fraction) -> bytes | None:
    """The beginning of a file with the shape of its pixels in it, as long as before; None if there is no room."""
    whole = next((one for one in _elements(head) if one.name == _SEGMENT), None)
    if whole is None:
        return None
    segment = whole.content_at
    parts = {one.name: one for one in reversed(list(_elements(head, segment)))}  # the first of each
    seek, void, tracks = (parts.get(name) for name in (_SEEK_HEAD, _VOID, _TRACKS))
    if not seek or not void or not tracks or not seek.begin < void.begin < tracks.begin:
        return None
    described = _changed(tracks, _TRACK, lambda track: _described(track, aspect))
    grown = len(described) - (tracks.end - tracks.begin)
    left = void.end - void.begin - grown
    if left < _LEAST_VOID or tracks.end > len(head):
        return None
    between = range(void.end - segment, tracks.begin - segment + 1)
    listed = _changed(seek, _SEEK, lambda one: _moved(one, between, grown))
    empty = _VOID + ((1 << 56) | (left - _LEAST_VOID)).to_bytes(8, "big") + bytes(left - _LEAST_VOID)
    before, middle = head[seek.end : void.begin], head[void.end : tracks.begin]
    return head[: seek.begin] + listed + before + empty + middle + described + head[tracks.end :]


def _described(track: _Element, aspect: Fraction) -> bytes:
    """A track; of a video with its shown size."""
    return _changed(track, _VIDEO, lambda video: _shown(video, aspect))


def _shown(video: _Element, aspect: Fraction) -> bytes:
    """The description of a video with its shown size: its own, larger in one direction."""
    kept = [one for one in _elements(video.content) if one.name not in (_SHOWN_WIDTH, _SHOWN_HEIGHT, _SHOWN_UNIT)]
    width, height = (
        int.from_bytes(one.content, "big") for name in (_WIDTH, _HEIGHT) for one in kept if one.name == name
    )
    width, height = round(width * max(aspect, Fraction(1))), round(height / min(aspect, Fraction(1)))
    content = b"".join(video.content[one.begin : one.end] for one in kept)
    return _element(_VIDEO, content + _element(_SHOWN_WIDTH, _number(width)) + _element(_SHOWN_HEIGHT, _number(height)))


def _moved(seek: _Element, between: range, by: int) -> bytes:
    """An entry of the list of what lies where; what lies within a range has moved so many bytes to the front."""

    def position(one: _Element) -> bytes:
        place = int.from_bytes(one.content, "big")
        place -= by if place in between else 0
        return _element(one.name, place.to_bytes(len(one.content), "big"))

    return _changed(seek, _SEEK_POSITION, position)


def _changed(parent: _Element, name: bytes, change: Callable[[_Element], bytes]) -> bytes:
    """An element whose children of a name are changed, with its check sum anew."""
    checked, content = False, b""
    for child in _elements(parent.content):
        if child.name == _CRC:
            checked = True
        else:
            content += change(child) if child.name == name else parent.content[child.begin : child.end]
    if checked:
        content = _element(_CRC, zlib.crc32(content).to_bytes(4, "little")) + content
    return _element(parent.name, content, size_bytes=parent.content_at - parent.begin - len(parent.name))


def _elements(data: bytes, begin: int = 0) -> Iterator[_Element]:
    """The elements that follow each other from some byte on; the last may be incomplete."""
    while begin < len(data) and data[begin]:
        name = data[begin : begin + _length(data[begin])]
        at = begin + len(name)
        if at >= len(data) or not data[at]:
            return
        count = _length(data[at])
        size = int.from_bytes(data[at : at + count], "big") & ((1 << 7 * count) - 1)
        end = at + count + size
        yield _Element(name, begin, at + count, end, data[at + count : end])
        begin = end


def _length(first: int) -> int:
    """How many bytes a number of variable length has, by its first."""
    return 9 - first.bit_length()


def _element(name: bytes, content: bytes, size_bytes: int = 1) -> bytes:
    """An element.

    Args:
        name: Its identifier.
        content: Of it.
        size_bytes: How many bytes say how long it is, at least.
    """
    while len(content) >= (1 << 7 * size_bytes) - 1:
        size_bytes += 1
    return name + ((1 << 7 * size_bytes) | len(content)).to_bytes(size_bytes, "big") + content


def _number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
