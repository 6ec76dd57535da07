"""Single-shot detectors of the BlazeFace family (Bazarevsky et al., 2019), as embedded in the package.

For every anchor such a model gives a score and numbers: the centre and size of a box, then keypoints, all relative to
the anchor in input pixels.
"""

from __future__ import annotations

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.geometry.transforms import resized
from understudy.models.runtime import LiteModel


class SingleShot:
    """One model with its anchors.

    Args:
        model: The model: square input.
        layers: Where its anchors are: (stride in input pixels, anchors a cell) for each layer.
        outputs: Names of the outputs with the boxes and with the scores' logits.
        points: Keypoints that are read of each detection.
        darkest: What black is in the model's input; white is 1.
    """

    def __init__(
        self,
        model: LiteModel,
        layers: tuple[tuple[int, int], ...],
        outputs: tuple[str, str],
        *,
        points: int,
        darkest: float,
    ) -> None:
        self._model, self._outputs = model, outputs
        self._points, self._darkest = points, np.float32(darkest)
        self._anchors = anchors(model.input_size[0], layers)

    def candidates(self, picture: UInt8Array, min_score: float) -> FloatArray:
        """Detections before suppression, in pixels of the picture.

        Args:
            picture: uint8 BGR (H, W, 3).
            min_score: 0-1.

        Returns:
            float32 (N, 5 + 2 P): score, box xyxy, keypoints.
        """
        size, _ = self._model.input_size
        height, width = picture.shape[:2]
        scale = size / max(height, width)
        inner = (max(1, round(width * scale)), max(1, round(height * scale)))
        left, top = (size - inner[0]) // 2, (size - inner[1]) // 2
        small = np.zeros((size, size, 3), np.uint8)
        small[top : top + inner[1], left : left + inner[0]] = resized(picture, inner)
        blob = small[:, :, ::-1].astype(np.float32) * ((1 - self._darkest) / 255) + self._darkest
        result = self._model.run(np.ascontiguousarray(blob))
        raw, logits = (result[name] for name in self._outputs)
        score = 1 / (1 + np.exp(-np.clip(logits[:, 0], -80, 80)))
        good = score >= min_score
        raw, places = raw[good], self._anchors[good]
        center, half = raw[:, 0:2] + places, raw[:, 2:4] / 2
        points = raw[:, 4 : 4 + 2 * self._points].reshape(-1, self._points, 2) + places[:, None]
        coordinates = np.concatenate([center - half, center + half, points.reshape(-1, 2 * self._points)], axis=1)
        coordinates -= np.tile([left, top], 2 + self._points)
        coordinates *= np.tile([width / inner[0], height / inner[1]], 2 + self._points)
        return np.concatenate([score[good, None], coordinates], axis=1).astype(np.float32)


def anchors(input_size: int, layers: tuple[tuple[int, int], ...]) -> FloatArray:
    """Anchor centres in input pixels: float32 (A, 2). A layer is (stride, anchors a cell)."""
    parts = []
    for stride, count in layers:
        cells = input_size // stride
        y, x = np.mgrid[0:cells, 0:cells]
        centers = (np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) * stride
        parts.append(np.repeat(centers, count, axis=0))
    return np.concatenate(parts).astype(np.float32)
