"""Scenes of several people before a camera: who is where, and what of each face can be seen, is known exactly.

People are puppets, cut out of their portraits; they stand before and behind each other, behind things, in any light.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from understudy.arrays import BoolArray, FloatArray, IntArray, UInt8Array
from understudy.geometry import topology as topo
from understudy.geometry.transforms import resized
from understudy.resources.perception import Perception
from understudy.testing.motion import REST, Motion
from understudy.testing.portraits import portrait
from understudy.testing.puppet import Puppet

#: Vertices of the nose: bridge, tip, base and wings.
_NOSE = np.array([168, 1, 2, 98, 327], np.int32)
#: Side of the pictures that actors are drawn in, and the height of the face there over that side.
_SIDE, _SHARE = 480, 0.4
#: A pixel shows detail where its brightness differs by more than this from that around it, and is as it was when it
#: changed by no more than this (the invisible mark changes it, too): grey levels in good light, and over the range of a
#: face's brightness in little. With a range below the last nothing can be seen of it.
_DETAIL, _SAME, _DETAIL_SHARE, _SAME_SHARE, _VISIBLE = 4.0, 5.0, 0.06, 0.08, 8.0
#: Raw is a face of which so much can be seen, if this share of what shows detail is as it was.
_SEEN, _RAW = 0.15, 0.5


class Actor:
    """Somebody who can be put into a picture.

    Args:
        portrait: uint8 BGR (H, W, 3).
    """

    def __init__(self, portrait: UInt8Array) -> None:
        self._puppet = Puppet(
            portrait, (_SIDE, _SIDE), face_share=_SHARE, perception=Perception.embedded(), cutout=True
        )
        low, high = self._puppet.rest[:, :2].min(0), self._puppet.rest[:, :2].max(0)
        self._middle, self._height = (low + high) / 2, float(high[1] - low[1])

    def drawn(
        self, at: tuple[float, float], height: float, motion: Motion, size: tuple[int, int]
    ) -> tuple[UInt8Array, FloatArray, FloatArray]:
        """The actor on a canvas of ``size``.

        Args:
            at: Where the middle of the resting face lies, in pixels of the canvas.
            height: Of the face, in pixels.
            motion: What the actor does.
            size: Width and height of the canvas.

        Returns:
            uint8 BGR (H, W, 3); float32 (H, W), 0-1: where the actor is; float32 (478, 3): the mesh.
        """
        shot = self._puppet.render(motion)
        assert shot.cutout is not None
        scale = height / self._height
        shift = np.array(at) - scale * self._middle
        smaller, shape, again = shot.picture, shot.cutout, 1.0
        while scale * again < 0.5:
            half = (smaller.shape[1] // 2, smaller.shape[0] // 2)
            smaller, shape, again = resized(smaller, half), resized(shape, half), again * 2
        step = scale * again
        matrix = np.array([[step, 0, shift[0] + step * 0.5 - 0.5], [0, step, shift[1] + step * 0.5 - 0.5]])
        picture = cv2.warpAffine(smaller, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        there = cv2.warpAffine(shape, matrix, size, flags=cv2.INTER_LINEAR)
        mesh = shot.mesh * np.float32(scale)
        mesh[:, :2] += shift.astype(np.float32)
        return np.asarray(picture, np.uint8), np.asarray(there, np.float32) / np.float32(255), mesh


def _features() -> IntArray:
    """The vertices of brows, eyes, nose and mouth: what a face is known by."""
    shape = topo.topology()
    brows, eyes = [shape.brow_left, shape.brow_right], [shape.eye_left, shape.eye_right]
    return np.concatenate([*brows, *eyes, shape.lips_outer, _NOSE])


@lru_cache(maxsize=1)
def actors() -> tuple[Actor, ...]:
    """Four people, out of the two portraits: as they are, and each mirrored with other colours."""
    people = []
    for name in ("hopper", "astronaut"):
        picture = portrait(name)
        people.append(Actor(picture))
        darker = cv2.LUT(picture, (255 * (np.arange(256) / 255) ** 1.5).astype(np.uint8)[:, None].repeat(3, 1)[None])
        people.append(Actor(np.ascontiguousarray(darker[:, ::-1])))
    return tuple(people)


def spotted() -> UInt8Array:
    """A portrait with spots, uint8 BGR (H, W, 3): a face that no actor has, so that a swap shows on each of them."""
    picture = portrait("hopper")
    y, x = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]] * (2 * np.pi / 40)
    spots = (np.sin(x) * np.sin(y) > 0.25)[..., None]
    return np.where(spots, picture * np.array([0.8, 0.7, 0.75]), picture).astype(np.uint8)


class Placed(NamedTuple):
    """An actor in a scene (see ``Actor.drawn``)."""

    actor: int
    at: tuple[float, float]
    height: float
    motion: Motion = REST


class Thing(NamedTuple):
    """A thing in a scene, which hides what is behind it.

    Attributes:
        picture: uint8 BGR (H, W, 3), of the scene's size, or one colour.
        opacity: float32 (H, W), 0-1.
    """

    picture: UInt8Array | tuple[int, int, int]
    opacity: FloatArray


#: Whatever changes a finished picture: light, noise, a blur.
Light = Callable[[FloatArray], FloatArray]


class FaceTruth(NamedTuple):
    """A face in a scene.

    Attributes:
        actor: Whose.
        mesh: float32 (478, 3), in pixels.
        visible: bool (H, W): where the face can be seen: from the brows to the lower lip.
        seen: 0-1: how much of it that is.
    """

    actor: int
    mesh: FloatArray
    visible: BoolArray
    seen: float


class SceneFrame(NamedTuple):
    """A picture and the truth about it.

    Attributes:
        picture: uint8 BGR (H, W, 3).
        faces: Whoever is in it, from the back to the front.
    """

    picture: UInt8Array
    faces: tuple[FaceTruth, ...]


@dataclass(frozen=True, eq=False)
class Scene:
    """One moment, from the back to the front.

    Attributes:
        backdrop: uint8 BGR (H, W, 3).
        layers: Who and what is before it.
        light: Applied last, to float32 BGR (H, W, 3), 0-255.
    """

    backdrop: UInt8Array
    layers: Sequence[Placed | Thing] = ()
    light: Light | None = None

    def draw(self) -> SceneFrame:
        """The picture."""
        height, width = self.backdrop.shape[:2]
        picture = self.backdrop.astype(np.float32)
        found: list[tuple[int, FloatArray, FloatArray, float]] = []
        for layer in self.layers:
            if isinstance(layer, Placed):
                drawn, opacity, mesh = actors()[layer.actor].drawn(
                    layer.at, layer.height, layer.motion, (width, height)
                )
            else:
                drawn, opacity = np.broadcast_to(np.asarray(layer.picture, np.uint8), picture.shape), layer.opacity
            picture += (drawn - picture) * opacity[..., None]
            found = [(actor, mesh_, shown * (1 - opacity), whole) for actor, mesh_, shown, whole in found]
            if isinstance(layer, Placed):
                hull = cv2.convexHull(mesh[_features(), :2].astype(np.float32))[:, 0]
                shape = np.zeros((height, width), np.uint8)
                cv2.fillConvexPoly(shape, np.round(hull * 16).astype(np.int32), 255, shift=4)
                area = float(cv2.contourArea(hull))
                found.append((layer.actor, mesh, shape.astype(np.float32) / np.float32(255), area))
        if self.light is not None:
            picture = self.light(picture)
        faces = tuple(
            FaceTruth(actor, mesh, np.asarray(shown > 0.5), float((shown > 0.5).sum()) / max(area, 1.0))
            for actor, mesh, shown, area in found
        )
        return SceneFrame(np.clip(picture + 0.5, 0, 255).astype(np.uint8), faces)


def unchanged(before: UInt8Array, after: UInt8Array, face: FaceTruth) -> float:
    """How much of what shows detail in a face is as it was: 0-1; 0 where too little can be seen.

    Args:
        before: uint8 BGR (H, W, 3): as it came.
        after: uint8 BGR (H, W, 3): as it is shown.
        face: One of the scene's.
    """
    if face.seen < _SEEN:
        return 0.0
    size = float(np.ptp(face.mesh[:, 1]))
    sigma = max(size / 16, 1.0)
    part = _around(face.visible, math.ceil(4 * sigma) + 2)  # OpenCV's blur ends there
    before, after = before[part], after[part]
    inner = cv2.erode(face.visible[part].astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    grey = cv2.cvtColor(before, cv2.COLOR_BGR2GRAY).astype(np.float32)
    span = float(np.subtract(*np.percentile(grey[inner], [98, 2]))) if inner.any() else 0.0
    if span < _VISIBLE:
        return 0.0
    around = cv2.GaussianBlur(grey, (0, 0), sigma)
    detail = inner & (np.abs(grey - around) > min(_DETAIL, _DETAIL_SHARE * span))
    if detail.sum() < 0.02 * size * size * _SEEN + 4:
        return 0.0
    same = cv2.absdiff(before[detail], after[detail]).max(axis=1) <= min(_SAME, _SAME_SHARE * span)
    return float(same.mean())


def _around(where: BoolArray, margin: int) -> tuple[slice, slice]:
    """Rows and columns of what is true in (H, W), and of so many pixels around it."""
    spans = []
    for axis in (1, 0):
        found = np.flatnonzero(where.any(axis=axis))
        spans.append(slice(max(int(found[0]) - margin, 0), int(found[-1]) + margin + 1) if len(found) else slice(0, 0))
    return spans[0], spans[1]


def is_raw(before: UInt8Array, after: UInt8Array, face: FaceTruth) -> bool:
    """Whether a face is shown as it is (see ``unchanged``)."""
    return unchanged(before, after, face) > _RAW
