"""The visible label. Every frame that leaves the program carries it (see ``sealing``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import cv2
import numpy as np
from PIL import Image, ImageDraw

from understudy.arrays import FloatArray, UInt8Array
from understudy.faces import Faces
from understudy.frames import Frame, PixelBox
from understudy.geometry.boxes import pixel_box
from understudy.provenance.lettering import font_for, letters

Corner = Literal["bottom-left", "bottom-right", "top-left", "top-right"]
CORNERS: Final[tuple[Corner, ...]] = get_args(Corner)
#: Least height of the letters, as a share of the picture's shorter side (GB 45438-2025 asks for 5%).
MIN_HEIGHT_SHARE: Final = 0.05
#: The same once the opening of a video is over.
MIN_LATER_SHARE: Final = 0.025
#: Seconds of a video that carry the label in full (GB 45438-2025: two at least).
OPENING: Final = 2.0
#: Letters lower than this many pixels can't be read.
MIN_HEIGHT_PIXELS: Final = 7
_LONGEST = 40


@dataclass(frozen=True)
class LabelOptions:
    """What the label says and where. It can be moved and made smaller after the opening; it can't be removed.

    Attributes:
        text: One line of at most 40 characters.
        corner: Where it stands while no face is there.
        size: Height of the letters as a share of the picture's shorter side, at least 0.05.
        later_size: The same after the first two seconds of a video, at least 0.025; None for ``size``. Pictures
            and live output are labelled in full throughout.
        font: A font file for a script that the package's own fonts lack (see ``lettering.FONTS``).

    Raises:
        ValueError: nothing to read in the text, too long a text, letters that the font lacks, or a size out of range.
    """

    text: str = "AI face swap"
    corner: Corner = "bottom-left"
    size: float = MIN_HEIGHT_SHARE
    later_size: float | None = None
    font: Path | None = None

    def __post_init__(self) -> None:
        if (
            sum(letter.isalnum() for letter in self.text) < 2
            or not self.text.isprintable()
            or len(self.text) > _LONGEST
        ):
            raise ValueError(f"the label needs one line of text with letters, at most {_LONGEST} characters")
        font_for(self.text, self.font)
        if self.corner not in CORNERS:
            raise ValueError(f"the label stands in one of {', '.join(CORNERS)}, not in {self.corner!r}")
        if not MIN_HEIGHT_SHARE <= self.size <= 0.25:
            raise ValueError(f"the label's height is {MIN_HEIGHT_SHARE} to 0.25 of the shorter side, not {self.size}")
        if self.later_size is not None and not MIN_LATER_SHARE <= self.later_size <= self.size:
            raise ValueError(f"the label's later height is {MIN_LATER_SHARE} to {self.size}, not {self.later_size}")


class Labeller:
    """Labels the frames of one clip. The label stays in its corner unless a face comes there.

    Args:
        options: What it says.
        live: Whether the frames are shown as they are made: ``later_size`` does not count then.
    """

    def __init__(self, options: LabelOptions | None = None, *, live: bool = False) -> None:
        given = options or LabelOptions()
        # Made anew, so that its limits hold for what a subclass says, too.
        self.options = LabelOptions(given.text, given.corner, given.size, given.later_size, given.font)
        self._live = live
        self._stamp: tuple[tuple[int, int, float], UInt8Array, FloatArray] | None = None
        self._corner = CORNERS.index(self.options.corner)
        self._opened: float | None = None

    def check(self, width: int, height: int) -> None:
        pass

    def draw(self, frame: Frame, faces: Faces) -> PixelBox:
        """Draw the label into ``frame`` (in place), clear of ``faces`` where there is room: where it stands."""
        key = (frame.width, frame.height, self._share(frame.seconds))
        if self._stamp is None or self._stamp[0] != key:
            self._stamp = (key, *_stamp(self.options, *key))
        _, color, opacity = self._stamp
        box = self._place(frame, faces, opacity.shape[1], opacity.shape[0])
        region = frame.change(box)
        share = opacity[: box.y1 - box.y0, : box.x1 - box.x0, None]
        ink = color[: box.y1 - box.y0, : box.x1 - box.x0]
        region[:] = (region + (ink - region.astype(np.float32)) * share + 0.5).astype(np.uint8)
        if frame.alpha is not None:
            # A label that is transparent is none.
            part = frame.alpha[box.y0 : box.y1, box.x0 : box.x1]
            np.maximum(part, (share[:, :, 0] * 255).astype(np.uint8), out=part)
        return box

    def _share(self, seconds: float) -> float:
        """The letters' height at that time of the clip, as a share of the shorter side."""
        if self._opened is None:
            self._opened = seconds
        later = self.options.later_size
        if self._live or later is None or seconds - self._opened < OPENING:
            return self.options.size
        return later

    def _place(self, frame: Frame, faces: Faces, width: int, height: int) -> PixelBox:
        """The label's rectangle: the corner it is in, or the first that no face overlaps."""
        margin = max(2, round(min(frame.width, frame.height) * 0.025))
        right, bottom = max(0, frame.width - width - margin), max(0, frame.height - height - margin)
        left, top = min(margin, max(0, frame.width - width)), min(margin, max(0, frame.height - height))
        corners = [(left, bottom), (right, bottom), (left, top), (right, top)]
        boxes = [pixel_box(box, frame.width, frame.height, margin) for box in faces.boxes_xyxy]

        def covered(corner: int) -> int:
            x, y = corners[corner]
            return sum(
                max(0, min(x + width, b.x1) - max(x, b.x0)) * max(0, min(y + height, b.y1) - max(y, b.y0))
                for b in boxes
            )

        if covered(self._corner):
            self._corner = min(range(4), key=covered)
        x, y = corners[self._corner]
        return PixelBox(x, y, x + width, y + height).clipped(frame.width, frame.height)


def _stamp(options: LabelOptions, width: int, height: int, share: float) -> tuple[UInt8Array, FloatArray]:
    """The label for a picture of that size: colours uint8 BGR (h, w, 3), opacity float32 (h, w), 0-1.

    White letters on a dark plate, so that it reads on light and dark alike.
    """
    wanted = max(MIN_HEIGHT_PIXELS, int(np.ceil(min(width, height) * share)))
    ink = letters(options.text, font_for(options.text, options.font), wanted)
    pad_x, pad_y = round(wanted * 0.55), round(wanted * 0.45)
    ink = np.pad(ink, ((pad_y, pad_y), (pad_x, pad_x)))
    if ink.shape[1] > width or ink.shape[0] > height:
        # A narrow picture: as large as it allows.
        scale = min(width / ink.shape[1], height / ink.shape[0])
        size = (max(1, int(ink.shape[1] * scale)), max(1, int(ink.shape[0] * scale)))
        ink = np.asarray(cv2.resize(ink, size, interpolation=cv2.INTER_AREA), np.uint8)
    plate = Image.new("L", (ink.shape[1] * 4, ink.shape[0] * 4), 0)
    shape = (0, 0, plate.width - 1, plate.height - 1)
    ImageDraw.Draw(plate).rounded_rectangle(shape, plate.height * 0.28, fill=255)
    plate_alpha = np.asarray(plate.resize(ink.shape[::-1], Image.Resampling.BOX), np.float32) / 255 * 0.62
    white = ink.astype(np.float32) / 255
    opacity = np.maximum(plate_alpha, white)
    color = np.repeat((white / np.maximum(opacity, 1e-3) * 255)[:, :, None], 3, axis=2)
    return np.clip(color, 0, 255).astype(np.uint8), opacity.astype(np.float32)
