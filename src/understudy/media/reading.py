"""The one way to open a medium for reading: pictures by Pillow, anything else by FFmpeg, each kept within bounds.

What a file is, its content says; and content may ask for anything: for other files and for addresses, to be read
without end, or byte by byte. So nothing else is ever opened, no kind of file that names others is known, and a search
that finds nothing ends.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import av
import av.error
from PIL import Image, UnidentifiedImageError

from understudy.errors import (
    InputNotFoundError,
    NoMemoryError,
    NotMediaError,
    UnderstudyError,
    UnfitFileError,
    out_of_memory,
    unreadable_input,
)
from understudy.media.bounds import Moving, check_format, check_size
from understudy.media.formats import refuse_raw, refuse_unread
from understudy.media.tables import check_tables
from understudy.regular import open_regular
from understudy.text import printable

#: Demuxers that are tried: files a camera, phone or editor makes. Playlists and device formats are left
#: out, because they can make FFmpeg open other files and network addresses; animations are Pillow's.
DEMUXERS: Final = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf,mxf,dv,ivf,h264,hevc,m4v,wtv,nut,yuv4mpegpipe"
)
#: What is opened as a picture. Pillow knows more, some of it by calling other programs.
FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "AVIF", "JPEG2000")
#: Those of them that Pillow does not load by itself before it looks at a file.
_LOADED_LATER: Final = ("WebP", "Tiff", "Avif", "Jpeg2K")
#: Most bytes of a picture's file: those of 100 million pixels, and opacity, as they are.
MOST_PICTURE_BYTES: Final = 512_000_000
#: How their files begin.
_BEGINNINGS: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"II*\0", b"MM\0*", b"BM")
#: PyAV's major version.
PYAV: Final = int(av.__version__.split(".")[0])
#: Seconds that FFmpeg may search a file for its streams, and for the next piece of one.
SEARCH: Final = (6.0, 6.0)
#: Most bytes that are read of a picture's file before its pixels, or at once.
_LONGEST_HEAD: Final = 64_000_000
#: How often something is read before the pixels, and of all of the file: so often, and once for so many of its bytes
#: (a GIF's pieces have 255, and are read two by two, and more than once).
_MOST_READS: Final = 300_000
_BYTES_A_READ: Final = 32
_CAP_LOCK = threading.Lock()


def open_container(path: Path) -> Any:
    """Open a media file by FFmpeg, with nothing but that file in reach.

    Raises:
        NotMediaError: FFmpeg can't make sense of it, or would need too much memory for what it says of itself.
    """
    check_tables(path)
    options = {"format_whitelist": DEMUXERS, "protocol_whitelist": "file", "enable_drefs": "0"}
    # Tags in odd encodings must not stop anybody; from PyAV 19 on they never do.
    lenient: dict[str, Any] = {"metadata_errors": "replace"} if PYAV < 19 else {}
    try:
        # Absolute, or a name that begins like an address would be taken for one.
        return av.open(str(path.absolute()), "r", options=options, timeout=SEARCH, **lenient)
    except (av.error.FFmpegError, ValueError) as fault:
        if isinstance(fault, (FileNotFoundError, PermissionError)):
            raise
        raise NotMediaError(
            f"{path.name} is not a picture or video that can be read ({said(fault)})",
            "It may be truncated or of an unknown kind; export it again, a video as mp4, a picture as JPEG.",
        ) from fault


def open_picture(path: Path, max_pixels: int) -> Image.Image | None:
    """Open a picture file; None if it is not one that Pillow knows. Whoever gets it closes it (``close``).

    Raises:
        InputTooLargeError, UnwieldyPictureError: it is too large (see ``bounds``).
        NotMediaError: a picture file that is damaged, or too large for one.
    """
    try:
        file = _PictureFile(path)
    except UnfitFileError as fault:
        if _begins_as_picture(path):
            raise NotMediaError(f"can't use {path.name}: {fault.reason}", "Save it smaller, or packed.") from fault
        return None
    try:
        with decoding(path):
            refuse_raw(path)
            with own_cap():
                _load_formats()
                picture = Image.open(file, formats=[name for name in FORMATS if name in Image.OPEN])
    except NotMediaError as fault:
        file.close()
        if not isinstance(fault.__cause__, UnidentifiedImageError):
            raise
        refuse_unread(path)
        return None
    except BaseException:
        file.close()
        raise
    file.head = False
    picture._exclusive_fp = True  # or Pillow would not close what it did not open itself
    try:
        check_size(path, *picture.size, max_pixels, Moving.STILL)
        check_format(path, *picture.size, str(picture.format))
    except BaseException:
        picture.close()
        raise
    return picture


@lru_cache(maxsize=1)
def _load_formats() -> None:
    """Have Pillow know ``FORMATS``. To load the forty others that it knows takes as long as the rest of Pillow."""
    Image.preinit()
    for name in _LOADED_LATER:
        with contextlib.suppress(ImportError):  # a Pillow that was built without
            import_module(f"PIL.{name}ImagePlugin")


def _begins_as_picture(path: Path) -> bool:
    with open_regular(path, sys.maxsize) as file:
        head = file.read(12)
    return head[:4] + head[8:] == b"RIFFWEBP" or head.startswith(_BEGINNINGS)


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Say in this package's errors what Pillow and its decoders fail with: of damaged files, errors of any kind.

    Raises:
        NotMediaError, InputNotFoundError, InputUnreadableError, NoMemoryError: according to what it is.
    """
    try:
        yield
    except UnderstudyError:
        raise
    except Exception as fault:
        if out_of_memory(fault):
            raise NoMemoryError(f"for {path.name}") from fault
        if isinstance(fault, FileNotFoundError):
            raise InputNotFoundError(path) from fault
        # What decoders say has no number; of a number that makes no sense of a file, its content is the cause.
        if isinstance(fault, OSError) and fault.errno not in (None, errno.EINVAL, errno.EOVERFLOW, errno.ENOSYS):
            raise unreadable_input(path, fault) from fault
        raise NotMediaError(
            f"{path.name} is a damaged picture ({reason(fault)})",
            "Fetch or export it again; a viewer should open it first.",
        ) from fault


