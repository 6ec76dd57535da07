"""How large pictures may be, and how many of them may wait, so that no input takes more than 1.5 GB of memory.

What is over is told before any of it is decoded. Counted in bytes: a frame of a video passes through as some ten
bytes a pixel (decoded, as BGR, as it was before each change, for the encoder), and a decoder and an encoder keep
several more frames of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Final

from understudy.errors import InputTooLargeError, UnwieldyPictureError
from understudy.media.base import MediaKind

#: Longest side of a picture, in pixels: a JPEG has no longer one.
MOST_SIDE: Final = 65_535
#: How many times as long as its shorter side a picture's longer one may be. It is searched for faces in squares.
MOST_STRETCHED: Final = 64
#: Pixels of what is decoded with more than some ten bytes a pixel, by Pillow's name.
MOST_OF: Final[Mapping[str, int]] = {"WEBP": 48_000_000, "AVIF": 64_000_000, "JPEG2000": 32_000_000}
#: Pixels of a frame with more than eight bits, or with more colour than most have, that is written: an encoder holds
#: twice as much of those.
_MOST_RICH: Final = 4096 * 4096
#: Bytes of frames that may wait between two threads.
_WAITING: Final = 64_000_000
#: Bytes a pixel of a frame that waits: as it was decoded, and as BGR.
_A_PIXEL: Final = 4.5
#: Most frames that may wait: a stop takes as many.
_MOST_WAITING: Final = 4


class Moving(Enum):
    """What moves, with the most pixels that a frame of it may have."""

    STILL = None
    #: Pillow, and the palettes of a GIF, hold some forty bytes a pixel.
    ANIMATION = 4096 * 4096
    #: 8K.
    VIDEO = 7680 * 4320

    @classmethod
    def of(cls, kind: MediaKind) -> Moving:
        """What moves in a file of that kind."""
        return {MediaKind.IMAGE: cls.STILL, MediaKind.ANIMATION: cls.ANIMATION, MediaKind.VIDEO: cls.VIDEO}[kind]


def check_format(path: Path, width: int, height: int, form: str) -> None:
    """Refuse a picture whose format takes too much memory for its size.

    Raises:
        UnwieldyPictureError: it does.
    """
    most = MOST_OF.get(form)
    if most is not None and width * height > most:
        reason = f"a {form} of {most / 1e6:.0f} megapixels is the most that can be decoded; a JPEG or PNG may have more"
        raise UnwieldyPictureError(path, width, height, reason)


def check_size(path: Path, width: int, height: int, max_pixels: int, moving: Moving) -> None:
    """Refuse a picture or frame that is too large, or too long for its width.

    Args:
        path: The file, for messages.
        width: In pixels, as its header says.
        height: The same.
        max_pixels: The cap that the user may raise.
        moving: What it is one of.

    Raises:
        InputTooLargeError: more pixels than the cap.
        UnwieldyPictureError: more than a frame may have, too long a side, or far too long for its width.
    """
    if width * height > max_pixels:
        raise InputTooLargeError(path, width, height, max_pixels)
    if moving.value is not None and width * height > moving.value:
        raise UnwieldyPictureError(
            path, width, height, f"frames of {moving.value / 1e6:.1f} megapixels are the most that can be processed"
        )
    longer, shorter = max(width, height), max(min(width, height), 1)
    if longer > MOST_SIDE:
        raise UnwieldyPictureError(path, width, height, f"a side may have {MOST_SIDE:,} pixels")
    if longer > MOST_STRETCHED * shorter:
        raise UnwieldyPictureError(path, width, height, f"a side may be {MOST_STRETCHED} times as long as the other")


def check_written(path: Path, width: int, height: int, pixel_format: str, bits: int) -> None:
    """Refuse to write a video whose frames take more bytes a pixel than most, and are very large as well.

    Args:
        path: The file that they are of.
        width: In pixels.
        height: The same.
        pixel_format: As FFmpeg names that of the file.
        bits: Bits a sample.

    Raises:
        UnwieldyPictureError: they are.
    """
    rich = bits > 8 or any(word in pixel_format for word in ("422", "444", "rgb", "bgr", "gbr"))
    if rich and width * height > _MOST_RICH:
        reason = f"of {bits} bits and {pixel_format}, frames of {_MOST_RICH / 1e6:.1f} megapixels are the most"
        raise UnwieldyPictureError(path, width, height, reason)


def frames_waiting(width: int, height: int) -> int:
    """How many frames of that size may wait between two threads; 0 where there is no room for any."""
    return min(_MOST_WAITING, int(_WAITING / (_A_PIXEL * max(width * height, 1))))
