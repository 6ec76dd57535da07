"""Patches: what a swapping engine gives and blending writes into the frame, and the light that they are shown in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from understudy.arrays import BoolArray, FloatArray, UInt8Array
from understudy.frames import PixelBox


class Warp(NamedTuple):
    """How the frame's own pixels are moved, so that a face takes another shape.

    Attributes:
        mesh: float32 (478, 3): where the face's mesh lies afterwards, in pixels of the frame.
        field: float32 (h, w, 2): how far from each pixel of the patch (right and down, in pixels) its new content
            lies. 0 keeps a pixel.
    """

    mesh: FloatArray
    field: FloatArray


@dataclass(frozen=True, eq=False)
class Patch:
    """A small picture and its place in a frame.

    Attributes:
        picture: uint8 BGR (h, w, 3); where ``alpha`` is 0 only the pixels next to what is shown are of any account.
        alpha: uint8 (h, w): 0 keeps the frame, 255 shows the patch.
        uv: float32 (h, w, 2), 0-1: where on the flattened face (``Topology.uv``) each pixel lies.
        box: The pixels of the frame that it covers; its size is the picture's.
        mesh: float32 (478, 3): the face's mesh in pixels of the frame, as it was found there.
        track_id: Whose patch it is.
        warp: How the frame under the patch is moved first; None: not at all.
        share: 0-1: how much of all that is shown.
        lit: Whether it is to be shown in the frame's light; else it keeps its own colours.
        over_beard: Whether it covers the frame's own beard, for it shows one itself or knows of the frame's; else that
            beard stays in front.
        flat: Whether the light was taken off it, so that what is dark on it has the colour of what is not: in the
            frame's light pale skin is more colourful there (see ``blending.shadows``).
    """

    picture: UInt8Array
    alpha: UInt8Array
    uv: FloatArray
    box: PixelBox
    mesh: FloatArray
    track_id: int
    warp: Warp | None = None
    share: float = 1.0
    lit: bool = True
    over_beard: bool = True
    flat: bool = False

    @property
    def touched(self) -> BoolArray:
        """Bool (h, w): the pixels that blending may change."""
        shown = self.alpha > 0
        return shown if self.warp is None else shown | self.warp.field.any(axis=2)


class Light(NamedTuple):
    """What was measured of the light under a patch, on a grid of G x G points of the flattened face.

    Attributes:
        coefficients: float32 (G, G, 7): how the patch is recoloured (see ``blending.light``).
        tones: float32 BGR (G, G, 3): natural logarithm (of grey levels + 2) of the target's skin around each point.
        fresh: Whether it was measured in this frame, or an earlier measurement still holds.
    """

    coefficients: FloatArray
    tones: FloatArray
    fresh: bool


class PatchMask(NamedTuple):
    """Where a patch is seen. Both are uint8 of its size; None is 255 everywhere.

    Attributes:
        in_front: 255 shows the patch, 0 what is in front of the face, which nothing moves.
        chosen: 255 where the face is to be swapped, 0 where it stays as it is.
    """

    in_front: UInt8Array | None = None
    chosen: UInt8Array | None = None

    @property
    def shown(self) -> UInt8Array | None:
        """The product of both."""
        return product(self)


def product(masks: Sequence[UInt8Array | None]) -> UInt8Array | None:
    """Masks multiplied: uint8 (h, w), 0-255; None, as each of them may be, is 255 everywhere."""
    result: UInt8Array | None = None
    for mask in masks:
        if mask is not None:
            result = mask if result is None else np.asarray(cv2.multiply(result, mask, scale=1 / 255), np.uint8)
    return result
