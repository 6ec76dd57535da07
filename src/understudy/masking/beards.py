"""The target's own beard: it stays in front of a face that has none.

Most of a beard lies on the face, the rest along the jaw and below it, where no patch reaches: a bare chin over it ends
in a dark edge. So what grows there stays, as glasses do, unless the face that is put over it brings a beard of its own.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.beard import LOOKED_AT, facial_hair
from understudy.geometry.unwrap import unwrap

#: Seconds between two looks: at first, and once there were so many. Nobody grows a beard, but a first sight may be bad.
_EVERY: Final = 0.4
_SETTLED: Final = 2.0
_ENOUGH: Final = 4
#: Seconds without a face after which nothing is known any more.
_FORGOTTEN: Final = 1.0
#: What covers less than this nowhere is none.
_LEAST: Final = 0.05


class OwnBeard:
    """One person's beard, as far as it is known.

    Args:
        seconds: Time constant with which the sight of one is believed, or not any more.
    """

    def __init__(self, seconds: float) -> None:
        self._time_constant = seconds
        self._hair: FloatArray | None = None
        self._looks = 0
        self._looked = self._last = -np.inf

    def hides(self, target: UInt8Array, uv: FloatArray, mesh: FloatArray, seconds: float) -> UInt8Array | None:
        """Where it is.

        Args:
            target: uint8 BGR (h, w, 3): the frame under the patch.
            uv: float32 (h, w, 2), 0-1: where on the flattened face each pixel lies; 0, 0 beside it.
            mesh: float32 (478, 3): the mesh that ``uv`` is drawn on, in pixels of ``target``.
            seconds: The frame's time; a step back or a long gap forgets what was.

        Returns:
            uint8 (h, w), 0-255; None where there is none.
        """
        due = self.due(seconds)
        if not 0 <= seconds - self._last < _FORGOTTEN:
            self._hair, self._looks = None, 0
        self._last = seconds
        if self._hair is None or due:
            self._hair = self._look(target, mesh, seconds)
            self._looks, self._looked = self._looks + 1, seconds
        if self._hair.max() < _LEAST:
            return None
        x, y = cv2.split(uv * np.float32(LOOKED_AT) - np.float32(0.5))
        here = cv2.remap(np.asarray(self._hair * np.float32(255), np.float32), x, y, cv2.INTER_LINEAR)
        return np.asarray(np.clip(here, 0, 255), np.uint8)

    def due(self, seconds: float) -> bool:
        """Whether it is looked for in a frame of that time: that takes long."""
        if self._hair is None or not 0 <= seconds - self._last < _FORGOTTEN:
            return True
        return seconds - self._looked >= (_EVERY if self._looks < _ENOUGH else _SETTLED)

    def _look(self, target: UInt8Array, mesh: FloatArray, seconds: float) -> FloatArray:
        """What is known of it with one more look: float32 (S, S), 0-1."""
        flat = unwrap(target, mesh, side=LOOKED_AT)
        seen = facial_hair(flat.texture, flat.seen)
        if self._hair is None:
            return seen
        # However long ago the last look was: one that is bad takes nothing off.
        follow = 1 - np.exp(-min(seconds - self._looked, _EVERY) / max(self._time_constant, 1e-6))
        # What turns away keeps what was seen of it.
        return np.asarray(self._hair + (seen - self._hair) * np.clip(2 * flat.seen, 0, 1) * follow, np.float32)
