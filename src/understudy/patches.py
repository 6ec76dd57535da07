"""Patches: what a swapping engine gives and blending writes into the frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from understudy.arrays import BoolArray, FloatArray, UInt8Array
from understudy.frames import PixelBox


class Warp(NamedTuple):
    """How the frame's own pixels are moved, so that a face takes another shape.

    Attributes:
        mesh: float32 (468, 3): where the face's mesh lies afterwards, in pixels of the frame.
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
        mesh: float32 (468, 3): the face's mesh in pixels of the frame, as it was found there.
        track_id: Whose patch it is.
        warp: How the frame under the patch is moved first; None: not at all.
        share: 0-1: how much of all that is shown.
    """

    picture: UInt8Array
    alpha: UInt8Array
    uv: FloatArray
    box: PixelBox
    mesh: FloatArray
    track_id: int
    warp: Warp | None = None
    share: float = 1.0

    @property
    def touched(self) -> BoolArray:
        """Bool (h, w): the pixels that blending may change."""
        shown = self.alpha > 0
        return shown if self.warp is None else shown | self.warp.field.any(axis=2)
