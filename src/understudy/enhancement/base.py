"""What enhances: models of two kinds behind one seam each, and the swapped face that they work on."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.frames import PixelBox


class Restorer(Protocol):
    """Makes an aligned crop of a face better. For several threads.

    Attributes:
        size: Side of its crops, in pixels.
        template: float32 (5, 2): where the five keypoints lie in them, in units of the side.
        border: What lies in them beyond the picture's edge: blue, green and red, 0-255.
    """

    size: int
    template: FloatArray
    border: tuple[int, int, int]

    def restored(self, crop: UInt8Array, weight: float) -> UInt8Array | None:
        """The crop, restored, of the same size; None where the model gave what are no numbers, or one colour.

        Args:
            crop: uint8 BGR (size, size, 3).
            weight: How true it stays to the crop, for models that ask: 0-1.
        """
        ...


class Upscaler(Protocol):
    """Makes pictures larger. For several threads.

    Attributes:
        scale: How many times as large.
    """

    scale: int

    def upscaled(self, picture: UInt8Array) -> UInt8Array:
        """The picture, uint8 BGR (h * scale, w * scale, 3).

        Args:
            picture: uint8 BGR (h, w, 3).
        """
        ...


class SwappedFace(NamedTuple):
    """One face of a frame after the swap.

    Attributes:
        box: The pixels of the frame in which it lies.
        shown: uint8 of the box's size: 255 where the swap is seen in full, 0 where the frame is or what is before it.
        mesh: float32 (478, 3): where the face that is seen lies, in pixels of the frame.
        track_id: Whose.
    """

    box: PixelBox
    shown: UInt8Array
    mesh: FloatArray
    track_id: int

    def scaled(self, scale: int) -> SwappedFace:
        """The same in a frame that is so many times as large."""
        size = (self.shown.shape[1] * scale, self.shown.shape[0] * scale)
        shown = np.asarray(cv2.resize(self.shown, size, interpolation=cv2.INTER_LINEAR), np.uint8)
        box = PixelBox(*(side * scale for side in self.box))
        return SwappedFace(box, shown, self.mesh * np.float32(scale), self.track_id)
