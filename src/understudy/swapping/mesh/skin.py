"""What of a photo is the face's own surface, and what hangs in front of it: fringe, hat, veil.

The mesh covers the forehead whether it is bare or not. Painting a fringe onto somebody else's forehead
was the plainest fault of early mesh swaps, so each photo is segmented once with GrabCut (Rother et al.,
2004): the middle of the face is surely skin, what lies above and beside the head is surely not, and
colour and edges decide about what is between.
"""

from __future__ import annotations

import cv2
import numpy as np

from understudy.arrays import BoolArray, FloatArray, UInt8Array
from understudy.geometry import topology as topo
from understudy.geometry.transforms import RotatedSquare, apply, crop, invert
from understudy.quantiles import median_of_rows

#: Side of the picture that is segmented, and how much of it the face fills.
WORK_SIZE = 160
ROI_SCALE = 1.9
#: How far beyond the oval's top, from the middle of the face, there is surely no forehead left.
HAIR_REACH = 1.35
#: Colour distance from sure skin, in standard deviations, from which a pixel starts as hair or hat; and
#: the least standard deviations of L, a and b (8-bit units).
MAX_UNLIKENESS = 2.2
MIN_SPREAD = np.array([22.0, 5.0, 6.0], np.float32)
#: How far towards white skin may shine: hair is grey before.
MOST_SHINE = 0.5
#: From linear B, G, R to X, Y, Z over those of white, which has 1 of each.
_XYZ_OVER_WHITE = np.array(
    [[0.180423, 0.357580, 0.412453], [0.072169, 0.715160, 0.212671], [0.950227, 0.119193, 0.019334]], np.float32
)
_XYZ_OVER_WHITE /= _XYZ_OVER_WHITE.sum(axis=1, keepdims=True)
_WHITE = np.array([255.0, 128.0, 128.0], np.float32)
#: Neighbouring vertices that stay skin whatever hangs over the forehead: inner cheeks, nose, upper lip, chin.
_SURE = (50, 205, 207, 212, 214, 210, 199, 430, 434, 432, 427, 425, 280, 347, 343, 6, 114, 118)
#: Top of the oval, from temple to temple: what lies outside it is hair, a hat or the background.
TOP = (127, 162, 21, 54, 103, 67, 109, 10, 338, 297, 332, 284, 251, 389, 356)


def skin_mask(picture: UInt8Array, mesh: FloatArray) -> FloatArray:
    """How likely each pixel is the face's own skin, where that matters.

    Args:
        picture: uint8 BGR (H, W, 3).
        mesh: float32 (478, 3) in pixels of ``picture``.

    Returns:
        float32 (H, W), 0-1, soft-edged.
    """
    points = mesh[:, :2]
    center, size = (points.min(0) + points.max(0)) / 2, float(np.ptp(points, axis=0).max())
    eyes = points[topo.EYE_RIGHT_OUTER] - points[topo.EYE_LEFT_OUTER]
    roi = RotatedSquare((float(center[0]), float(center[1])), size * ROI_SCALE, float(np.arctan2(eyes[1], eyes[0])))
    to_crop = roi.to_crop(WORK_SIZE)
    small = crop(picture, to_crop, (WORK_SIZE, WORK_SIZE))
    inside = apply(to_crop, points)
    labels = _prior(small, inside)
    foreground = labels.copy()
    background, skin_colors = np.zeros((1, 65)), np.zeros((1, 65))  # GrabCut's scratch space
    cv2.setRNGSeed(0)  # GrabCut seeds its mixtures at random: same photo, same identity
    cv2.grabCut(
        cv2.bilateralFilter(small, 5, 30, 5),
        foreground,
        (0, 0, 1, 1),
        background,
        skin_colors,
        3,
        cv2.GC_INIT_WITH_MASK,
    )
    skin = np.isin(foreground, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    skin = _joined(skin, inside)
    skin = np.asarray(cv2.erode(skin, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))), np.uint8)
    soft = cv2.GaussianBlur(skin.astype(np.float32), (0, 0), 1.5)
    back = invert(to_crop)
    matrix = np.column_stack([back[:, :2], back[:, 2] + back[:, :2] @ [0.5, 0.5] - 0.5])
    height, width = picture.shape[:2]
    return np.asarray(cv2.warpAffine(soft, matrix, (width, height), flags=cv2.INTER_LINEAR), np.float32)


