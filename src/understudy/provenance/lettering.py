"""Text in the package's own fonts, for labels in any script that they cover."""

from __future__ import annotations

import io
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

from understudy.arrays import UInt8Array
from understudy.provenance.mixing import Face, MixedFace, MixedFont
from understudy.provenance.writing import clusters, runs_left
from understudy.regular import read_regular

#: Size at which a font is tried, in pixels.
_TRIED: Final = 24
#: How high letters may be, over that size, and how wide one may be, over its height.
_TALLEST, _WIDEST = 8, 32
#: Most bytes of a font.
_LONGEST: Final = 64_000_000
#: The first font that has every letter of a text draws it; where none has, each letter the first that has that letter.
#: DejaVu Sans has Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew and Arabic; Noto Sans CJK has Latin, Chinese,
#: Japanese and Korean.
FONTS: Final = tuple(Path(__file__).parent / "fonts" / name for name in ("DejaVuSans.ttf", "NotoSansCJKsc-Regular.otf"))
#: No font has a letter there, so every font draws its sign for a missing one.
_NO_LETTER: Final = "\U0010fffd"
#: Letters whose ink is lower than that share of the font's size are flat strokes or dots. An "x" has 0.55.
_LEAST_INK: Final = 0.45
#: Size at which a font's letters are looked at, in pixels.
_LOOK: Final = 48


@dataclass(frozen=True)
class Font:
    """A font file, read once: whatever becomes of the file later, the letters stay.

    Attributes:
        name: Of the file.
        data: Its content.
    """

    name: str
    data: bytes

    @classmethod
    def read(cls, path: Path) -> Font:
        """Read a font file.

        Raises:
            ValueError: it can't be read, or is no font.
        """
        try:
            font = cls(path.name, read_regular(path, _LONGEST))
            font.at(_LOOK)
            font.at(_LOOK + 1)  # fonts of one size are of no use
        except OSError as error:
            reason = getattr(error, "strerror", None) or error
            raise ValueError(f"{path.name} can't be read as a font: {reason}") from error
        return font

    def at(self, size: int) -> ImageFont.FreeTypeFont:
        """The font at a size in pixels."""
        return ImageFont.truetype(io.BytesIO(self.data), size)

    def lacking(self, text: str) -> str:
        """The letters of ``text`` that it does not have."""
        # Letter by letter: what joins letters puts a circle under a mark that stands alone, be it there or not.
        face = ImageFont.truetype(io.BytesIO(self.data), 24, layout_engine=ImageFont.Layout.BASIC)
        nothing = bytes(face.getmask(_NO_LETTER))

        def lacks(letter: str) -> bool:
            if letter.isspace():
                return False
            drawn = bytes(face.getmask(letter))
            # Some fonts have letters without ink, such as the Hangul fillers: a label of those is none.
            return drawn == nothing or (letter.isalnum() and not any(drawn))

        return "".join(dict.fromkeys(letter for letter in text if lacks(letter)))


def font_for(text: str, own: Path | None = None) -> Font | MixedFont:
    """The font that draws ``text``, or several as one.

    Args:
        text: One line.
        own: A font file that the user named: no other is tried.

    Raises:
        ValueError: no font has all its letters (they would be drawn as empty boxes), this machine can't join the
            letters of its script, what is drawn can't be told apart, or the named file is no font.
    """
    if _needs_shaping(text) and not features.check("raqm"):
        raise ValueError(f"drawing {text!r} needs the libraries raqm and fribidi, which this machine lacks")
    lacking, read = "", list[Font]()
    for path in (own,) if own else FONTS:
        font = Font.read(path)
        try:
            _check_size(text, font)
            missing = font.lacking(text)
        except (OSError, Image.DecompressionBombError) as error:
            raise ValueError(f"{path.name} can't be read as a font: {error}") from error
        if not missing:
            _check_letters(text, font)
            return font
        read.append(font)
        lacking = missing if not lacking else "".join(letter for letter in lacking if letter in missing)
    if not lacking:
        mixed = _mixed(text, read)
        _check_letters(text, mixed)
        return mixed
    raise ValueError(
        f"the label's font has no letters for {lacking!r}: it could not be read; name a font that has them"
    )


def _mixed(text: str, fonts: list[Font]) -> MixedFont:
    """Fonts that have all letters of a text together, as one.

    Raises:
        ValueError: a letter and the marks on it are in no font together.
    """
    lacking = [set(font.lacking(text)) for font in fonts]
    owners = {}
    for letter in dict.fromkeys(clusters(text)):
        having = [number for number, missing in enumerate(lacking) if not missing.intersection(letter)]
        if not having:
            raise ValueError(
                f"no font here has {letter!r}, marks and all: leave the marks out, or name a font that has it"
            )
        owners[letter] = having[0]
    return MixedFont(fonts, owners)


