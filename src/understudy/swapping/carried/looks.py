"""How a face looks at one moment, and how far it has moved since: what a texture was made of wears out with that."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from understudy.arrays import FloatArray, IntArray
from understudy.frames import Frame
from understudy.geometry.pose import Posed
from understudy.geometry.topology import topology
from understudy.tones import LUMA

#: Cells along each side of the flattened face over which light is averaged.
_CELLS: Final = 3


class Look(NamedTuple):
    """A face at one moment.

    Attributes:
        seconds: The frame's time.
        ahead: float32 (3,): where the head points, of length 1. A head that is merely tilted points where it did.
        features: float32 (K, 3): the lips and brows in the head's own frame, in distances of the eyes.
        light: float32 (9,): natural logarithm of luminance (0-255), by part of the face.
    """

    seconds: float
    ahead: FloatArray
    features: FloatArray
    light: FloatArray


class Limits(NamedTuple):
    """How far a face may move until a texture of it is worn out.

    Attributes:
        frames: The age of the texture, in frames.
        degrees: By how much the head turns.
        features: By how much lips and brows move, root mean square, in distances of the eyes.
        light: By how much its light changes, as a mean natural logarithm.
    """

    frames: int
    degrees: float
    features: float
    light: float


def look_of(frame: Frame, mesh: FloatArray, pose: Posed) -> Look:
    """How a face looks in a frame.

    Args:
        frame: The frame; it is only read.
        mesh: float32 (478, 3), in its pixels; all finite.
        pose: The mesh's.
    """
    shape, cells = topology(), _cells()
    expressive = np.concatenate([shape.lips_outer, shape.lips_inner, shape.brow_left, shape.brow_right])
    x = np.clip(mesh[: len(cells), 0], 0, frame.width - 1).astype(np.int32)
    y = np.clip(mesh[: len(cells), 1], 0, frame.height - 1).astype(np.int32)
    tones = np.log(frame.picture[y, x] @ LUMA + np.float32(4))
    light = np.bincount(cells, tones, _CELLS**2) / np.maximum(np.bincount(cells, minlength=_CELLS**2), 1)
    return Look(frame.seconds, pose.turn[:, 2], pose.shape[expressive], np.asarray(light, np.float32))


def worn(before: Look, now: Look, frames: int, limits: Limits) -> float:
    """How far a texture is worn out: from 1 on it should be made anew.

    Args:
        before: The face that it was made of.
        now: The face as it is.
        frames: How many frames lie between them.
        limits: See there.
    """
    turned = np.degrees(np.arccos(np.clip(before.ahead @ now.ahead, -1, 1)))
    expressed = np.sqrt(np.mean(np.sum((before.features - now.features) ** 2, axis=1)))
    relit = np.abs(before.light - now.light).mean()
    return float(
        max(
            frames / limits.frames,
            turned / limits.degrees,
            expressed / limits.features,
            relit / limits.light,
        )
    )


@lru_cache(maxsize=1)
def _cells() -> IntArray:
    """The part of the flattened face that each vertex of the surface lies in, int32 (468,)."""
    uv = topology().uv[:468]
    low, high = uv.min(0), uv.max(0)
    cells = np.clip((uv - low) / (high - low) * _CELLS, 0, _CELLS - 1).astype(np.int32)
    return np.asarray(cells[:, 1] * _CELLS + cells[:, 0], np.int32)
