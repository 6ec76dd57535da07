"""The content classifier that the package carries: Yahoo's open_nsfw (J. Mahadeokar and G. Pesavento, 2016).

It says nothing of ages. How often it is right about intimate pictures was not measured here, for there are none here;
what it says of ordinary ones stands in docs/lab-book.md.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from understudy.arrays import UInt8Array
from understudy.errors import ModelError
from understudy.models.embedded_onnx import OnnxModel

#: File name under ``understudy/models/embedded``.
FILE: Final = "open_nsfw.onnx"
#: What it was trained with: pictures squeezed to a square of so many pixels, of which the middle is looked at. Without
#: the crop, close faces look twice as intimate to it (docs/lab-book.md); what is lost is a sixteenth at each edge.
_SQUEEZED, _SIDE = 256, 224
#: The mean of its training, blue first.
_MEAN: Final = (104.0, 117.0, 123.0)


class OpenNsfw:
    """A ``ContentClassifier``, shared by all clips and threads.

    Raises:
        ModelError: the package was installed without it, or it is damaged.
    """

    name: Final = "open_nsfw"

    def __init__(self) -> None:
        self._model = OnnxModel(FILE)

    def intimate(self, picture: UInt8Array) -> float:
        """See ``ContentClassifier``. The whole picture is looked at, squeezed to a square, but for its very edges."""
        edge = (_SQUEEZED - _SIDE) // 2
        middle = squeezed(picture)[edge : edge + _SIDE, edge : edge + _SIDE]
        planes = cv2.dnn.blobFromImage(middle, 1.0, (_SIDE, _SIDE), _MEAN)
        two = self._model.run(np.asarray(planes, np.float32)).reshape(-1)
        if len(two) != len(("not", "intimate")):
            raise ModelError(f"the embedded model {FILE} gives no two numbers", "Install the package again with pip.")
        return float(two[1])


def squeezed(picture: UInt8Array) -> UInt8Array:
    """A picture (uint8 BGR, (H, W, 3)) made a square, as large as the network was trained with.

    It is halved first, as often as that goes without a rest: OpenCV does that in a tenth of the time of any other
    shrinking, which of a frame of 720p takes an eighth of a look, of one of 2160p half of it.
    """
    while min(picture.shape[:2]) >= 2 * _SQUEEZED and not any(side % 2 for side in picture.shape[:2]):
        height, width = picture.shape[:2]
        picture = _shrunk(picture, width // 2, height // 2)
    return _shrunk(picture, _SQUEEZED, _SQUEEZED)


def _shrunk(picture: UInt8Array, width: int, height: int) -> UInt8Array:
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
