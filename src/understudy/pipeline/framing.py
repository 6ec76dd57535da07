"""Brings frames into another shape, for a file: vertical, square, or of a given size; and writes a caption into them.

It is done before the label is drawn and the mark added: what is shown is what is labelled, in letters that are large
enough for it.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Final, NamedTuple

import cv2
import numpy as np

from understudy.arrays import UInt8Array
from understudy.errors import InputError, UsageError
from understudy.face import Faces
from understudy.frames import Frame, PixelBox
from understudy.media.base import MediaInfo, MediaKind
from understudy.media.bounds import Moving, check_size, check_written
from understudy.media.pixels import add_changes, exactly
from understudy.pipeline.captioning import Captioning, check_room
from understudy.pipeline.following import Following
from understudy.pipeline.tally import Swapped
from understudy.settings.framing import FrameOptions

#: The blurred picture behind a padded one: how many times smaller it is blurred, by how many of its pixels, and how
#: bright it is.
_SMALLER: Final = 16
_BLUR, _BRIGHTNESS = 2.0, 0.55


class _Layout(NamedTuple):
    """Sizes, width and height in pixels.

    Attributes:
        part: Of the part of the frame that is shown.
        shown: Of that part in the output.
        whole: Of the output.
    """

    part: tuple[int, int]
    shown: tuple[int, int]
    whole: tuple[int, int]


class Framing:
    """Brings the frames of one clip, or a photo, into another shape.

    Args:
        options: Into which.
        pixel_aspect: Width of the frames' pixels over their height.
    """

    def __init__(self, options: FrameOptions, pixel_aspect: Fraction = Fraction(1)) -> None:
        self._options, self._aspect = options, pixel_aspect
        self._following = Following()
        self._captioning = Captioning(options.caption) if options.caption else None

    def view(self, frame: Frame, chosen: Faces, *, scale: int = 1, cut: bool = False) -> PixelBox | None:
        """Which part of a frame is shown. Frames come in order.

        Args:
            frame: As it is now.
            chosen: The faces to follow, as they were before the frame was enlarged.
            scale: How many times as large it is now.
            cut: Whether another shot begins with it.

        Returns:
            In pixels of the frame; None for all of it, as it is.
        """
        layout = _layout(frame.width, frame.height, self._options, self._aspect)
        if layout is None:
            return None
        if layout.part == (frame.width, frame.height):
            return PixelBox(0, 0, *layout.part)
        faces = Faces(boxes_xyxy=chosen.boxes_xyxy * np.float32(scale), track_ids=chosen.track_ids)
        return self._following.view(faces, (frame.width, frame.height), layout.part, frame.seconds, cut=cut)

    def compose(self, frame: Frame, done: Swapped, view: PixelBox) -> Swapped:
        """Bring a frame into the shape. What it shows then is ``frame`` from now on.

        Args:
            frame: All done but for that.
            done: What was done to it.
            view: As ``view`` gave it for this frame.

        Returns:
            The same, its faces where they are now, and the caption's place with them: the label must not stand there.

        Raises:
            UsageError: there is no room for the caption.
        """
        layout = _layout(frame.width, frame.height, self._options, self._aspect)
        assert layout is not None
        boxes = done.placed.boxes_xyxy
        picture, alpha = _exact(frame), frame.alpha
        across, down = layout.shown[0] / layout.part[0], layout.shown[1] / layout.part[1]
        left, top = ((layout.whole[axis] - layout.shown[axis]) // 2 for axis in (0, 1))
        picture = _brought(picture, view, layout, (left, top), behind=True)
        if alpha is not None:
            alpha = _brought(alpha, view, layout, (left, top), behind=False)
        frame.changes.clear()
        frame.picture, frame.alpha, frame.origin = picture, alpha, None
        corner = np.array([view.x0, view.y0] * 2, np.float32)
        moved = (boxes - corner) * np.array([across, down] * 2, np.float32) + np.array([left, top] * 2, np.float32)
        seen = np.clip(moved, 0, np.array(layout.whole * 2, np.float32))
        inside = (seen[:, 2] > seen[:, 0]) & (seen[:, 3] > seen[:, 1])
        words = [] if self._captioning is None else [self._captioning.write(picture, alpha, seen[inside])]
        kept_clear = np.concatenate([seen[inside], np.array(words, np.float32).reshape(-1, 4)]).astype(np.float32)
        return done._replace(faces=Faces(boxes_xyxy=kept_clear), scale=1)


def framed(info: MediaInfo, options: FrameOptions, max_pixels: int) -> MediaInfo:
    """What a file of such frames is like.

    Args:
        info: What it is like in its own shape.
        options: The other one.
        max_pixels: Most pixels that a picture may have.

    Raises:
        UsageError: too many pixels, or no room for the caption.
    """
    layout = _layout(info.width, info.height, options, info.pixel_aspect)
    if layout is None:
        return info
    width, height = layout.whole
    aspect = info.pixel_aspect if options.size is None else Fraction(1)
    shown = replace(info, width=width, height=height, pixel_aspect=aspect, composed=True)
    try:
        check_size(info.path, width, height, max_pixels, Moving.of(info.kind))
        if info.kind is MediaKind.VIDEO:
            check_written(info.path, width, height, info.pixel_format, info.bit_depth)
    except InputError as fault:
        raise UsageError(
            f"{info.path.name} in {options.shape} would be {width}x{height}: that is too large", "Name a smaller size."
        ) from fault
    if options.caption:
        check_room(options.caption, width, height)
    return shown


def _layout(width: int, height: int, options: FrameOptions, aspect: Fraction) -> _Layout | None:
    """How a frame is brought into the shape; None where it has it already."""
    own = (width, height)
    if options.ratio is None:
        return _Layout(own, own, own) if options.caption else None
    ratio = options.ratio / aspect  # of the frame's own pixels
    wider = width > height * ratio
    if options.fit == "crop":
        part = (_even(height * ratio, width), height) if wider else (width, _even(width / ratio, height))
        layout = _Layout(part, options.size or part, options.size or part)
    elif options.size is None:
        whole = (width, _even(width / ratio, height)) if wider else (_even(height * ratio, width), height)
        layout = _Layout(own, own, whole)
    else:  # as it is shown: a pixel that is wider than high becomes as many as that takes
        scale = min(Fraction(options.size[0]) / (width * aspect), Fraction(options.size[1], height))
        shown = (_even(width * aspect * scale, options.size[0]), _even(height * scale, options.size[1]))
        layout = _Layout(own, shown, options.size)
    return None if layout == (own, own, own) and not options.caption else layout


def _even(length: Fraction, most: int | None = None) -> int:
    """The nearest even number of pixels, two at least; encoders halve them. ``most`` as it is, if that is near."""
    if most is not None and abs(length - most) < 1:
        return most
    return max(2 * round(length / 2), 2)


def _exact(frame: Frame) -> UInt8Array:
    """The frame's picture, by the exact conversion: what is encoded as a whole would be a little darker else."""
    picture = exactly(frame)
    return picture if picture is not None and add_changes(picture, frame) else frame.picture


