"""The content classifier that the package carries: Yahoo's open_nsfw (J. Mahadeokar and G. Pesavento, 2016).

It says nothing of ages. How often it is right about intimate pictures was not measured here, for there are none here;
what it says of ordinary ones stands in docs/lab-book.md.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from understudy.arrays import UInt8Array
from understudy.errors import ModelError
from understudy.models.silence import silence

if TYPE_CHECKING:
    from understudy.models.embedded_onnx import OnnxModel

#: File name under ``understudy/models/embedded``.
FILE: Final = "open_nsfw.onnx"
#: What it was trained with: pictures squeezed to a square of so many pixels, of which the middle is looked at. Without
#: the crop, close faces look twice as intimate to it (docs/lab-book.md); what is lost is a sixteenth at each edge.
_SQUEEZED, _SIDE = 256, 224
#: The mean of its training, blue first.
_MEAN: Final = (104.0, 117.0, 123.0)


class OpenNsfw:
    """A ``ContentClassifier``, shared by all clips and threads. It opens in a thread, while the photos are read."""

    name: Final = "open_nsfw"

    def __init__(self) -> None:
        silence()
        opener = ThreadPoolExecutor(1, "open")
        self._model: Future[OnnxModel] = opener.submit(_opened)
        opener.shutdown(wait=False)

    def intimate(self, picture: UInt8Array) -> float:
        """See ``ContentClassifier``. The whole picture is looked at, squeezed to a square, but for its very edges.

        Raises:
            ModelError: the package was installed without it, or it is damaged.
        """
        small = cv2.resize(picture, (_SQUEEZED, _SQUEEZED), interpolation=cv2.INTER_AREA)
        edge = (_SQUEEZED - _SIDE) // 2
        middle = small[edge : edge + _SIDE, edge : edge + _SIDE].astype(np.float32) - np.array(_MEAN, np.float32)
        planes = np.ascontiguousarray(middle.transpose(2, 0, 1)[None], np.float32)
        two = self._model.result().run(planes).reshape(-1)
        if len(two) != len(("not", "intimate")):
            raise ModelError(f"the embedded model {FILE} gives no two numbers", "Install the package again with pip.")
        return float(two[1])


def _opened() -> OnnxModel:
    from understudy.models.embedded_onnx import OnnxModel

    return OnnxModel(FILE)