def reason(fault: BaseException) -> str:
    """What a library said, as a part of one line."""
    return printable(" ".join(str(fault).split()))[:120] or type(fault).__name__


def said(fault: BaseException) -> str:
    """What FFmpeg says, in a few words."""
    if isinstance(fault, av.error.ExitError):
        return f"nothing was found in it for {SEARCH[1]:.0f} seconds"
    text = str(getattr(fault, "strerror", None) or fault)
    with contextlib.suppress(ValueError):
        text = text[: text.index(":")] if text.startswith("[Errno") else text
    return text


@contextmanager
def own_cap() -> Iterator[None]:
    """Leave the decision about size to ``max_pixels``: Pillow's own limit is a global that a user can't raise."""
    with _CAP_LOCK:
        kept, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = kept


class _PictureFile(io.BufferedReader):
    """A picture's file as Pillow reads it: so many times at most, and never very much at once, whatever it says."""

    def __init__(self, path: Path) -> None:
        super().__init__(open_regular(path, MOST_PICTURE_BYTES).detach())  # type: ignore[attr-defined]
        #: Whether what is read now comes before the pixels.
        self.head = True
        self._most = _MOST_READS + os.fstat(self.fileno()).st_size // _BYTES_A_READ
        self._reads = self._bytes = 0

    def read(self, size: int | None = -1) -> bytes:
        self._reads += 1
        if self._reads > (_MOST_READS if self.head else self._most):
            raise OSError("it is made of too many pieces")
        if size is not None and size >= 0:  # else a decoder takes all of the file
            self._bytes = self._bytes + size if self.head else size
            if self._bytes > _LONGEST_HEAD:
                raise OSError("what comes before its pixels is too long" if self.head else "a piece of it is too long")
        return super().read(size)
