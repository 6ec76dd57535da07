"""What is in front of the target's face and stays there: glasses, a beard, a microphone, strands of hair, an object.

What comes in from outside the face and is much darker, brighter or of another colour than the skin around it hangs in
front of it; brows, lids and nostrils are dark, too, but do not come from outside. A hand has the face's own colour:
where hands are is known from their joints. Glasses are thin, and are looked for by themselves; so are beards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import cv2
import numpy as np

from understudy.arrays import BoolArray, FloatArray, UInt8Array
from understudy.each import Each
from understudy.glasses import glasses_seen, rims
from understudy.masking.base import View
from understudy.masking.beards import OwnBeard
from understudy.masking.hands import silhouette
from understudy.masking.lenses import Lenses
from understudy.masking.things import things_before

#: Faces with a shorter side below this are left as they are: nothing in front could be told.
_SMALLEST: Final = 16
#: Steps in which it is found where a place of the target is drawn.
_STEPS: Final = 2
#: Of so many pixels along each side of a face one is asked how far it moved.
_COARSE: Final = 4
#: Share of the face that hands may hide: joints that cover more of it are likelier a mistake, and would bare the face.
_MOST_HELD: Final = 0.6
#: Seconds between two looks for things: at 30 frames a second every other one.
_AGAIN: Final = 0.05
#: Seconds without a look after which nothing is known any more.
_FORGOTTEN: Final = 1.0
#: Seconds between two looks for glasses.
_EVERY: Final = 0.4
#: How much must be seen of glasses (see ``glasses_seen``), or of thick ones, to begin with, and to go on.
_WORN, _STILL_WORN = 0.36, 0.30


@dataclass(frozen=True)
class OcclusionOptions:
    """What is left in front of the face.

    Attributes:
        things: Whatever comes in from outside the face and does not look like its skin.
        glasses: The rims of glasses.
        hands: Hands.
        beards: Beard and moustache, under a face that has none of its own.
        faces: Other people's faces.
        seconds: Time constant with which the sight of glasses or of a beard is believed, or not any more.

    Raises:
        ValueError: a time below zero.
    """

    things: bool = True
    glasses: bool = True
    hands: bool = True
    beards: bool = True
    faces: bool = True
    seconds: float = 0.4

    def __post_init__(self) -> None:
        if not self.seconds >= 0:
            raise ValueError(f"times can't be below zero, and this is {self.seconds}")


class Occlusion:
    """What hides one person's face, and the memory of whether they wear glasses."""

    def __init__(self, options: OcclusionOptions | None = None) -> None:
        self.options = options or OcclusionOptions()
        self._worn = self._heavy = 0.0
        self._wears = self._thick = False
        self._lenses = Lenses()
        #: Where rims run, if that is known, and whether as thick ones.
        self._rims: BoolArray | None = None
        self._along_thick = False
        self._seconds: float | None = None
        self._things: UInt8Array | None = None
        self._searched = -np.inf
        self._beard = OwnBeard(self.options.seconds)

    def __call__(self, view: View) -> UInt8Array | None:
        """See ``Mask``."""
        patch, light = view.patch, view.light
        corner = np.array([patch.box.x0, patch.box.y0, 0], np.float32)
        drawn = patch.mesh if patch.warp is None else patch.warp.mesh
        return self.visible(
            view.frame.part(patch.box),
            patch.uv,
            light.tones,
            view.frame.seconds,
            [joints - corner[:2] for joints in view.hands],
            mesh=None if patch.over_beard else drawn - corner,
            field=None if patch.warp is None else patch.warp.field,
            patient=light.fresh,
            each=view.each,
        )

    def visible(
        self,
        target: UInt8Array,
        uv: FloatArray,
        tones: FloatArray,
        seconds: float,
        hands: Sequence[FloatArray] = (),
        *,
        mesh: FloatArray | None = None,
        field: FloatArray | None = None,
        patient: bool = False,
        each: Each = map,
    ) -> UInt8Array | None:
        """How much of the patch is to be shown where.

        Args:
            target: uint8 BGR (h, w, 3): the frame under the patch.
            uv: float32 (h, w, 2), 0-1: where on the flattened face each pixel lies; 0, 0 beside it.
            tones: float32 (G, G, 3): natural logarithm (of grey levels + 2) of the target's skin around each point of
                the flattened face.
            seconds: The frame's time; a step back or a long gap forgets what was.
            hands: The joints of hands, float32 (21, 2) each, in pixels of ``target``.
            mesh: float32 (478, 3): what the patch is drawn on, in pixels of ``target``; None where it covers beards.
            field: float32 (h, w, 2): ``Warp.field``; None where what is drawn has the target's own shape.
            patient: Whether this frame has enough to do: a search that has just come due waits for the next.
            each: Calls a function with each of several items: with what is looked for.

        Returns:
            uint8 (h, w): 255 shows the patch, 0 the frame; None where nothing is in front.
        """
        if min(target.shape[:2]) < _SMALLEST:
            return None

        def others() -> UInt8Array | None:
            return _together(
                self._before(target, uv, tones, field, seconds, patient=patient),
                self._glasses(target, uv, field, seconds),
                _held_up(target, uv, hands) if self.options.hands and hands else None,
            )

        if mesh is None or not self.options.beards:
            hidden = others()
        else:
            beard = partial(self._beard.hides, target, uv, mesh, seconds)
            looks: tuple[Callable[[], UInt8Array | None], ...] = (others, beard)
            # What is known already is not worth another thread.
            beside = each if self._beard.due(seconds) else map
            hidden = _together(*beside(lambda look: look(), looks))
        return None if hidden is None else np.asarray(255 - hidden, np.uint8)

    def _before(
        self,
        target: UInt8Array,
        uv: FloatArray,
        tones: FloatArray,
        field: FloatArray | None,
        seconds: float,
        *,
        patient: bool,
    ) -> UInt8Array | None:
        """Where things are: uint8 (h, w), 0-255; None where there are none."""
        if not self.options.things:
            return None
        if not 0 <= seconds - self._searched < (2 * _AGAIN if patient else _AGAIN):
            self._things, self._searched = things_before(target, uv, tones, field), seconds
        if self._things is None:
            return None
        size = (target.shape[1], target.shape[0])
        return np.asarray(cv2.resize(self._things, size, interpolation=cv2.INTER_LINEAR), np.uint8)

    def _glasses(
        self, target: UInt8Array, uv: FloatArray, field: FloatArray | None, seconds: float
    ) -> UInt8Array | None:
        """Where glasses' rims are: uint8 (h, w), 0-255; None where there are none."""
        if not self.options.glasses:
            return None
        step = None if self._seconds is None else seconds - self._seconds
        due = step is None or not 0 <= step < _EVERY
        if not (due or self._wears):
            return None
        uv = uv if field is None else _own(uv, field)
        if due:
            self._look(target, uv, step, seconds)
        return rims(target, uv, heavy=self._along_thick, only=self._rims) if self._wears else None

    def _look(self, target: UInt8Array, uv: FloatArray, step: float | None, seconds: float) -> None:
        """Look for glasses; believe it slowly."""
        seen = glasses_seen(target, uv)
        # Along the brows only rims that are surely thick are looked for: a brow is a thick line, too.
        heavy = glasses_seen(target, uv, thin=False) if seen > _STILL_WORN else 0.0
        if step is None or not 0 <= step < _FORGOTTEN:
            self._worn, self._heavy, self._wears, self._thick = seen, heavy, False, False
            self._lenses.forget()
        else:
            follow = float(1 - np.exp(-step / max(self.options.seconds, 1e-6)))
            self._worn += (seen - self._worn) * follow
            self._heavy += (heavy - self._heavy) * follow
        self._seconds = seconds
        self._wears = self._worn > (_STILL_WORN if self._wears else _WORN)
        self._thick = self._heavy > (_STILL_WORN if self._thick else _WORN)
        if self._wears:
            self._lenses.look(target, uv, heavy=self._thick)
            self._find_rims()
        else:
            self._lenses.forget()
            self._rims = None

    def _find_rims(self) -> None:
        """Where rims run. What looks thick may be wrinkles behind wire: then no thick line goes all the way round."""
        self._rims = self._lenses.rims(heavy=True) if self._thick else None
        self._along_thick = self._rims is not None
        if self._rims is None:
            self._rims = self._lenses.rims(heavy=False)
        if self._rims is None:
            self._along_thick = self._thick


