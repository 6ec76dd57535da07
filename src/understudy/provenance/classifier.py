"""The content classifier of the catalogue, which neural engines ask, too: a small vision transformer."""

from __future__ import annotations

import cv2
import numpy as np

from understudy.arrays import UInt8Array
from understudy.errors import ModelError
from understudy.models.conventions import blob
from understudy.models.session import Session


class IntimacyClassifier:
    """A ``ContentClassifier`` with two numbers: intimate, and not.

    Args:
        session: The open model.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def name(self) -> str:
        """See ``ContentClassifier``."""
        return self._session.entry.name

    def intimate(self, picture: UInt8Array) -> float:
        """See ``ContentClassifier``. The whole picture is looked at, squeezed to a square."""
        how = self._session.entry.input
        small = np.asarray(cv2.resize(picture, (how.size, how.size), interpolation=cv2.INTER_AREA), np.uint8)
        values, *_ = self._session.run({self._session.inputs[0]: blob(small, how)})
        two = values.reshape(-1).astype(np.float64)
        if len(two) != len(("intimate", "not")) or not np.isfinite(two).all():
            raise ModelError(f"{self.name} gives no two numbers", "Fetch it again: without it nothing is swapped.")
        # Some exports end in a softmax, some before it.
        if not ((two >= 0).all() and abs(two.sum() - 1) < 1e-3):
            two = np.exp(two - two.max())
        return float(two[0] / two.sum())
