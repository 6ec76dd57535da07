"""The mesh engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.compiled import compiled
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.boxes import bounds_xyxy, pixel_box
from understudy.geometry.pose import posed
from understudy.geometry.raster import rasterise
from understudy.geometry.topology import closed, closed_triangles, topology
from understudy.geometry.unwrap import TEXTURE_SIZE, facing
from understudy.patches import Patch, Warp
from understudy.swapping.base import Identity, Portrait
from understudy.swapping.mesh.shape import NeutralShape, moved, neutral
from understudy.swapping.mesh.texture import build_texture
from understudy.tones import smoothstep

#: The longer side of the flattened face in the unit square.
UV_EXTENT = 0.94
#: Beyond this a face becomes a caricature and folds.
MOST_SHAPE = 1.5
#: Cosines over which a patch fades, at least: over none, there would be nothing between drawn and gone.
LEAST_FADE = 0.001
#: People whose neutral shape is kept.
MOST_REMEMBERED = 64


@dataclass(frozen=True)
class MeshOptions:
    """How the mesh engine draws.

    Attributes:
        fade_facing: Two cosines of the angle between the skin's normal and the direction to the camera, from 0 (seen
            edge-on) to 1 (from straight ahead): below the second the patch begins to fade, at the first, which is less,
            it is gone. Skin seen at a grazing angle has no texture to show.
        shape: 0 to 1.5, 1 as a rule: how far the target's face takes the source's shape, inside its own contour.

    Raises:
        ValueError: outside these ranges.
    """

    fade_facing: tuple[float, float] = (0.05, 0.30)
    shape: float = 1.0

    def __post_init__(self) -> None:
        gone, begins = self.fade_facing
        if not 0 <= gone <= begins - LEAST_FADE <= 1 - LEAST_FADE:
            raise ValueError(
                f"fade_facing must be two cosines from 0 to 1, the larger second, not {gone:g} and {begins:g}"
            )
        if not 0 <= self.shape <= MOST_SHAPE:
            raise ValueError(f"shape must be between 0 and {MOST_SHAPE:g}, not {self.shape}")


@dataclass(frozen=True, eq=False)
class MeshIdentity(Identity):
    """A face as textures.

    Attributes:
        levels: uint8 BGR plus opacity (S/2^k, S/2^k, 4), from the full size down: each a smoothed half of
            the one before, so that a small face is drawn without aliasing.
        shape: float32 (478, 3): the face's neutral shape (see ``shape.neutral``).
        bearded: Whether a beard or a moustache grows on it.
        amount: How far a target's face takes that shape; None: as the options say.
    """

    levels: tuple[UInt8Array, ...]
    shape: FloatArray
    bearded: bool = False
    amount: float | None = None

    def shaped(self, amount: float) -> MeshIdentity:
        """See ``Identity.shaped``."""
        return replace(self, amount=amount)


class MeshEngine:
    """Textures on tracked meshes. Eyes and inner mouth are the target's own: the mesh is open there.

    They are moved to where the source's shape has them (``MeshOptions.shape``), not painted.
    """

    def __init__(self, options: MeshOptions | None = None) -> None:
        self.options = options or MeshOptions()

    def identity(self, portraits: Sequence[Portrait]) -> MeshIdentity:
        """See ``Swapper.identity``."""
        texture = build_texture(portraits)
        levels = [np.dstack([texture.color, texture.opacity])]
        while levels[-1].shape[0] > 32:
            levels.append(np.asarray(cv2.pyrDown(levels[-1]), np.uint8))
        meshes = [portrait.face.mesh[0] for portrait in portraits if portrait.face.mesh is not None]
        shape = np.mean([neutral(mesh) for mesh in meshes], axis=0).astype(np.float32)
        return MeshIdentity(tuple(levels), shape, texture.bearded)

    def renderer(self) -> MeshRenderer:
        """See ``Swapper.renderer``."""
        return MeshRenderer(self.options)


class MeshRenderer:
    """Draws with the mesh engine, and knows the neutral shapes of a shot's people."""

    def __init__(self, options: MeshOptions) -> None:
        self._options = options
        self._neutrals: dict[int, NeutralShape] = {}

    def render(self, frame: Frame, faces: Faces, identities: Mapping[int, MeshIdentity]) -> list[Patch]:
        """See ``Renderer.render``."""
        if faces.mesh is None or faces.track_ids is None:
            return []
        patches = []
        for mesh, track_id in zip(faces.mesh, faces.track_ids.tolist(), strict=True):
            if track_id in identities:
                patch = self._patch(frame, mesh, identities[track_id], track_id)
                if patch is not None:
                    patches.append(patch)
        return patches

    def _patch(self, frame: Frame, mesh: FloatArray, identity: MeshIdentity, track_id: int) -> Patch | None:
        if not np.isfinite(mesh).all():
            return None
        shape, reshaped = topology(), mesh
        amount = self._options.shape if identity.amount is None else identity.amount
        if amount:
            pose, known = posed(mesh), self._neutral(track_id)
            known.update(pose, frame.seconds)
            difference = (identity.shape - known.shape) * known.trust[:, None]
            reshaped = moved(mesh, pose, difference, amount)
        bounds = bounds_xyxy(np.concatenate([mesh, reshaped])[None])[0]
        box = pixel_box(bounds, frame.width, frame.height, margin=1)
        if box.empty:
            return None
        place = reshaped - np.array([box.x0, box.y0, 0], np.float32)
        visible = smoothstep(facing(reshaped), *self._options.fade_facing)
        attributes = np.column_stack([shape.uv, visible, (mesh - reshaped)[:, :2]])
        size = (box.x1 - box.x0, box.y1 - box.y0)
        values, _ = rasterise(closed(place), closed_triangles(), closed(attributes), size)
        level = identity.levels[self._level(mesh, len(identity.levels))]
        picture, alpha = painted(values, level)
        return Patch(
            picture=picture,
            alpha=alpha,
            uv=values[:, :, :2],
            box=box,
            mesh=mesh,
            track_id=track_id,
            warp=Warp(reshaped, values[:, :, 3:]) if amount else None,
            lit=True,
            over_beard=identity.bearded,
        )

    def _neutral(self, track_id: int) -> NeutralShape:
        known = self._neutrals.pop(track_id, None) or NeutralShape()
        if len(self._neutrals) >= MOST_REMEMBERED:
            longest_unseen, *_ = self._neutrals  # in one step: faces may be drawn by several threads
            self._neutrals.pop(longest_unseen, None)
        self._neutrals[track_id] = known
        return known

    @staticmethod
    def _level(mesh: FloatArray, count: int) -> int:
        """The texture whose texels are about as large as the frame's pixels."""
        size = float(np.ptp(mesh[:, :2], axis=0).max()) / UV_EXTENT
        return int(np.clip(np.floor(np.log2(TEXTURE_SIZE / max(size, 1.0)) + 0.25), 0, count - 1))


