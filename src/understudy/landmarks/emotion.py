"""Which emotion's expression a face shows, read off its blendshapes. A guess about a face, not about what is felt.

The rules are short forms of the prototypes of EMFACS (Friesen and Ekman, 1983) and the Facial Action Coding System's
Investigator's Guide (Ekman, Friesen and Hager, 2002): happy 6+12, sad 1+4 with 15 or 17, surprised 1+2 with 5 or 26,
angry 4 with 5 or 7 and 23 or 24, disgusted 9 or 10 with 16 or 17, afraid 1+2+4 with 5 and 20. The numbers are action
units; each is the blendshape that is commonly taken for it. For 23 there is none, and the embedded model always gives 0
for 6 (``cheekSquint``) and 9 (``noseSneer``): so happy is told by 12 alone, and disgusted by 10.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from understudy.arrays import FloatArray
from understudy.face import BLENDSHAPES
from understudy.landmarks.blendshapes import NAMES

#: What ``emotions`` gives, in this order.
EMOTIONS: Final = ("neutral", "happy", "sad", "surprised", "angry", "disgusted", "afraid")


class Unit(NamedTuple):
    """An action unit as blendshapes have it.

    Attributes:
        names: The blendshapes that it is the mean of: left and right, where there are two.
        full: The score of a unit that is there in full: about the most that the embedded model gives in clips of
            people who talk and grimace, and a half where nobody made that face.
    """

    names: tuple[str, ...]
    full: float


def _sides(stem: str) -> tuple[str, str]:
    return f"{stem}Left", f"{stem}Right"


#: Action units by their numbers.
UNITS: Final = {
    1: Unit(("browInnerUp",), 0.9),
    2: Unit(_sides("browOuterUp"), 0.9),
    4: Unit(_sides("browDown"), 0.5),
    5: Unit(_sides("eyeWide"), 0.5),
    7: Unit(_sides("eyeSquint"), 0.7),
    10: Unit(_sides("mouthUpperUp"), 0.8),
    12: Unit(_sides("mouthSmile"), 0.9),
    15: Unit(_sides("mouthFrown"), 0.5),
    16: Unit(_sides("mouthLowerDown"), 0.6),
    17: Unit(("mouthShrugLower",), 0.3),
    20: Unit(_sides("mouthStretch"), 0.3),
    24: Unit(_sides("mouthPress"), 0.3),
    26: Unit(("jawOpen",), 0.8),
}


class Rule(NamedTuple):
    """How an emotion is told: as much as the least of what it takes, less what speaks against it.

    Attributes:
        takes: Action units; of several in brackets, the strongest.
        against: Units whose strongest takes its share away.
    """

    takes: tuple[tuple[int, ...], ...]
    against: tuple[int, ...] = ()


#: The rules, for all emotions but neutral, in the order of ``EMOTIONS``.
RULES: Final = {
    "happy": Rule(((12,),), against=(15,)),
    "sad": Rule(((1,), (4,), (15, 17)), against=(12, 26)),
    "surprised": Rule(((1,), (2,), (5, 26)), against=(4, 20)),
    "angry": Rule(((4,), (5, 7), (24,)), against=(1, 12)),
    "disgusted": Rule(((10,), (16, 17)), against=(1, 12)),
    "afraid": Rule(((1,), (2,), (4,), (5,), (20,)), against=(12,)),
}


def emotions(blendshapes: FloatArray) -> FloatArray:
    """Which emotions' expressions faces show.

    A face that shows none of them is neutral, and as much less so as it shows one.

    Args:
        blendshapes: float32 (N, 52), 0-1, by ``blendshapes.NAMES``.

    Returns:
        float32 (N, 7), 0-1, by ``EMOTIONS``; they need not add up to 1. A row of NaN where the scores are not numbers.

    Raises:
        ValueError: the scores have another shape.
    """
    if blendshapes.shape[1:] != (BLENDSHAPES,):
        raise ValueError(f"blendshapes have the shape (N, {BLENDSHAPES}), not {blendshapes.shape}")
    units = {number: _intensity(blendshapes, unit) for number, unit in UNITS.items()}
    shown = []
    for rule in RULES.values():
        parts = [np.maximum.reduce([units[number] for number in one]) for one in rule.takes]
        spared = 1 - np.maximum.reduce([units[number] for number in rule.against])
        shown.append(np.minimum.reduce(parts) * spared)
    found = np.stack([1 - np.maximum.reduce(shown), *shown], axis=1).astype(np.float32)
    found[~np.isfinite(blendshapes).all(axis=1)] = np.nan
    return found


def _intensity(blendshapes: FloatArray, unit: Unit) -> FloatArray:
    """How strong an action unit is: float32 (N,), 0-1."""
    columns = [NAMES.index(name) for name in unit.names]
    return np.asarray(np.minimum(blendshapes[:, columns].mean(axis=1) / unit.full, 1), np.float32)
