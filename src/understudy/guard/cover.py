"""What is done to a frame in which somebody must not be seen: earlier swaps held, regions and people blurred."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from understudy.arrays import BoolArray, FloatArray
from understudy.face import Faces
from understudy.frames import Frame, PixelBox
from understudy.patches import Patch, Warp

#: A region is blurred so much larger than the box it is known by, and so much more with every second of not knowing.
_MARGIN, _GROWTH, _MOST = 0.35, 0.8, 2.0


@dataclass(frozen=True, eq=False)
class Cover:
    """What is to be done to a frame.

    Attributes:
        held: Swaps of earlier frames, moved to where the faces are now.
        blurred: Regions to blur.
        people: bool (h, w), in cells that share out the frame: people to blur, of whom no face is known; None for
            nobody.
        whole: Blur all of it, and draw no swap of this frame.
        others: Whether somebody is blurred, besides, whom nobody wants to be seen.
        newcomers: What was found by looking for newcomers, if any of it is not swapped.
        misfits: Tracks whose mesh does not lie on their face: their swaps are not to be drawn.
        astray: Those of them for which that is so for several frames: they are better looked for anew.
    """

    held: tuple[Patch, ...] = ()
    blurred: tuple[PixelBox, ...] = ()
    people: BoolArray | None = None
    whole: bool = False
    others: bool = False
    newcomers: Faces | None = None
    misfits: frozenset[int] = frozenset()
    astray: frozenset[int] = frozenset()

    @property
    def any(self) -> bool:
        """Whether anything is covered."""
        return bool(self.held or self.blurred or self.people is not None or self.whole or self.others)


def moved(patch: Patch, by: FloatArray, frame: Frame) -> Patch | None:
    """A patch at another place, cut to the frame; None if nothing is left of it."""
    dx, dy = (round(float(step)) for step in by)
    box = PixelBox(patch.box.x0 + dx, patch.box.y0 + dy, patch.box.x1 + dx, patch.box.y1 + dy)
    inside = box.clipped(frame.width, frame.height)
    if inside.empty:
        return None
    rows = slice(inside.y0 - box.y0, inside.y1 - box.y0)
    columns = slice(inside.x0 - box.x0, inside.x1 - box.x0)
    shift, warp = np.array([dx, dy, 0], np.float32), patch.warp
    return replace(
        patch,
        picture=np.ascontiguousarray(patch.picture[rows, columns]),
        alpha=np.ascontiguousarray(patch.alpha[rows, columns]),
        uv=np.ascontiguousarray(patch.uv[rows, columns]),
        warp=None if warp is None else Warp(warp.mesh + shift, np.ascontiguousarray(warp.field[rows, columns])),
        box=inside,
        mesh=patch.mesh + shift,
    )


def grown(box: FloatArray, unseen: float) -> FloatArray:
    """The box with a margin that grows with the seconds since anything was seen there."""
    share = _MARGIN + _GROWTH * unseen
    width, height = box[2] - box[0], box[3] - box[1]
    return box + np.array([-width, -height, width, height], np.float32) * np.float32(min(share, _MOST))
