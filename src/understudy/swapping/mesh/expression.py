"""What a mouth does, told from the shape of a face, and that shape with the mouth at rest.

Two motions change the lower face most: opening and smiling. How every point moves with each was measured on people who
talk and laugh (``tools/expressions.py``; figures in the lab book) and is data. How far a mouth is open is its gap; how
broadly it smiles follows from where its corners lie: higher than the lips, and further back.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Final

import numpy as np

from understudy.arrays import AnyArray, FloatArray
from understudy.geometry import topology as topo

#: Gap between the lips of a shut mouth as the mesh has it (distances of the eyes).
SHUT: Final = 0.01
#: Heights on the canonical face between which each motion fades in: what lies above does not take part.
FADES: Final = {
    "opening": (0.6, 0.95),  # from the tip of the nose to the upper lip
    "smiling": (0.4, 0.8),  # from the cheeks to the upper lip
}


@dataclass(frozen=True, eq=False)
class Motions:
    """How a face moves.

    Attributes:
        opening: float32 (478, 3): for each unit of gap between the lips.
        smiling: float32 (478, 3): by a full smile.
        smile_rule: float32 (3,): how much each of ``corners`` says of a smile, and a constant.
    """

    opening: FloatArray
    smiling: FloatArray
    smile_rule: FloatArray


@lru_cache(maxsize=1)
def motions() -> Motions:
    """The measured motions, read once."""
    data = json.loads(files("understudy.swapping.mesh").joinpath("expressions.json").read_text(encoding="utf-8"))
    found = Motions(*(np.asarray(data[name], np.float32) for name in ("opening", "smiling", "smile_rule")))
    for values in vars(found).values():
        values.flags.writeable = False
    return found


def gap(shape: AnyArray) -> AnyArray:
    """How far the lips are apart, (...), of shapes (..., 478, 3), in distances of the eyes."""
    return np.asarray(shape[..., topo.LIP_LOWER_INNER, 1] - shape[..., topo.LIP_UPPER_INNER, 1])


def shut(shape: AnyArray, opening: FloatArray) -> AnyArray:
    """Shapes (..., 478, 3) with the mouth shut: without so much of ``opening`` as their gap tells."""
    opened = np.maximum(gap(shape) - np.float32(SHUT), np.float32(0))
    return np.asarray(shape - opened[..., None, None] * opening)


def corners(shape: AnyArray) -> AnyArray:
    """Where the mouth's corners lie: how far above the upper lip's rim, and how far behind it.

    Args:
        shape: (..., 478, 3), the same on both sides, with the mouth shut.

    Returns:
        (..., 2), in distances of the eyes.
    """
    corner, upper = shape[..., topo.MOUTH_LEFT, :], shape[..., topo.LIP_UPPER_INNER, :]
    return np.stack([upper[..., 1] - corner[..., 1], corner[..., 2] - upper[..., 2]], axis=-1)


def smile(shape: FloatArray) -> float:
    """How broadly a face smiles, 0-1, as the blendshape model would say.

    Args:
        shape: float32 (478, 3), the same on both sides, with the mouth shut.
    """
    rule = motions().smile_rule
    return float(np.clip(corners(shape) @ rule[:2] + rule[2], 0, 1))


def at_rest(shape: FloatArray) -> FloatArray:
    """A shape (float32 (478, 3), the same on both sides) with the mouth shut and no smile."""
    known = motions()
    without = shut(shape, known.opening)
    return np.asarray(without - np.float32(smile(without)) * known.smiling, np.float32)
