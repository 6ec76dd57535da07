"""Patches: what a swapping engine gives and blending writes into the frame."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.arrays import FloatArray, UInt8Array
from understudy.frames import PixelBox


@dataclass(frozen=True, eq=False)
class Patch:
    """A small picture and its place in a frame.

    Attributes:
        picture: uint8 BGR (h, w, 3); undefined where ``alpha`` is 0.
        alpha: uint8 (h, w): 0 keeps the frame, 255 shows the patch.
        uv: float32 (h, w, 2), 0-1: where on the flattened face (``Topology.uv``) each pixel lies.
        box: The pixels of the frame that it covers; its size is the picture's.
        mesh: float32 (468, 3): the face's mesh in pixels of the frame.
        track_id: Whose patch it is.
    """

    picture: UInt8Array
    alpha: UInt8Array
    uv: FloatArray
    box: PixelBox
    mesh: FloatArray
    track_id: int
