"""How long the last picture of a finished animation stays: FFmpeg asks for it before the first one, or guesses."""

from __future__ import annotations

from pathlib import Path
from typing import Final

#: Shorter ones are taken for a tenth of a second by viewers.
_LEAST: Final = 0.02
#: How a graphic control extension begins (GIF89a, 23), where its delay is, and the file's last byte.
_CONTROL, _DELAY, _END = b"\x21\xf9\x04", 4, 0x3B


def set_last_delay(path: Path, seconds: float) -> None:
    """Have the last picture of a GIF or WebP stay so long; nothing else in the file changes.

    Args:
        path: A file that FFmpeg has just finished.
        seconds: How long.
    """
    data = path.read_bytes()
    seconds = max(seconds, _LEAST)
    if data.startswith(b"GIF8"):
        at, value = _of_gif(data), round(seconds * 100).to_bytes(2, "little")
    else:
        at, value = _of_webp(data), round(seconds * 1000).to_bytes(3, "little")
    if at is None:
        return
    with path.open("rb+") as file:
        file.seek(at)
        file.write(value)


def _of_gif(data: bytes) -> int | None:
    """Where the last delay of a GIF is: block by block, for the bytes of pictures may look like anything."""
    found, at = None, 13 + _palette(data[10])
    while at < len(data) and data[at] != _END:
        if data.startswith(_CONTROL, at):
            found = at + _DELAY
        # An extension has a kind before its blocks, a picture its place, perhaps a palette, and the size of codes.
        at += 2 if data[at] == 0x21 else 11 + _palette(data[at + 9])
        while data[at]:
            at += data[at] + 1
        at += 1
    return found


def _palette(flags: int) -> int:
    """How many bytes the palette has that a picture's or the file's flags tell of."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _of_webp(data: bytes) -> int | None:
    """Where the last delay of a WebP is: of its chunks, those of single pictures tell it."""
    found, at = None, 12
    while at + 8 <= len(data):
        if data.startswith(b"ANMF", at):
            found = at + 8 + 12
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return found
