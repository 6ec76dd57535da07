"""The visible label. Every frame that leaves the program carries it (see ``sealing``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np

from understudy.errors import InputError
from understudy.face import Faces
from understudy.frames import Frame, PixelBox
from understudy.geometry.boxes import pixel_box
from understudy.provenance.lettering import font_for
from understudy.provenance.stamping import Stamp, stamp_of
from understudy.provenance.wording import worded
from understudy.text import number_of

Corner = Literal["bottom-left", "bottom-right", "top-left", "top-right"]
CORNERS: Final[tuple[Corner, ...]] = get_args(Corner)
#: Least height of the letters, as a share of the picture's shorter side (GB 45438-2025 asks for 5%).
MIN_HEIGHT_SHARE: Final = 0.05
#: The same once the opening of a video is over.
MIN_LATER_SHARE: Final = 0.025
#: Seconds of a video that carry the label in full (GB 45438-2025: two at least).
OPENING: Final = 2.0
#: What stands where there is no room for more.
SHORT: Final = "AI"


@dataclass(frozen=True)
class LabelOptions:
    """What the label says and where. It can be moved and made smaller after the opening; it can't be removed.

    Attributes:
        text: One line of at most 40 characters. It is wrapped where the picture is narrow; where there is no room for
            it at a size that can be read, "AI" stands in its place.
        corner: Where it stands while no face is there.
        size: Height of the letters as a share of the picture's shorter side, at least 0.05.
        later_size: The same after the first two seconds of a video, at least 0.025; None for ``size``. Pictures
            and live output are labelled in full throughout.
        font: A font file for a script that the package's own fonts lack (see ``lettering.FONTS``).

    Raises:
        ValueError: nothing to read in the text, too long a text, one that says the opposite ("real photo"), letters
            that the font lacks or that can't be told apart, or a size out of range.
    """

    text: str = "AI face swap"
    corner: Corner = "bottom-left"
    size: float = MIN_HEIGHT_SHARE
    later_size: float | None = None
    font: Path | None = None

    def __post_init__(self) -> None:
        # Plain values from here on, whatever classes these are of: what is checked is what is used.
        text, corner = worded(self.text), str.__str__(self.corner)
        size, later = number_of(self.size), None if self.later_size is None else number_of(self.later_size)
        font = None if self.font is None else Path(self.font)
        for name, value in (("text", text), ("corner", corner), ("size", size), ("later_size", later), ("font", font)):
            object.__setattr__(self, name, value)
        font_for(text, font)
        if corner not in CORNERS:
            raise ValueError(f"the label stands in one of {', '.join(CORNERS)}, not in {corner!r}")
        if not MIN_HEIGHT_SHARE <= size <= 0.25:
            raise ValueError(f"the label's height is {MIN_HEIGHT_SHARE} to 0.25 of the shorter side, not {size}")
        if later is not None and not MIN_LATER_SHARE <= later <= size:
            raise ValueError(f"the label's later height is {MIN_LATER_SHARE} to {size}, not {later}")


class Labeller:
    """Labels the frames of one clip. The label stays in its corner unless a face comes there.

    Args:
        options: What it says.
        live: Whether the frames are shown as they are made: ``later_size`` does not count then.
        opened: When the clip begins, in seconds; None for with the first frame.
        corner: Where it stands at first; None for where the options say.
        corners: Where it may go when a face comes; where faces are in all of them, it stands on one.
    """

    def __init__(
        self,
        options: LabelOptions | None = None,
        *,
        live: bool = False,
        opened: float | None = None,
        corner: Corner | None = None,
        corners: Sequence[Corner] = CORNERS,
    ) -> None:
        given = options or LabelOptions()
        # Made anew, so that its limits hold for what a subclass says, too.
        self._options = LabelOptions(given.text, given.corner, given.size, given.later_size, given.font)
        self._fonts = {
            self._options.text: font_for(self._options.text, self._options.font),
            SHORT: font_for(SHORT),
        }
        self._live = live
        self._stamp: tuple[tuple[int, int, float], Stamp] | None = None
        self._corner = CORNERS.index(self._options.corner if corner is None else corner)
        self._corners = [CORNERS.index(one) for one in corners]
        self._opened = opened

    @property
    def text(self) -> str:
        """What it says where there is room."""
        return self._options.text

    @property
    def options(self) -> LabelOptions:
        """What it says."""
        return self._options

    @property
    def corner(self) -> Corner:
        """Where it stands now."""
        return CORNERS[self._corner]

    def pass_by(self, frame: Frame, faces: Faces) -> None:
        """Go where ``draw`` would go in a frame that is not written."""
        stamp = self._stamped(frame.width, frame.height, self._share(frame.seconds))
        self._place(frame, faces, stamp.width, stamp.height)

    def check(self, width: int, height: int) -> None:
        """Whether a picture of that size can carry the label.

        Raises:
            InputError: it is too small for any text that can be read.
        """
        for share in (self._options.size, self._options.later_size or self._options.size):
            self._stamped(width, height, share)

    def draw(self, frame: Frame, faces: Faces, within: PixelBox | None = None) -> PixelBox:
        """Draw the label into ``frame`` (in place), clear of ``faces`` where there is room: where it stands.

        Args:
            frame: The frame.
            faces: Which it should not stand on.
            within: Of which part of the frame it takes a corner; None for all of it.

        Raises:
            InputError: see ``check``.
        """
        stamp = self._stamped(frame.width, frame.height, self._share(frame.seconds))
        box = self._place(frame, faces, stamp.width, stamp.height, within)
        region = frame.part(box)
        opacity = stamp.opacity[:, :, None]
        region[:] = (region + (stamp.color - region.astype(np.float32)) * opacity + 0.5).astype(np.uint8)
        if frame.alpha is not None:
            # A label that is transparent is none.
            part = frame.alpha[box.y0 : box.y1, box.x0 : box.x1]
            np.maximum(part, stamp.cover, out=part)
        return box

    def _stamped(self, width: int, height: int, share: float) -> Stamp:
        """The label for pictures of that size."""
        key = (width, height, share)
        if self._stamp is None or self._stamp[0] != key:
            least = min(share, MIN_HEIGHT_SHARE)
            tried = (stamp_of(text, font, width, height, share, least) for text, font in self._fonts.items())
            stamp = next((one for one in tried if one is not None), None)
            if stamp is None:
                raise InputError(
                    f"a picture of {width}x{height} is too small for a label that can be read",
                    "Every output carries one: enlarge the target first; 64x64 is enough.",
                )
            self._stamp = (key, stamp)
        return self._stamp[1]

    def _share(self, seconds: float) -> float:
        """The letters' height at that time of the clip, as a share of the shorter side."""
        if self._opened is None:
            self._opened = seconds
        later = self._options.later_size
        if self._live or later is None or seconds - self._opened < OPENING:
            return self._options.size
        return later

    def _place(self, frame: Frame, faces: Faces, width: int, height: int, within: PixelBox | None = None) -> PixelBox:
        """The label's rectangle: the corner it is in, or the first that no face overlaps."""
        margin = max(2, round(min(frame.width, frame.height) * 0.025))
        part = within or PixelBox(0, 0, frame.width, frame.height)
        right, bottom = max(0, part.x1 - width - margin), max(0, part.y1 - height - margin)
        left = min(part.x0 + margin, max(0, frame.width - width))
        top = min(part.y0 + margin, max(0, frame.height - height))
        corners = [(left, bottom), (right, bottom), (left, top), (right, top)]
        boxes = [pixel_box(box, frame.width, frame.height, margin) for box in faces.boxes_xyxy]

        def covered(corner: int) -> int:
            x, y = corners[corner]
            return sum(
                max(0, min(x + width, b.x1) - max(x, b.x0)) * max(0, min(y + height, b.y1) - max(y, b.y0))
                for b in boxes
            )

        if covered(self._corner):
            self._corner = min(self._corners, key=covered)
        x, y = corners[self._corner]
        return PixelBox(x, y, x + width, y + height).clipped(frame.width, frame.height)
