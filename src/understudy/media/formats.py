"""Kinds of files that people take for pictures, and that are not read here: told by their content, with what to do.

Without this a raw photo would be read as the thumbnail in it, and an iPhone's photo as a video of one tile.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from understudy.errors import InputGoneError, NotMediaError, unreadable_input

#: Bytes that are looked at, and entries and directories of a TIFF.
_HEAD, _ENTRIES, _DIRECTORIES = 4096, 512, 16
#: What files begin with.
_BEGINNINGS: Final = (
    (b"8BPS", "a Photoshop document"),
    (b"%!PS", "a PostScript document"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript document"),
    (b"gimp xcf", "a GIMP document"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
    (b"II\xbc", "a JPEG XR picture"),
    (b"BPG\xfb", "a BPG picture"),
    (b"AT&TFORM", "a DjVu document"),
    (b"\x76\x2f\x31\x01", "an OpenEXR picture"),
    (b"#?RADIANCE", "a Radiance HDR picture"),
    (b"#?RGBE", "a Radiance HDR picture"),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile"),
    (b"icns", "a set of icons"),
    (b"FUJIFILMCCD-RAW", "a camera's raw photo"),
    (b"FOVb", "a camera's raw photo"),
    (b"\0MRM", "a camera's raw photo"),
    (b"IIRO", "a camera's raw photo"),
    (b"IIRS", "a camera's raw photo"),
    (b"MMOR", "a camera's raw photo"),
    (b"IIU\0", "a camera's raw photo"),
    (b"II\x1a\0\0\0HEAPCCDR", "a camera's raw photo"),
)
#: Brands of ISO media files that are photos; AVIF is one that Pillow reads, in most builds.
_BRANDS: Final = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "a HEIC photo"),
    **dict.fromkeys((b"avif", b"avis"), "an AVIF picture"),
    b"crx ": "a camera's raw photo",
    b"jxl ": "a JPEG XL picture",
}
_RAW_SUFFIXES: Final = (
    *(".3fr", ".ari", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".iiq", ".k25", ".kdc", ".mef"),
    *(".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"),
)
#: TIFF's tags for how a picture is meant, for further directories, and DNG's for its version.
_PHOTOMETRIC, _DIRECTORIES_INSIDE, _DNG = 262, 330, 50706
#: Values of the first that only raw photos have: a colour filter's mosaic, and linear raw (DNG 1.6).
_MOSAICS: Final = (32803, 34892)


def refuse_raw(path: Path) -> None:
    """Refuse a camera's raw photo in a TIFF's clothes: Pillow would read the small preview in it.

    Raises:
        NotMediaError: it is one.
    """
    head = _head(path)
    if head[:4] not in (b"II*\0", b"MM\0*"):
        return
    if head[8:10] == b"CR" or path.suffix.lower() in _RAW_SUFFIXES or _holds_mosaic(path):
        raise _unread(path, "a camera's raw photo")


def refuse_unread(path: Path) -> None:
    """Refuse what is no video although it may look like one.

    Raises:
        NotMediaError: it is a kind of picture or document that is not read here.
        InputGoneError, InputUnreadableError: it is not there any more, or can't be read.
    """
    kind = _kind(_head(path))
    if kind is not None:
        raise _unread(path, kind)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except FileNotFoundError as fault:  # it was there when it was looked for
        raise InputGoneError(path) from fault
    except OSError as fault:
        raise unreadable_input(path, fault) from fault


def _kind(head: bytes) -> str | None:
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if head[4:8] == b"ftyp":
        return _photo_brand(head)
    if b"%PDF-" in head[:1024]:
        return "a PDF document"
    if head[:2] == b"\x1f\x8b":
        return "a compressed file"
    if head[:4] == b"PK\x03\x04":
        return "an archive or a document"
    if head[40:44] == b" EMF":
        return "a Windows metafile"
    if head[128:132] == b"DICM":
        return "a medical picture"
    text = head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").replace(b"\0", b"").lower()
    if text.startswith(b"<") and b"<svg" in text:
        return "an SVG drawing"
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page"
    return None


def _photo_brand(head: bytes) -> str | None:
    """What the brands of an ISO media file (ISO/IEC 14496-12, 4.3) say; None for a video."""
    end = min(struct.unpack(">I", head[:4])[0], len(head))
    brands = [head[at : at + 4] for at in (8, *range(16, end - 3, 4))]
    if brands[0] not in _BRANDS:
        return None
    named = [_BRANDS[brand] for brand in brands if brand in _BRANDS]
    # "mif1" is any of them: another brand says which.
    return next((kind for kind in named if kind != "a HEIC photo"), named[0])


def _holds_mosaic(path: Path) -> bool:
    """Whether any directory of a TIFF (revision 6.0) describes raw samples."""
    with path.open("rb") as file:
        order = "<" if file.read(2) == b"II" else ">"
        file.seek(4)
        waiting = [_number(file.read(4), order)]
        seen: set[int] = set()
        while waiting and len(seen) < _DIRECTORIES:
            at = waiting.pop(0)
            if at in seen or not at:
                continue
            seen.add(at)
            file.seek(at)
            count = min(_number(file.read(2), order), _ENTRIES)
            entries = file.read(12 * count)
            following = file.read(4)
            for tag, number, value in _entries(entries, order):
                if tag == _DNG or (tag == _PHOTOMETRIC and _number(value[:2], order) in _MOSAICS):
                    return True
                if tag == _DIRECTORIES_INSIDE:
                    file.seek(_number(value, order))
                    listed = value if number == 1 else file.read(4 * min(number, _DIRECTORIES))
                    waiting += [_number(listed[k : k + 4], order) for k in range(0, len(listed) - 3, 4)]
            waiting.append(_number(following, order))
    return False


def _entries(data: bytes, order: str) -> Iterator[tuple[int, int, bytes]]:
    """Tag, number of values, and the value or where it lies, of each entry."""
    for at in range(0, len(data) - 11, 12):
        yield _number(data[at : at + 2], order), _number(data[at + 4 : at + 8], order), data[at + 8 : at + 12]


def _number(data: bytes, order: str) -> int:
    return int.from_bytes(data, "little" if order == "<" else "big")


def _unread(path: Path, kind: str) -> NotMediaError:
    return NotMediaError(f"{path.name} is {kind}, which can't be read here", "Export it as JPEG or PNG, and use that.")
