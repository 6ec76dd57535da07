"""A portrait with hair drawn on its lower face."""

from __future__ import annotations

import cv2
import numpy as np

from understudy.geometry.topology import topology

_JAW = (58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 410, 322, 164, 92, 186)
_UPPER_LIP = (164, 167, 165, 92, 186, 57, 61, 40, 37, 0, 267, 270, 291, 287, 410, 322, 391, 393)


def bearded(picture, mesh, color, *, only_lip=False):
    """Strands of hair, each of its own shade, on lip, chin and jaw, or on the upper lip only."""
    rng, shape = np.random.default_rng(0), picture.shape[:2]
    unit = float(np.linalg.norm(mesh[33, :2] - mesh[263, :2]))
    grows, lips = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    cv2.fillPoly(grows, [mesh[list(_UPPER_LIP if only_lip else _JAW), :2].astype(np.int32)], 255)
    cv2.fillPoly(lips, [cv2.convexHull(mesh[topology().lips_outer, :2].astype(np.int32))], 255)
    rows, columns = np.nonzero((grows > 0) & (lips == 0))
    result = picture.copy()
    for k in rng.choice(len(rows), int(len(rows) * 0.35), replace=False):
        angle, length = np.pi / 2 + rng.normal(0, 0.4), unit * rng.uniform(0.04, 0.1)
        root = np.array([columns[k], rows[k]], float)
        ends = np.round(8 * np.stack([root, root + length * np.array([np.cos(angle), np.sin(angle)])])).astype(int)
        shade = np.clip(np.array(color) * rng.uniform(0.6, 1.5), 0, 255).tolist()
        cv2.line(result, ends[0].tolist(), ends[1].tolist(), shade, 1, cv2.LINE_AA, 3)
    bare = cv2.GaussianBlur(lips, (0, 0), unit * 0.01)[:, :, None] / 255
    return (result * (1 - bare) + picture * bare).astype(np.uint8)
