"""The embedded face mesh: 478 points, irises among them (MediaPipe's Face Landmarker v2, 2023)."""

from __future__ import annotations

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.face import MESH_POINTS
from understudy.geometry import topology as topo
from understudy.geometry.transforms import RotatedSquare, apply, crop, invert, scale_of
from understudy.landmarks.base import MeshResult
from understudy.landmarks.blob import rgb_blob
from understudy.models.runtime import LiteModel

#: Side of the region relative to the face (MediaPipe's recipe, for a detection's box and for a mesh).
ROI_SCALE = 1.5
#: The model's outputs: the points, and the logit of there being a face. (The third says whether a tongue is out.)
_POINTS, _PRESENCE = "Identity", "Identity_1"


class FaceMesh:
    """The embedded mesh model: 256 px RGB, 0-1, in; 478 x, y, z in input pixels and a presence logit out."""

    def __init__(self) -> None:
        self._model = LiteModel("face_landmarks_detector.tflite")

    def fit(self, picture: UInt8Array, roi: RotatedSquare) -> MeshResult:
        """See ``Landmarker.fit``."""
        size, _ = self._model.input_size
        to_crop = roi.to_crop(size)
        result = self._model.run(rgb_blob(crop(picture, to_crop, (size, size))))
        points = result[_POINTS].reshape(MESH_POINTS, 3)
        logit = float(result[_PRESENCE].reshape(-1)[0])
        mesh = np.empty((MESH_POINTS, 3), np.float32)
        mesh[:, :2] = apply(invert(to_crop), points[:, :2])
        mesh[:, 2] = points[:, 2] / scale_of(to_crop)
        return MeshResult(mesh, float(1 / (1 + np.exp(-np.clip(logit, -80, 80)))))

    @staticmethod
    def first_roi(box_xyxy: FloatArray, keypoints: FloatArray) -> RotatedSquare:
        """See ``Landmarker.first_roi``: the detection's box, levelled by the eyes."""
        center = (box_xyxy[:2] + box_xyxy[2:]) / 2
        side = float(np.max(box_xyxy[2:] - box_xyxy[:2]))
        return RotatedSquare((float(center[0]), float(center[1])), max(side, 1.0) * ROI_SCALE, _lean(*keypoints[:2]))

    @staticmethod
    def next_roi(mesh: FloatArray) -> RotatedSquare:
        """See ``Landmarker.next_roi``: around the mesh, levelled by the eyes' outer corners."""
        angle = _lean(mesh[topo.EYE_LEFT_OUTER, :2], mesh[topo.EYE_RIGHT_OUTER, :2])
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32)
        level = mesh[:, :2] @ turn
        low, high = level.min(0), level.max(0)
        center = turn @ ((low + high) / 2)
        side = max(float((high - low).max()), 1.0) * ROI_SCALE
        return RotatedSquare((float(center[0]), float(center[1])), side, angle)


def _lean(left: FloatArray, right: FloatArray) -> float:
    return float(np.arctan2(right[1] - left[1], right[0] - left[0]))