def size_for(text: str, font: Font | MixedFont, height: int) -> int:
    """The font size at which the ink of ``text`` is ``height`` pixels or more high.

    Never below ``height``: marks above and below a letter make the ink higher and the letter no larger.

    Raises:
        ValueError: its letters are flat strokes or dots, which no size makes readable.
    """
    size = height
    while True:
        _, top, _, bottom = font.at(size).getbbox(text)
        if bottom - top >= height:
            return size
        if size * _LEAST_INK > height:
            raise ValueError(f"the letters of {text!r} are too low to be read: add some that are higher")
        size += max(1, size // 16)


def letters(text: str, font: Font | MixedFont, height: int) -> UInt8Array:
    """The text in white on black, its ink ``height`` pixels or more high, cropped to the ink: uint8 (h, w).

    Raises:
        ValueError: see ``size_for``.
    """
    return drawn([text], font.at(size_for(text, font, height)))


def drawn(lines: list[str], face: ImageFont.FreeTypeFont | MixedFace) -> UInt8Array:
    """Lines of text, one below the other, in white on black, cropped to the ink: uint8 (h, w).

    Lines of a script that runs from right to left stand at the right.
    """
    boxes = [face.getbbox(line) for line in lines]
    lefts, tops = [int(box[0]) for box in boxes], [int(box[1]) for box in boxes]
    widths = [int(box[2]) - left for box, left in zip(boxes, lefts, strict=True)]
    heights = [int(box[3]) - top for box, top in zip(boxes, tops, strict=True)]
    pitch = max(heights) + round(face.size / 4)
    high = tops[-1] + heights[-1] - tops[0] + pitch * (len(lines) - 1) + 2
    canvas = Image.new("L", (max(widths) + 2, high), 0)
    pen = ImageDraw.Draw(canvas)
    for number, (line, left, width) in enumerate(zip(lines, lefts, widths, strict=True)):
        start = max(widths) - width if runs_left(line) else 0
        place = (start + 1 - left, 1 - tops[0] + number * pitch)
        if isinstance(face, MixedFace):
            face.draw(pen, place, line)
        else:
            pen.text(place, line, fill=255, font=face)
    return np.asarray(canvas, np.uint8)


def wrapped(text: str, face: Face, room: int) -> list[str]:
    """The text in as few lines as fit into ``room`` pixels, evenly filled.

    Lines are broken at blanks and between ideographs; a word that is too long for a line, between any two letters.
    """
    pieces = [piece for word in text.split(" ") for piece in _pieces(word, face, room)]
    lines = _filled(pieces, face, room)
    low, high = 1, room
    while len(lines) > 1 and low < high:
        middle = (low + high) // 2
        tried = _filled(pieces, face, middle)
        if len(tried) > len(lines) or any(face.getlength(line) > middle for line in tried):
            low = middle + 1
        else:
            lines, high = tried, middle
    return lines


def is_wide(letter: str) -> bool:
    """Whether it is an ideograph, or takes as much room as one."""
    return unicodedata.east_asian_width(letter) in ("W", "F")


def _pieces(word: str, face: Face, room: int) -> list[tuple[str, bool]]:
    """A word in parts that are never broken, and whether a blank stands before each."""
    whole = not any(is_wide(letter) for letter in word) and face.getlength(word) <= room
    parts = [word] if whole else clusters(word)
    return [(part, number == 0) for number, part in enumerate(parts)]


def _filled(pieces: list[tuple[str, bool]], face: Face, room: int) -> list[str]:
    lines: list[str] = []
    for piece, blank in pieces:
        longer = f"{lines[-1]}{' ' if blank else ''}{piece}" if lines else piece
        if lines and face.getlength(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(piece)
    return lines


def _check_size(text: str, font: Font) -> None:
    """Make sure that letters are about as large as a font of that size has them: some say otherwise, by far.

    Raises:
        ValueError: they are not; drawn as high as a label is, they would fill the memory.
    """
    left, top, right, bottom = font.at(_TRIED).getbbox(text)
    high, wide = bottom - top, right - left
    if not (high <= _TALLEST * _TRIED and wide <= _WIDEST * max(high, 1) * max(len(text), 1)):
        raise ValueError(f"{font.name} can't be used as a font: its letters are of an odd size")


def _needs_shaping(text: str) -> bool:
    """Whether its letters run from right to left, or sit on each other."""
    return any(
        unicodedata.bidirectional(letter) in ("R", "AL") or unicodedata.category(letter) in ("Mn", "Mc")
        for letter in text
    )


def _check_letters(text: str, font: Font | MixedFont) -> None:
    """Whether what a font draws for different letters differs, and is no row of blocks or dots.

    Raises:
        ValueError: it does not, or is one.
    """
    face = font.at(_LOOK)
    unique = list(dict.fromkeys(letter for letter in text.casefold() if letter.isalnum()))
    masks = [(face.face_of(letter) if isinstance(face, MixedFace) else face).getmask(letter) for letter in unique]
    seen = [np.asarray(mask, np.uint8).reshape(mask.size[::-1]) for mask in masks]
    shapes = {(one.shape, one.tobytes()) for one in seen}
    blocks = sum(one.mean() > 0.9 * 255 and 0.4 < one.shape[1] / one.shape[0] < 2.5 for one in seen)
    if len(shapes) < len(unique) / 2 or blocks > len(unique) / 2:
        raise ValueError(f"the letters of {text!r} can't be told apart in {font.name}: name another font")
    size_for(text, font, _LOOK)
