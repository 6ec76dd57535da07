"""The finished label for pictures of one size: white letters on a dark plate, measured before it is used."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from understudy.arrays import FloatArray, UInt8Array
from understudy.provenance.lettering import Font, drawn, is_wide, size_for, wrapped
from understudy.provenance.mixing import MixedFont
from understudy.provenance.writing import clusters
from understudy.quantiles import percentile

#: How much of what is below the plate it hides. White on it has a contrast of 6:1 on a white ground, 21:1 on a black.
PLATE: Final = 0.62
#: Letters lower than this many pixels can't be read: Latin and its like, those with more strokes, ideographs.
SIMPLE, DENSE, IDEOGRAPH = 9, 11, 13
#: In a panorama the shorter side says little of how small all is shown: the share of the longer side then, up to a
#: quarter of the shorter.
_LONG_SHARE: Final = 0.01
#: Most of a picture that a label covers: of one line, of several.
_MOST_OF_ONE, _MOST_OF_MANY = 0.5, 0.4
#: Words longer than this may be broken where they do not fit.
_WHOLE: Final = 12
#: Of the finished label: contrast (WCAG 2.2, 1.4.3), share of the asked height that is letters, share that is ink.
LEAST_CONTRAST: Final = 4.5
_LEAST_HEIGHT, _LEAST_INK, _MOST_INK = 0.85, 0.02, 0.6


@dataclass(frozen=True, eq=False)
class Stamp:
    """A label.

    Attributes:
        color: uint8 BGR (h, w, 3).
        opacity: float32 (h, w), 0-1.
        cover: uint8 (h, w): what the picture's opacity is there at least; 255 wherever the plate is.
        lines: What it says.
        letter_height: In pixels, as asked for.
    """

    color: UInt8Array
    opacity: FloatArray
    cover: UInt8Array
    lines: tuple[str, ...]
    letter_height: int

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.opacity.shape[1])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.opacity.shape[0])


def stamp_of(text: str, font: Font | MixedFont, width: int, height: int, share: float, least: float) -> Stamp | None:
    """The label for a picture of that size; None if there is no room for it, or it can't be read.

    Args:
        text: What it says.
        font: What draws it.
        width: Of the picture, in pixels.
        height: The same.
        share: Height of the letters over the picture's shorter side, as asked for.
        least: The same, where there is no room for that.
    """
    asked, lowest = (_letter_height(text, width, height, one) for one in (share, least))
    for wanted in dict.fromkeys((asked, *(round(lowest + (asked - lowest) * part) for part in (0.75, 0.5, 0.25, 0)))):
        stamp = _made(text, font, width, height, wanted)
        if stamp is not None and readable(stamp):
            return stamp
    return None


def readable(stamp: Stamp) -> bool:
    """Whether a finished label can be read, on black, grey and white alike: by its contrast, height and ink."""
    letters = stamp.color[:, :, 0].astype(np.float32) * stamp.opacity
    ink, plate = letters > 127, (letters < 13) & (stamp.opacity > PLATE / 2)
    rows, share = np.flatnonzero(ink.any(axis=1)), float(ink.mean())
    high = int(rows[-1] - rows[0]) + 1 if len(rows) else 0
    if high < _LEAST_HEIGHT * stamp.letter_height or not _LEAST_INK <= share <= _MOST_INK or not plate.any():
        return False
    for ground in (0, 127, 255):
        shown = ground * (1 - stamp.opacity) + letters
        # The middle of a stroke counts, not its soft edge.
        light, dark = percentile(shown[ink], 75), float(shown[plate].mean())
        if (_luminance(light) + 0.05) / (_luminance(dark) + 0.05) < LEAST_CONTRAST:
            return False
    return True


def _made(text: str, font: Font | MixedFont, width: int, height: int, wanted: int) -> Stamp | None:
    face = font.at(size_for(text, font, wanted))
    pad_x, pad_y = round(wanted * 0.55), round(wanted * 0.45)
    room = width - 2 * pad_x - 2
    short = [word for word in text.split(" ") if len(word) <= _WHOLE and not any(map(is_wide, word))]
    if room < max((face.getlength(part) for part in (*short, *clusters(text))), default=0):
        return None
    lines = wrapped(text, face, room)
    ink = np.pad(drawn(lines, face), ((pad_y, pad_y), (pad_x, pad_x)))
    most = _MOST_OF_ONE if len(lines) == 1 else _MOST_OF_MANY
    if ink.shape[1] > width or ink.shape[0] > height or ink.size > most * width * height:
        return None
    plate = Image.new("L", (ink.shape[1] * 4, ink.shape[0] * 4), 0)
    shape = (0, 0, plate.width - 1, plate.height - 1)
    ImageDraw.Draw(plate).rounded_rectangle(shape, min(ink.shape[0], 2 * wanted + 1) * 4 * 0.28, fill=255)
    whole = np.asarray(plate.resize(ink.shape[::-1], Image.Resampling.BOX), np.float32) / 255
    white = ink.astype(np.float32) / 255
    opacity = np.maximum(whole * np.float32(PLATE), white)
    color = np.repeat((white / np.maximum(opacity, 1e-3) * 255)[:, :, None], 3, axis=2)
    return Stamp(
        color=np.clip(color, 0, 255).astype(np.uint8),
        opacity=opacity.astype(np.float32),
        cover=(np.maximum(whole, white) * 255).astype(np.uint8),
        lines=tuple(lines),
        letter_height=wanted,
    )


def _letter_height(text: str, width: int, height: int, share: float) -> int:
    shorter, longer = min(width, height), max(width, height)
    panorama = min(math.ceil(longer * _LONG_SHARE), shorter // 4)
    return max(_least_pixels(text), math.ceil(shorter * share), panorama)


def _least_pixels(text: str) -> int:
    if any(map(is_wide, text)):
        return IDEOGRAPH
    scripts = {unicodedata.name(letter, "").split(" ")[0] for letter in text if letter.isalpha()}
    return SIMPLE if scripts <= {"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "GEORGIAN", "HEBREW"} else DENSE


def _luminance(shade: float) -> float:
    """Relative luminance of a grey of sRGB, 0-1."""
    value = shade / 255
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
