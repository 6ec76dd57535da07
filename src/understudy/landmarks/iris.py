"""The embedded iris model (MediaPipe Iris: Ablavatski et al., 2020)."""

from __future__ import annotations

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.geometry import topology as topo
from understudy.geometry.transforms import RotatedSquare, apply, crop, invert, scale_of
from understudy.landmarks.blob import rgb_blob
from understudy.models.runtime import LiteModel

#: Side of the eye's region relative to the distance between its corners (MediaPipe's recipe).
ROI_SCALE = 2.3


class IrisFinder:
    """Irises of a face whose mesh is known: 64 px RGB, 0-1, in; the model knows eyes on the picture's left."""

    def __init__(self) -> None:
        self._model = LiteModel("iris_landmark.tflite")

    def find(self, picture: UInt8Array, mesh: FloatArray) -> FloatArray:
        """Locate both irises.

        Args:
            picture: uint8 BGR (H, W, 3).
            mesh: float32 (468, 3) in pixels of ``picture``.

        Returns:
            float32 (2, 5, 3): for the eye on the picture's left, then the other: centre and four points of the
            edge; pixels, z in the same scale.
        """
        corners = (
            (topo.EYE_LEFT_OUTER, topo.EYE_LEFT_INNER, False),
            (topo.EYE_RIGHT_INNER, topo.EYE_RIGHT_OUTER, True),
        )
        return np.stack([self._one(picture, mesh[a, :2], mesh[b, :2], flip) for a, b, flip in corners])

    def _one(self, picture: UInt8Array, left: FloatArray, right: FloatArray, flip: bool) -> FloatArray:
        size, _ = self._model.input_size
        center, span = (left + right) / 2, right - left
        side = max(float(np.hypot(*span)), 1.0) * ROI_SCALE
        roi = RotatedSquare((float(center[0]), float(center[1])), side, float(np.arctan2(span[1], span[0])))
        to_crop = roi.to_crop(size)
        eye = crop(picture, to_crop, (size, size))
        result = self._model.run(rgb_blob(np.ascontiguousarray(eye[:, ::-1]) if flip else eye))
        points = result["output_iris"].reshape(5, 3)
        if flip:
            points[:, 0] = size - points[:, 0]
        return np.column_stack([apply(invert(to_crop), points[:, :2]), points[:, 2] / scale_of(to_crop)])
