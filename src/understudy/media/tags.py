"""XMP packets and metadata fields in files: written by sinks, read by whoever inspects.

Pillow writes XMP into JPEG, PNG and WebP stills. FFmpeg writes none, so finished animations and videos get their
packet here: mp4 and mov a ``uuid`` box at the end (XMP specification part 3, 1.1.5), GIF an application extension
(1.1.2), WebP an ``XMP `` chunk (1.1.9 and the container's own specification).
"""

from __future__ import annotations

import contextlib
import struct
import sys
from contextlib import closing
from pathlib import Path
from typing import Final

import av.error
from PIL import PngImagePlugin

from understudy.media.reading import open_container, open_picture
from understudy.release import Tags

_XMP_BOX: Final = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_GIF_HEAD: Final = b"\x21\xff\x0bXMP DataXMP"
_GIF_TAIL: Final = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
_WEBP_HAS_XMP: Final = 0x04
#: Most bytes of a file's end that are searched for a packet.
_SEARCHED: Final = 1 << 20
_PNG_XMP: Final = "XML:com.adobe.xmp"


def add_xmp(path: Path, suffix: str, packet: bytes) -> None:
    """Write an XMP packet into a finished mp4, mov, GIF or WebP animation; other types are left as they are."""
    if suffix in (".mp4", ".m4v", ".mov"):
        with path.open("ab") as file:
            file.write(struct.pack(">I4s", 24 + len(packet), b"uuid") + _XMP_BOX + packet)
    elif suffix == ".gif":
        with path.open("r+b") as file:
            file.seek(-1, 2)
            if file.read(1) == b"\x3b":  # the trailer: the extension goes before it
                file.seek(-1, 2)
            file.write(_GIF_HEAD + packet + _GIF_TAIL + b"\x3b")
    elif suffix == ".webp":
        _add_to_webp(path, packet)


def _add_to_webp(path: Path, packet: bytes) -> None:
    with path.open("r+b") as file:
        head = file.read(21)
        if head[:4] != b"RIFF" or head[12:16] != b"VP8X":
            return  # a simple WebP has no room; an animation never is one
        file.seek(20)
        file.write(bytes([head[20] | _WEBP_HAS_XMP]))
        file.seek(0, 2)
        file.write(b"XMP " + struct.pack("<I", len(packet)) + packet + b"\0" * (len(packet) % 2))
        size = file.tell() - 8
        file.seek(4)
        file.write(struct.pack("<I", size))


def png_text(tags: Tags) -> PngImagePlugin.PngInfo:
    """The tags as PNG's text chunks."""
    info = PngImagePlugin.PngInfo()
    info.add_itxt(_PNG_XMP, tags.xmp.decode())
    for name, value in tags.fields.items():
        info.add_itxt(name, value)
    return info


def read_tags(path: Path) -> Tags:
    """What a file says of itself, as far as it can be read; empty where it says nothing."""
    fields: dict[str, str] = {}
    packet = b""
    with contextlib.suppress(Exception):
        packet, fields = _in_picture(path)
    if not fields and not packet:
        with contextlib.suppress(av.error.FFmpegError, OSError, ValueError), open_container(path) as container:
            fields |= dict(container.metadata)
    return Tags(packet or _packet_near_the_ends(path), fields)


def _in_picture(path: Path) -> tuple[bytes, dict[str, str]]:
    """The packet and the fields of a picture, as far as they come before its pixels: none of those is decoded."""
    picture = open_picture(path, sys.maxsize)
    if picture is None:
        return b"", {}
    with closing(picture):
        texts = {str(name): value for name, value in picture.info.items() if isinstance(value, str)}
        found = picture.info.get("xmp") or texts.pop(_PNG_XMP, "")
        return found.encode() if isinstance(found, str) else bytes(found), texts


def _packet_near_the_ends(path: Path) -> bytes:
    """An XMP packet in the first or last megabyte."""
    with path.open("rb") as file:
        head = file.read(_SEARCHED)
        file.seek(max(0, path.stat().st_size - _SEARCHED))
        tail = file.read(_SEARCHED)
    for part in (tail, head):
        begin = part.find(b"<x:xmpmeta")
        end = part.find(b"</x:xmpmeta>", begin)
        if 0 <= begin < end:
            return part[begin : end + 12]
    return b""