def _prior(picture: UInt8Array, points: FloatArray) -> UInt8Array:
    """GrabCut's first labels for a crop in which the mesh lies at ``points``, float32 (478, 2)."""
    shape = topo.topology()
    sure = _polygon(np.asarray(cv2.convexHull(points[list(_SURE)])[:, 0], np.float32))
    middle = points.mean(0)
    top = points[list(TOP)]

    def fan(near: float, far: float) -> BoolArray:
        """The strip between two copies of the oval's top, scaled from the middle of the face."""
        return _polygon(np.concatenate([middle + (top - middle) * near, (middle + (top - middle) * far)[::-1]]))

    unlike = _unlikeness(picture, sure) > MAX_UNLIKENESS
    labels = np.full(sure.shape, cv2.GC_PR_FGD, np.uint8)
    # On the forehead, colour has the first word: GrabCut's mixtures must not learn a fringe as skin.
    labels[fan(0.6, 1.0) & unlike] = cv2.GC_PR_BGD
    # Just above the oval there is forehead or hair; further up, no forehead is left.
    labels[fan(1.0, HAIR_REACH) & unlike] = cv2.GC_BGD
    labels[fan(HAIR_REACH, 4.0)] = cv2.GC_BGD
    labels[sure] = cv2.GC_FGD
    for ring in (shape.eye_left, shape.eye_right, shape.lips_outer):
        labels[_polygon(points[ring])] = cv2.GC_FGD
    return labels


def _unlikeness(picture: UInt8Array, sure: BoolArray) -> FloatArray:
    """How far each pixel's colour is from that of sure skin, in standard deviations (float32).

    In Lab, with room for shadows in lightness and for make-up in hue. What shines goes from the skin's colour straight
    to that of the lamp, which is about white (S. Shafer, "Using color to separate reflection components", 1985): a
    bald forehead is as bright as white hair, but not as grey.
    """
    lab = _lab(np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.0), np.uint8))
    skin = lab[sure]
    middle = median_of_rows(skin)
    spread = 1.4826 * median_of_rows(np.abs(skin - middle))
    spread = np.maximum(spread, MIN_SPREAD)
    away, shine = (lab - middle) / spread, (_WHITE - middle) / spread
    share = np.clip(away @ shine / max(float(shine @ shine), 1e-6), 0, MOST_SHINE)
    return np.asarray(np.linalg.norm(away - share[..., None] * shine, axis=2), np.float32)


def _lab(picture: UInt8Array) -> FloatArray:
    """L, a, b of sRGB (CIE 1976; IEC 61966-2-1; white D65), each as OpenCV scales it to 8 bits: float32 (H, W, 3).

    OpenCV's own would keep 4.5 MB of tables for as long as the program runs, for a picture of 160 x 160.
    """
    level = np.arange(256, dtype=np.float32) / 255
    linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4).astype(np.float32)
    light = linear[picture] @ _XYZ_OVER_WHITE.T
    cube = np.where(light > 216 / 24389, np.cbrt(light), light * (841 / 108) + 4 / 29)
    x, y, z = np.moveaxis(cube, 2, 0)
    lab = np.stack([(116 * y - 16) * 2.55, 500 * (x - y) + 128, 200 * (y - z) + 128], axis=2)
    return np.asarray(lab, np.float32)


def _polygon(points: FloatArray) -> BoolArray:
    canvas = np.zeros((WORK_SIZE, WORK_SIZE), np.uint8)
    cv2.fillPoly(canvas, [np.round(points - 0.5).astype(np.int32)], 1)
    return canvas.astype(bool)


def _joined(skin: UInt8Array, points: FloatArray) -> UInt8Array:
    """Only the part of the mask that hangs together with the middle of the face.

    Brows and the frames of glasses are not skin, but they do not part the forehead from the cheeks either.
    """
    shape = topo.topology()
    across = [*shape.brow_left, *shape.brow_right, *shape.eye_left, *shape.eye_right]
    bridge = _polygon(np.asarray(cv2.convexHull(points[across])[:, 0], np.float32)).astype(np.uint8)
    wide = np.asarray(cv2.dilate(bridge, np.ones((5, 5))), np.uint8)
    _, parts = cv2.connectedComponents(skin | wide, connectivity=4)
    x, y = np.clip(points[6].astype(int), 0, WORK_SIZE - 1)
    return np.asarray((parts == parts[y, x]) & (skin > 0), np.uint8)