def _own(uv: FloatArray, field: FloatArray) -> FloatArray:
    """Where on the target's own flattened face each pixel lies: glasses sit on it, not on the shape that is drawn."""
    size = (uv.shape[1], uv.shape[0])
    columns, rows = _places(size, size)
    few = (max(size[0] // _COARSE, 1), max(size[1] // _COARSE, 1))  # a shape moves smoothly
    here = _places(few, size)
    x, y = here
    for _ in range(1 + _STEPS):  # what is at p in the target is drawn at q, where q + field(q) = p
        there = cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        x, y = here[0] - there[:, :, 0], here[1] - there[:, :, 1]
    away = cv2.resize(there, size, interpolation=cv2.INTER_LINEAR)
    own = np.asarray(cv2.remap(uv, columns - away[:, :, 0], rows - away[:, :, 1], cv2.INTER_NEAREST), np.float32)
    beside = np.asarray(own[:, :, 0] == 0, np.uint8)
    return np.asarray(cv2.copyTo(uv, beside, own), np.float32)


def _places(count: tuple[int, int], size: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """The columns and rows, in a picture of a size (width, height), of so many places evenly spread over it."""
    across, down = (
        ((np.arange(n, dtype=np.float32) + np.float32(0.5)) * np.float32(whole / n) - np.float32(0.5))
        for n, whole in zip(count, size, strict=True)
    )
    columns, rows = np.meshgrid(across, down)
    return columns, rows


def _held_up(target: UInt8Array, uv: FloatArray, hands: Sequence[FloatArray]) -> UInt8Array | None:
    """Where hands are: uint8 (h, w), 0-255; None where there are none, or it can't be believed."""
    found = silhouette(hands, (target.shape[1], target.shape[0]))
    if found is None or float(found[face := uv.any(axis=2)].sum()) > _MOST_HELD * 255 * face.sum():
        return None
    return found


def _together(*hidden: UInt8Array | None) -> UInt8Array | None:
    """What any of them hides."""
    known = [one for one in hidden if one is not None]
    return np.maximum.reduce(known) if known else None
