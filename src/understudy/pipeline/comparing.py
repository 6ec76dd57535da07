"""A compare: the original and the result in one picture, for a file.

It is put together before the label is drawn and the mark added, so both are in it as in any other frame. The label
stands with the result: on the original it would say the wrong thing.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from understudy.arrays import UInt8Array
from understudy.errors import InputError
from understudy.face import Faces
from understudy.frames import Frame, PixelBox
from understudy.media.base import MediaInfo, MediaKind
from understudy.media.bounds import Moving, check_size, check_written
from understudy.media.pixels import add_changes, exactly
from understudy.pipeline.tally import Swapped
from understudy.settings import Compare

#: Pictures that are wider than this, width over height, stand one above the other: beside each other they would be
#: a strip.
_WIDEST: Final = (16, 9)
#: Seconds in which the line of a wipe goes to and fro once, and how far from the middle it goes, as a share of the
#: width.
_PERIOD, _REACH = 12.0, 0.4
#: Width of that line, as a share of the picture's shorter side; two pixels at least.
_LINE: Final = 1 / 240
#: How far the original reaches into the result for the label, as a share of the shorter side.
_INNER: Final = 0.02


class Comparing:
    """Puts originals and results together.

    Args:
        how: In what way; with ``no`` nothing is kept and nothing done.
    """

    def __init__(self, how: Compare) -> None:
        self._how = how

    def original(self, frame: Frame) -> UInt8Array | None:
        """What a frame shows now: to be asked before anything is written into it.

        Returns:
            uint8 BGR (H, W, 3), a copy; None where nothing is compared.
        """
        if self._how == "no":
            return None
        # What is put together is encoded as a whole: the fast conversion, which darkens a little, would show.
        exact = exactly(frame)
        return frame.picture.copy() if exact is None else exact

    def compose(self, frame: Frame, original: UInt8Array, done: Swapped) -> Swapped:
        """Put the original and the result together. What was put together is ``frame`` from now on.

        Args:
            frame: The result. It may have been enlarged meanwhile: then the original is, too.
            original: Of this frame, as ``original`` gave it.
            done: What was done to it.

        Returns:
            The same. Its faces are boxes in the new picture, where the label must not stand if there is room elsewhere:
            faces, and where the original is.
        """
        result, alpha = _result(frame, original), frame.alpha
        height, width = result.shape[:2]
        if original.shape != result.shape:
            original = np.asarray(cv2.resize(original, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
        if self._how == "wipe":
            picture, apart, of_result = _wiped(original, result, frame.seconds), (0, 0), None
            # More than all faces together: half of the corners are in it.
            of_original = np.tile(np.array([0, 0, width / 2, height], np.float32), (len(done.placed) + 1, 1))
        else:
            stacked = _stacked(width, height)
            join = np.vstack if stacked else np.hstack
            picture, apart = join([original, result]), (0, height) if stacked else (width, 0)
            alpha = None if alpha is None else join([alpha, alpha])
            of_result = PixelBox(*apart, apart[0] + width, apart[1] + height)
            # The label takes an outer corner of the result, unless a face is there: a little of the inner ones is the
            # original's.
            inner = max(round(_INNER * min(width, height)), 2)
            beside = (width, height + inner) if stacked else (width + inner, height)
            of_original = np.array([[0, 0, *beside]], np.float32)
        frame.changes.clear()
        frame.picture, frame.alpha, frame.origin = picture, alpha, None
        boxes = done.placed.boxes_xyxy + np.tile(np.array(apart, np.float32), 2)
        # A compare is shown whole, also where a caption is written into it.
        view = None if done.view is None else PixelBox(0, 0, frame.width, frame.height)
        kept_clear = Faces(boxes_xyxy=np.concatenate([boxes, of_original]).astype(np.float32))
        return done._replace(faces=kept_clear, scale=1, view=view, result=of_result)


def compared(info: MediaInfo, how: Compare, max_pixels: int) -> MediaInfo:
    """What a file of compares is like.

    Args:
        info: What the results alone are like.
        how: In what way they are compared.
        max_pixels: Most pixels that a picture may have.

    Raises:
        InputError: original and result together are too large.
    """
    if how != "side-by-side":
        return info if how == "no" else replace(info, composed=True)
    stacked = _stacked(info.width, info.height)
    width, height = (1, 2) if stacked else (2, 1)
    both = replace(info, width=info.width * width, height=info.height * height, composed=True)
    try:
        check_size(info.path, both.width, both.height, max_pixels, Moving.of(info.kind))
        if info.kind is MediaKind.VIDEO:
            check_written(info.path, both.width, both.height, info.pixel_format, info.bit_depth)
    except InputError as fault:
        raise InputError(
            f"{info.path.name} and its result side by side are {both.width}x{both.height}: that is too large",
            "--wipe is only as large as the target; or make the target smaller.",
        ) from fault
    return both


def _stacked(width: int, height: int) -> bool:
    """Whether pictures of that size stand one above the other."""
    return width * _WIDEST[1] > height * _WIDEST[0]


def _result(frame: Frame, original: UInt8Array) -> UInt8Array:
    """The frame's picture; by the exact conversion, if that is what the original was made by."""
    if frame.origin is None:
        return frame.picture
    result = original.copy()
    return result if add_changes(result, frame) else frame.picture


def _wiped(original: UInt8Array, result: UInt8Array, seconds: float) -> UInt8Array:
    """The original left and the result right of a line, which is in the middle at 0 s and goes right from there."""
    height, width = result.shape[:2]
    line = round(width * (0.5 + _REACH * math.sin(2 * math.pi * seconds / _PERIOD)))
    half = max(round(min(height, width) * _LINE), 2) // 2
    picture = result.copy()
    picture[:, :line] = original[:, :line]
    picture[:, max(line - half, 0) : line + half] = 255
    return picture
