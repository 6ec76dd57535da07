"""Somebody who is seen in a clip or picture, as they were found there."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.landmarks.reading import Reading


def _nothing() -> FloatArray:
    return np.zeros((0, 0), np.float32)


@dataclass(frozen=True, eq=False)
class ClipPerson:
    """One of the people of a clip. Two are equal only if they are the same object: numbers are a clip's own.

    Attributes:
        number: From 1; who is seen longest comes first.
        clip: SHA-256 of the file in which they were found, in hexadecimal.
        share: Of the frames that were looked at, in which they are seen, 0-1.
        first_seconds, last_seconds: When they are seen first and last, as far as was looked; None in a picture.
        center_xy: Where they are as a rule (median), as shares of the picture's width and height.
        size: Height of the face as a rule (median), as a share of the picture's.
        views: float32 (V, D), embeddings of them, one of each view; none of somebody who was never seen well enough.
            Embeddings are biometric: see ``casting.cast_file``.
        embedder: Whose embeddings, by name.
        thumbnail: uint8 BGR (H, W, 3): them where they are seen best; None if it was not kept.
        readings: What models that were asked guess of them, by name.
    """

    number: int
    clip: str
    share: float
    first_seconds: float | None
    last_seconds: float | None
    center_xy: tuple[float, float]
    size: float
    views: FloatArray = field(default_factory=_nothing)
    embedder: str = ""
    thumbnail: UInt8Array | None = None
    readings: tuple[Reading, ...] = ()

    @property
    def known(self) -> bool:
        """Whether they can be told from others."""
        return len(self.views) > 0
