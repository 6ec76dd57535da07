"""Writes patches into frames, in place, touching only their region."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.blending.light import LightOptions, LightTransfer
from understudy.compiled import compiled
from understudy.frames import Frame
from understudy.patches import Patch


@dataclass(frozen=True)
class BlendOptions:
    """How patches are blended.

    Attributes:
        light: Limits of the light and colour transfer.
        strength: 0-1: 0 leaves the frame as it is, 1 shows the patch in full.
    """

    light: LightOptions = field(default_factory=LightOptions)
    strength: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise ValueError(f"strength must be between 0 and 1, not {self.strength}")


class Blender:
    """Blends patches and remembers each person's light."""

    def __init__(self, options: BlendOptions | None = None) -> None:
        self.options = options or BlendOptions()
        self._lights: dict[int, LightTransfer] = {}

    def reset(self) -> None:
        """Forget all light: after a cut."""
        self._lights.clear()

    def blend(self, frame: Frame, patches: Iterable[Patch]) -> None:
        """Write ``patches`` into ``frame.picture`` noting the regions in ``frame.changes``."""
        patches = list(patches)
        for patch in sorted(patches, key=lambda p: (p.box.x1 - p.box.x0) * (p.box.y1 - p.box.y0)):
            box = patch.box
            region = frame.change(box)
            light = self._lights.setdefault(patch.track_id, LightTransfer(self.options.light))
            place = patch.mesh[:, :2] - np.array([box.x0, box.y0], np.float32)
            coefficients = light.coefficients(region, patch.picture, patch.alpha, place, frame.seconds)
            _composite(
                region,
                patch.picture,
                patch.alpha,
                patch.uv,
                coefficients,
                np.float32(self.options.strength / 255),
            )
        seen = {patch.track_id for patch in patches}
        for gone in [key for key in self._lights if key not in seen and len(self._lights) > 16]:
            del self._lights[gone]


@compiled
def _composite(
    target: UInt8Array,
    picture: UInt8Array,
    alpha: UInt8Array,
    uv: FloatArray,
    light: FloatArray,
    unit: np.float32,
) -> None:
    """Recolour the patch by ``light`` (see ``blending.light``), interpolated at ``uv``, and blend it in."""
    height, width = alpha.shape
    last = light.shape[0] - 1
    half, zero = np.float32(0.5), np.float32(0)
    for y in range(height):
        for x in range(width):
            if alpha[y, x] == 0:
                continue
            opacity = np.float32(alpha[y, x]) * unit
            u = min(max(uv[y, x, 0] * np.float32(last + 1) - half, zero), np.float32(last) - np.float32(0.001))
            v = min(max(uv[y, x, 1] * np.float32(last + 1) - half, zero), np.float32(last) - np.float32(0.001))
            column, row = int(u), int(v)
            right, down = u - np.float32(column), v - np.float32(row)
            a = (np.float32(1) - right) * (np.float32(1) - down)
            b = right * (np.float32(1) - down)
            c = (np.float32(1) - right) * down
            d = right * down
            blue, green, red = (
                np.float32(picture[y, x, 0]),
                np.float32(picture[y, x, 1]),
                np.float32(picture[y, x, 2]),
            )
            luma = np.float32(0.114) * blue + np.float32(0.587) * green + np.float32(0.299) * red
            chroma = (
                a * light[row, column, 3]
                + b * light[row, column + 1, 3]
                + c * light[row + 1, column, 3]
                + d * light[row + 1, column + 1, 3]
            )
            for k in range(3):
                direct = (
                    a * light[row, column, k]
                    + b * light[row, column + 1, k]
                    + c * light[row + 1, column, k]
                    + d * light[row + 1, column + 1, k]
                )
                value = luma * direct + chroma * (np.float32(picture[y, x, k]) - luma)
                value = min(max(value, zero), np.float32(255))
                old = np.float32(target[y, x, k])
                target[y, x, k] = np.uint8(old + (value - old) * opacity + half)
