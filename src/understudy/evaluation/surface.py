"""What the swapped skin looks like beside what was there: seams, light, saturation, sharpness and grain.

Every measure compares a frame with the same frame before the swap; that is the truth about how light falls, how
sharp the lens is and how much the sensor grains at this very place.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from understudy.arrays import BoolArray, FloatArray, UInt8Array
from understudy.frames import PixelBox
from understudy.patches import Patch

#: Vertices in the middle of each cheek, the picture's left first.
_CHEEKS: Final = ((50, 205, 187, 123), (280, 425, 411, 352))
#: Of what is measured in every frame, by name.
SURFACE: Final = (
    "outside_pixels",
    "seam_excess",
    "cheek_error",
    "saturation_ratio",
    "clipped_share",
    "sharpness_ratio",
    "grain_ratio",
)


def surface(before: UInt8Array, after: UInt8Array, patch: Patch) -> dict[str, float]:
    """All of ``SURFACE`` in one frame.

    Args:
        before: uint8 BGR (H, W, 3): the frame as it was.
        after: uint8 BGR (H, W, 3): swapped, not yet labelled.
        patch: What was blended in.

    Returns:
        ``outside_pixels``: how many pixels changed that the patch does not touch; ``seam_excess``: by which
        share the picture's gradients are steeper where the patch fades; ``cheek_error``: by which share the ratio of
        the left cheek's light to the right one's is off; ``saturation_ratio``; ``clipped_share``: of the patch's
        pixels, those at black or white that were not; ``sharpness_ratio`` and ``grain_ratio``: of the result over the
        frame. NaN where there is nothing to measure: no fade, or nothing shown in full.
    """
    box, shown = patch.box, patch.touched
    place = (slice(box.y0, box.y1), slice(box.x0, box.x1))
    old, new = before[place], after[place]
    face = float(max(box.x1 - box.x0, box.y1 - box.y0))
    most = float(patch.alpha.max())
    full = np.asarray(cv2.erode((patch.alpha > 0.98 * most).astype(np.uint8), np.ones((5, 5)))) > 0
    full &= most > 0
    fades = _fading(patch.alpha, face)
    old_grey, new_grey = (cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).astype(np.float32) for part in (old, new))
    gradients = [_gradient(grey, max(face / 256, 0.5))[fades] for grey in (old_grey, new_grey)]
    noise = [_grain(grey, full) for grey in (old_grey, new_grey)]
    detail = [_variance(np.asarray(cv2.Laplacian(grey, cv2.CV_32F), np.float32)[full]) for grey in (old_grey, new_grey)]
    cheeks = [_cheek_ratio(part, patch.mesh, box, face) for part in (old, new)]
    chroma = [_mean(_chroma(part)[full]) for part in (old, new)]
    clipped = _clipped(new) & ~_clipped(old) & shown
    return {
        "outside_pixels": float(_changed_outside(before, after, box, shown)),
        "seam_excess": _mean(gradients[1]) / max(_mean(gradients[0]), 0.5) - 1,
        "cheek_error": abs(float(np.exp(abs(np.log(cheeks[1] / cheeks[0])))) - 1),
        "saturation_ratio": chroma[1] / max(chroma[0], 1.0),
        "clipped_share": float(clipped.sum() / max(int(shown.sum()), 1)),
        # A quarter of a grey level is added to both: in a frame without any grain a ratio of grains says nothing.
        "sharpness_ratio": float(np.sqrt((detail[1] + 1) / (detail[0] + 1))),
        "grain_ratio": (noise[1] + 0.25) / (noise[0] + 0.25),
    }


def similarity(before: UInt8Array, after: UInt8Array, patch: Patch) -> dict[str, float]:
    """How near two pictures are where the patch lies, for a swap whose truth is known.

    Returns:
        ``ssim`` (Wang et al., 2004, on luma, 11 x 11 Gaussian of 1.5) and ``psnr`` in dB.
    """
    box, shown = patch.box, patch.alpha > 0
    place = (slice(box.y0, box.y1), slice(box.x0, box.x1))
    old, new = (cv2.cvtColor(part[place], cv2.COLOR_BGR2GRAY).astype(np.float32) for part in (before, after))

    def mean(values: FloatArray) -> FloatArray:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5))

    a, b = mean(old), mean(new)
    variance_a, variance_b = mean(old * old) - a * a, mean(new * new) - b * b
    together = mean(old * new) - a * b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ssim = ((2 * a * b + c1) * (2 * together + c2)) / ((a * a + b * b + c1) * (variance_a + variance_b + c2))
    error = float(((old - new)[shown] ** 2).mean()) if shown.any() else 0.0
    return {
        "ssim": float(ssim[shown].mean()) if shown.any() else 1.0,
        "psnr": float(10 * np.log10(255**2 / max(error, 1e-3))),
    }


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if values.size else float("nan")


def _variance(values: FloatArray) -> float:
    return float(values.var()) if values.size else float("nan")


def _fading(alpha: UInt8Array, face: float) -> BoolArray:
    """Where the patch fades, with a little of what lies to both sides."""
    wide = np.ones((2 * int(face / 100) + 3,) * 2, np.uint8)
    partly = ((alpha > 0) & (alpha < 250)).astype(np.uint8)
    return np.asarray(cv2.dilate(partly, wide) > 0)


def _gradient(grey: FloatArray, sigma: float) -> FloatArray:
    smooth = cv2.GaussianBlur(grey, (0, 0), sigma)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(smooth, cv2.CV_32F, 0, 1) / 8
    return np.asarray(np.hypot(across, down), np.float32)


def _grain(grey: FloatArray, where: BoolArray) -> float:
    """Standard deviation of the noise in grey levels: the median of a filter that edges and slopes pass unseen.

    The mask of J. Immerkaer, "Fast Noise Variance Estimation" (1996), whose response to white noise of deviation s has
    deviation 6 s; the median makes it deaf to hairs and lashes.
    """
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    response = np.abs(cv2.filter2D(grey, cv2.CV_32F, mask))[where]
    return float(np.median(response) / 0.6745 / 6) if response.size else float("nan")


def _cheek_ratio(part: UInt8Array, mesh: FloatArray, box: PixelBox, face: float) -> float:
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY).astype(np.float32)
    radius = max(1, int(face * 0.04))
    means = []
    for cheek in _CHEEKS:
        values = []
        for x, y in (mesh[list(cheek), :2] - np.array([box.x0, box.y0])).astype(int).tolist():
            spot = grey[max(y - radius, 0) : max(y + radius + 1, 0), max(x - radius, 0) : max(x + radius + 1, 0)]
            values += [float(spot.mean())] if spot.size else []
        means.append(float(np.mean(values)) if values else 1.0)
    return (means[0] + 4) / (means[1] + 4)


def _chroma(part: UInt8Array) -> FloatArray:
    lab = cv2.cvtColor(part, cv2.COLOR_BGR2LAB).astype(np.float32)
    return np.asarray(np.hypot(lab[:, :, 1] - 128, lab[:, :, 2] - 128), np.float32)


def _clipped(part: UInt8Array) -> BoolArray:
    return np.asarray((part.min(axis=2) >= 255) | (part.max(axis=2) <= 1))


def _changed_outside(before: UInt8Array, after: UInt8Array, box: PixelBox, shown: BoolArray) -> int:
    changed = (before != after).any(axis=2)
    changed[box.y0 : box.y1, box.x0 : box.x1] &= ~shown
    return int(changed.sum())
