"""Text in the package's own fonts, for labels in any script that they cover."""

from __future__ import annotations

import io
import unicodedata
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from understudy.arrays import UInt8Array
from understudy.regular import read_regular

#: Size at which a font is tried, in pixels.
_TRIED: Final = 24
#: How high letters may be, over that size, and how wide one may be, over its height.
_TALLEST, _WIDEST = 8, 32
#: Most bytes of a font.
_LONGEST: Final = 64_000_000
#: The first font that has every letter of a text draws it: DejaVu Sans has Latin, Greek, Cyrillic, Armenian,
#: Georgian, Hebrew and Arabic; Noto Sans CJK has Latin, Chinese, Japanese and Korean.
FONTS: Final = tuple(Path(__file__).parent / "fonts" / name for name in ("DejaVuSans.ttf", "NotoSansCJKsc-Regular.otf"))
#: No font has a letter there, so every font draws its sign for a missing one.
_NO_LETTER: Final = "\U0010fffd"


def font_for(text: str, own: Path | None = None) -> Path:
    """The font that draws ``text``.

    Args:
        text: One line.
        own: A font file that the user named: no other is tried.

    Raises:
        ValueError: no font has all its letters (they would be drawn as empty boxes), this machine can't join the
            letters of its script, or the named file is no font.
    """
    if _needs_shaping(text) and not features.check("raqm"):
        raise ValueError(f"drawing {text!r} needs the libraries raqm and fribidi, which this machine lacks")
    lacking = ""
    for path in (own,) if own else FONTS:
        try:
            font = _face(path, _TRIED)
            _check_size(text, font, path)
            missing = _missing(text, font)
        except (OSError, Image.DecompressionBombError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ValueError(f"{path.name} can't be read as a font: {reason}") from error
        if not missing:
            return path
        lacking = lacking if lacking and len(lacking) < len(missing) else missing
    raise ValueError(
        f"the label's font has no letters for {lacking!r}: it could not be read; name a font that has them"
    )


def letters(text: str, font: Path, height: int) -> UInt8Array:
    """The text in white on black, its ink ``height`` pixels or more high, cropped to the ink: uint8 (h, w)."""
    size = height
    while True:
        face = _face(font, size)
        left, top, right, bottom = face.getbbox(text)
        if bottom - top >= height:
            break
        size += max(1, size // 16)
    canvas = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2), 0)
    ImageDraw.Draw(canvas).text((1 - left, 1 - top), text, fill=255, font=face)
    return np.asarray(canvas, np.uint8)


def _check_size(text: str, font: ImageFont.FreeTypeFont, path: Path) -> None:
    """Make sure that letters are about as large as a font of that size has them: some say otherwise, by far.

    Raises:
        ValueError: they are not; drawn as high as a label is, they would fill the memory.
    """
    left, top, right, bottom = font.getbbox(text)
    high, wide = bottom - top, right - left
    if not (high <= _TALLEST * _TRIED and wide <= _WIDEST * max(high, 1) * max(len(text), 1)):
        raise ValueError(f"{path.name} can't be used as a font: its letters are of an odd size")


def _face(font: Path, size: int) -> ImageFont.FreeTypeFont:
    """A font at a size in pixels.

    Raises:
        OSError: it is no font, no file, or too long.
    """
    return ImageFont.truetype(io.BytesIO(read_regular(font, _LONGEST)), size)


def _needs_shaping(text: str) -> bool:
    """Whether its letters run from right to left, or sit on each other."""
    return any(
        unicodedata.bidirectional(letter) in ("R", "AL") or unicodedata.category(letter) in ("Mn", "Mc")
        for letter in text
    )


def _missing(text: str, font: ImageFont.FreeTypeFont) -> str:
    nothing = bytes(font.getmask(_NO_LETTER))

    def lacks(letter: str) -> bool:
        if letter.isspace():
            return False
        drawn = bytes(font.getmask(letter))
        # Some fonts have letters without ink, such as the Hangul fillers: a label of those is none.
        return drawn == nothing or (letter.isalnum() and not any(drawn))

    return "".join(dict.fromkeys(letter for letter in text if lacks(letter)))