def _brought(
    picture: UInt8Array, view: PixelBox, layout: _Layout, corner: tuple[int, int], *, behind: bool
) -> UInt8Array:
    """A part of a picture, in its size, where it belongs.

    Args:
        picture: uint8 (H, W) or (H, W, 3).
        view: The part.
        layout: Sizes.
        corner: Left and top of where it goes.
        behind: Whether the rest is filled with a blurred one; else with 255.
    """
    part = picture[view.y0 : view.y1, view.x0 : view.x1]
    if layout.shown != layout.part:
        smaller = layout.shown[0] < layout.part[0]
        part = np.asarray(cv2.resize(part, layout.shown, None, 0, 0, _method(smaller=smaller)), np.uint8)
    if layout.whole == layout.shown:
        return np.ascontiguousarray(part)
    width, height = layout.whole
    whole = _blurred(picture, width, height) if behind else np.full((height, width), 255, np.uint8)
    whole[corner[1] : corner[1] + layout.shown[1], corner[0] : corner[0] + layout.shown[0]] = part
    return whole


def _method(*, smaller: bool) -> int:
    return cv2.INTER_AREA if smaller else cv2.INTER_CUBIC


def _blurred(picture: UInt8Array, width: int, height: int) -> UInt8Array:
    """The middle of a picture, blurred and darkened, of that size: uint8 BGR (height, width, 3)."""
    rows, columns = picture.shape[:2]
    share = min(columns / width, rows / height)
    across, down = max(round(width * share), 1), max(round(height * share), 1)
    left, top = (columns - across) // 2, (rows - down) // 2
    small = (max(width // _SMALLER, 2), max(height // _SMALLER, 2))
    part = cv2.resize(picture[top : top + down, left : left + across], small, None, 0, 0, cv2.INTER_AREA)
    soft = cv2.GaussianBlur(part.astype(np.float32) * _BRIGHTNESS, (0, 0), _BLUR)
    # Rounded before it is made larger: that takes a sixteenth of the time, and nobody sees steps in what is so dark.
    rounded = np.asarray(soft + 0.5, np.uint8)
    return np.asarray(cv2.resize(rounded, (width, height), None, 0, 0, cv2.INTER_CUBIC), np.uint8)
