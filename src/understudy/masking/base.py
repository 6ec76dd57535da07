"""What every mask does: it is given a patch over its frame, and says where the patch is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

import cv2
import numpy as np

from understudy.arrays import AnyArray, FloatArray, UInt8Array
from understudy.each import Each
from understudy.frames import Frame
from understudy.masking.options import MaskOptions
from understudy.patches import Light, Patch

#: Side of the maps on the flattened face that masks are made of.
FLAT: Final = 256
#: Shorter side of the masks that are made with them, in pixels at least, and less than twice as many at most.
_SIDE: Final = 160
#: In the place of a second map, where the first has both x and y.
_NOTHING: Final = np.zeros(0, np.float32)


@dataclass(eq=False)
class View:
    """A patch over the frame that it is put into.

    Attributes:
        frame: As it is before any patch is written into it; it is only read.
        patch: What is put over it.
        light: What was measured of the light on it.
        hands: The joints of hands, float32 (21, 2) each, in pixels of the frame.
        each: Calls a function with each of several items.
        before: The meshes of faces that are in front of this one, float32 (478, 3) each, in pixels of the frame.
    """

    frame: Frame
    patch: Patch
    light: Light
    hands: Sequence[FloatArray] = ()
    each: Each = map
    before: Sequence[FloatArray] = ()

    def where_drawn(self, flat: UInt8Array) -> UInt8Array:
        """A map of the flattened face as it lies on the face that the patch draws.

        Args:
            flat: uint8 (FLAT, FLAT).

        Returns:
            uint8 (h', w'): the patch's size over ``step``.
        """
        return np.asarray(sampled(flat, self._places), np.uint8)

    def where_it_was(self, drawn: UInt8Array) -> UInt8Array:
        """What ``where_drawn`` gave, as it lies on the target's own face: the same, unless the patch reshapes it.

        To first order: a pixel moves by what the pixel that comes to lie on it moves by.
        """
        return drawn if self._before is None else np.asarray(sampled(drawn, self._before), np.uint8)

    def in_full(self, mask: UInt8Array) -> UInt8Array:
        """A mask of the patch's size over ``step``, at the patch's size: uint8 (h, w)."""
        height, width = self.patch.alpha.shape
        if mask.shape == (height, width):
            return mask
        return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)

    @cached_property
    def step(self) -> int:
        """Masks are made of every so many pixels: their edges are soft, and a large face costs no more than a small."""
        height, width = self.patch.alpha.shape
        return max(1, min(int(height), int(width)) // _SIDE)

    @cached_property
    def _some(self) -> slice:
        return slice(self.step // 2, None, self.step)

    @cached_property
    def _places(self) -> FloatArray:
        """Where on a map each pixel lies: float32 (h', w', 2), in texels, the first one's middle at 0."""
        uv = np.ascontiguousarray(self.patch.uv[self._some, self._some])
        return np.asarray(uv * np.float32(FLAT) - np.float32(0.5), np.float32)

    @cached_property
    def _before(self) -> FloatArray | None:
        """Where in a mask what lay at each pixel comes to lie: float32 (h', w', 2)."""
        if self.patch.warp is None:
            return None
        field = self.patch.warp.field[self._some, self._some]
        rows, columns = field.shape[:2]
        places = field * np.float32(-1 / self.step)
        places[:, :, 0] += np.arange(columns, dtype=np.float32)
        places[:, :, 1] += np.arange(rows, dtype=np.float32)[:, None]
        return np.asarray(places, np.float32)


def sampled(values: UInt8Array | FloatArray, places: FloatArray) -> AnyArray:
    """Values between those of a map, and its outermost ones beyond it.

    Args:
        values: uint8 or float32 (H, W).
        places: float32 (h, w, 2): x and y in the map, the first value's middle at 0.

    Returns:
        Of the same type, (h, w).
    """
    found = cv2.remap(values, places, _NOTHING, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, values.dtype)


class Mask(Protocol):
    """One mask of one person, and whatever it remembers of them. A new shot has a new one."""

    def __call__(self, view: View) -> UInt8Array | None:
        """Where the patch is seen.

        Returns:
            uint8 of the patch's size: 255 shows the patch, 0 the frame; None where all of it is seen.
        """
        ...


class MaskModel(Protocol):
    """A model that sees what of a face is to be shown. For any number of clips and threads."""

    @property
    def template(self) -> FloatArray:
        """Where the five keypoints lie in its crop: float32 (5, 2), in units of the crop's side."""
        ...

    @property
    def size(self) -> int:
        """The crop's side in pixels."""
        ...

    def visible(self, crop: UInt8Array, face: float, options: MaskOptions) -> FloatArray | None:
        """What is to be shown of a face.

        Args:
            crop: uint8 BGR (S, S, 3), aligned.
            face: The longer side of the face's mesh, in pixels of the crop.
            options: What of it is asked for.

        Returns:
            float32 (S, S), 0-1; None where the model gave what are no numbers.

        Raises:
            ModelError: it failed, or is another model than its entry says.
        """
        ...
