"""How far the camera's picture of a face is out of focus, and a texture as soft.

Blending matches what is finer than some 3 pixels; in a defocused head brows, lids and the corners of the mouth are then
still crisp, like a sticker. The texture knows no lens, so it is softened as the lens softened the face.

Measured is the frame alone, eyes and mouth included, as every face has them: edges are as strong in a fine band of
detail as in a coarse one, except for what the blur took. Against the photo's texture it could not be told: of somebody
old it has more of the fine band than any frame.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.frames import Frame
from understudy.geometry.boxes import bounds_xyxy, pixel_box
from understudy.geometry.topology import topology
from understudy.swapping.mesh.drawing import UV_EXTENT

#: Of the logarithm of the fine band over the coarse one: at a blur of 1 pixel, and lost with each factor of e.
#: Measured on six clips of faces of 200 to 320 pixels, blurred by 1, 2, 3 and 6 pixels.
_AT_ONE, _SLOPE = -0.43, 0.56
#: Up to this spread, in pixels, blending does all; of faces larger than the clips', in proportion.
IN_FOCUS: Final = 2.0
_FACE: Final = 320.0
#: How much of the blur a texture takes, and the most, as a share of the face's longer side: beyond, nobody is left.
_TAKEN: Final = 0.8
_MOST: Final = 0.015
#: Below this spread (pixels) softening would not be seen.
_SEEN: Final = 0.5
#: Of the oval, the part that is measured: its rim has hair and background.
_INNER: Final = 0.85
#: Grey levels: noise of eight bits is no detail.
_FLOOR: Final = 0.15
#: Seconds between two measurements, the time constant with which they are followed, and after which gap they are not.
_EVERY, _FOLLOW, _GAP = 0.15, 0.2, 1.0
#: Spread in texels from which on a coarser size of the texture is softened instead.
_COARSER: Final = 2.0
#: Openings are softened by less than colours, or small eyes would close.
_OPENINGS: Final = 0.5


class Focus:
    """How far one person's face is out of focus, followed over time."""

    def __init__(self) -> None:
        self._softness: float | None = None
        self._found, self._found_at, self._seconds = 0.0, 0.0, 0.0

    def softness(self, frame: Frame, mesh: FloatArray) -> float:
        """Spread of the Gaussian, in pixels, that makes a sharp texture about as soft as the face; 0 in focus.

        Args:
            frame: The frame; it is only read.
            mesh: float32 (478, 3): the face, in its pixels.
        """
        step = frame.seconds - self._seconds
        known = self._softness if 0 <= step < _GAP else None
        if known is None or not 0 <= frame.seconds - self._found_at < _EVERY:
            self._found, self._found_at = _missing(frame, mesh), frame.seconds
        follow = float(1 - np.exp(-step / _FOLLOW))
        self._softness = self._found if known is None else known + (self._found - known) * follow
        self._seconds = frame.seconds
        return self._softness if self._softness >= _SEEN else 0.0


def _missing(frame: Frame, mesh: FloatArray) -> float:
    """See ``Focus.softness``, for this frame alone."""
    size = max(float(np.ptp(mesh[:, :2], axis=0).max()), 1.0)
    sharp = IN_FOCUS * max(1.0, size / _FACE)
    return min(_TAKEN * float(np.sqrt(max(blur_of(frame, mesh) ** 2 - sharp**2, 0.0))), _MOST * size)


def blur_of(frame: Frame, mesh: FloatArray) -> float:
    """How blurred a face is: the spread, in pixels, of a Gaussian that would do it; 0 where it can't be told.

    Args:
        frame: The frame; it is only read.
        mesh: float32 (478, 3): the face, in its pixels.
    """
    box = pixel_box(bounds_xyxy(mesh[None])[0], frame.width, frame.height, margin=0)
    width, height = (box.x1 - box.x0) // 4, (box.y1 - box.y0) // 4
    if min(width, height) < 4:
        return 0.0
    green = cv2.extractChannel(frame.picture[box.y0 : box.y1, box.x0 : box.x1], 1)
    half = np.asarray(cv2.resize(green, (2 * width, 2 * height), interpolation=cv2.INTER_AREA), np.float32)
    quarter = np.asarray(cv2.resize(half, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    oval = mesh[topology().oval, :2]
    inner = oval.mean(0) + (oval - oval.mean(0)) * np.float32(_INNER) - np.array([box.x0, box.y0], np.float32)
    fine, coarse = _strength(half, inner / 2, 0.5, 1.3), _strength(quarter, inner / 4, 1.3, 2.6)
    if not coarse:
        return 0.0
    return float(np.exp((_AT_ONE - np.log((fine + _FLOOR) / (coarse + _FLOOR))) / _SLOPE))


def _strength(picture: FloatArray, inner: FloatArray, finest: float, coarsest: float) -> float:
    """Root mean square of the band between two Gaussians, in grey levels, within an outline; 0 where that is empty."""
    within = cv2.fillPoly(np.zeros(picture.shape, np.uint8), [np.round(inner).astype(np.int32)], 1)
    count = cv2.countNonZero(within)
    band = cv2.GaussianBlur(picture, (0, 0), finest) - cv2.GaussianBlur(picture, (0, 0), coarsest)
    return float(cv2.norm(band, cv2.NORM_L2, within) / np.sqrt(count)) if count else 0.0


def softened(levels: tuple[UInt8Array, ...], number: int, mesh: FloatArray, softness: float) -> UInt8Array:
    """A texture as soft as the face it is drawn on.

    Args:
        levels: See ``MeshIdentity.levels``.
        number: Which of them fits, see ``level_for``.
        mesh: float32 (478, 3): the face, in pixels of the frame.
        softness: Spread of the Gaussian, in pixels of the frame; 0 for none.

    Returns:
        uint8 (S, S, 4): one of the levels, softened: from a coarser one, what is very soft is made of fewer texels.
    """
    if not softness:
        return levels[number]
    spread = softness * levels[number].shape[0] * UV_EXTENT / max(float(np.ptp(mesh[:, :2], axis=0).max()), 1.0)
    while spread > _COARSER and number + 1 < len(levels):
        number, spread = number + 1, spread / 2
    level = levels[number]
    soft = np.asarray(cv2.GaussianBlur(level, (0, 0), max(spread, 0.1)), np.uint8)
    openings = cv2.extractChannel(level, 3)
    soft[:, :, 3] = cv2.GaussianBlur(openings, (0, 0), max(spread * _OPENINGS, 0.1))
    return soft