@compiled
def painted(values: FloatArray, level: UInt8Array) -> tuple[UInt8Array, UInt8Array]:
    """The texture as it is seen at every pixel.

    Args:
        values: float32 (H, W, 3 or more): u and v in the texture, 0-1, and above 0 where the face is visible.
        level: uint8 (S, S, 4): the texture, BGR and opacity, C-contiguous.

    Returns:
        uint8 BGR (H, W, 3), and the opacity, uint8 (H, W); both 0 where the face is not visible.

    The four channels of a texel are weighed at once: spread to 16 bits each in one number of 64, eight bits of weight
    leave room for their sum. A quarter faster than in floats, and on a face's texture at most one grey level from it.
    """
    height, width, _ = values.shape
    side = level.shape[0]
    texels = level.view(np.uint32).reshape(side * side)
    stride, next_one, eight = np.uint32(side), np.uint32(1), np.uint32(8)
    fraction, whole, rounding = np.uint32(255), np.uint32(256), np.uint32(128)
    zero, half = np.float32(0), np.float32(0.5)
    scale, corner = np.float32(side * 256), np.float32(128)
    last = scale - np.float32(257)
    byte, halves = np.uint64(0xFF), np.uint64(0x0080008000800080)
    picture = np.zeros((height, width, 3), np.uint8)
    alpha = np.zeros((height, width), np.uint8)
    for y in range(height):
        for x in range(width):
            visible = values[y, x, 2]
            if visible <= zero:
                continue
            s = np.uint32(min(max(values[y, x, 0] * scale - corner, zero), last))
            t = np.uint32(min(max(values[y, x, 1] * scale - corner, zero), last))
            i = np.uint32((t >> eight) * stride + (s >> eight))
            j, k = np.uint32(i + next_one), np.uint32(i + stride)
            right, down = s & fraction, t & fraction
            d = (right * down + rounding) >> eight
            b, c = right - d, down - d
            a = whole - right - c
            total = (
                _spread(texels[i]) * np.uint64(a)
                + _spread(texels[j]) * np.uint64(b)
                + _spread(texels[k]) * np.uint64(c)
                + _spread(texels[np.uint32(k + next_one)]) * np.uint64(d)
                + halves
            )
            # Also where it is not shown: sharpness is matched by a blur, which looks a little beyond the edge.
            picture[y, x, 0] = np.uint8((total >> np.uint64(8)) & byte)
            picture[y, x, 1] = np.uint8((total >> np.uint64(24)) & byte)
            picture[y, x, 2] = np.uint8((total >> np.uint64(40)) & byte)
            alpha[y, x] = np.uint8(np.float32(total >> np.uint64(56)) * visible + half)
    return picture, alpha


@compiled
def _spread(texel: np.uint32) -> np.uint64:
    """Four bytes, each in 16 bits of its own."""
    wide = np.uint64(texel)
    wide = (wide | (wide << np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    return (wide | (wide << np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
