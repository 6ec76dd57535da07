"""The mesh engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.each import Each
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.pose import posed
from understudy.patches import Patch
from understudy.swapping.base import Identity, Portrait
from understudy.swapping.mesh.drawing import drawn, level_for, levels_of
from understudy.swapping.mesh.focus import Focus, softened
from understudy.swapping.mesh.regions import regions
from understudy.swapping.mesh.shape import NeutralShape, moved, neutral, weights
from understudy.swapping.mesh.texture import build_texture

#: Beyond this a face becomes a caricature and folds.
MOST_SHAPE = 1.5
#: Cosines over which a patch fades, at least: over none, there would be nothing between drawn and gone.
LEAST_FADE = 0.001
#: People of whom it is kept what is known.
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
        levels: uint8 BGR plus opacity (S/2^k, S/2^k, 4), from the full size down (see ``drawing.levels_of``).
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

    @staticmethod
    def prepare() -> None:
        """Compute what is the same for every face and takes longest; for another thread, while photos are looked at."""
        regions()
        weights()

    def identity(self, portraits: Sequence[Portrait]) -> MeshIdentity:
        """See ``Swapper.identity``."""
        texture = build_texture(portraits)
        levels = levels_of(np.dstack([texture.color, texture.opacity]))
        meshes = [portrait.face.mesh[0] for portrait in portraits if portrait.face.mesh is not None]
        shape = np.mean([neutral(mesh) for mesh in meshes], axis=0).astype(np.float32)
        return MeshIdentity(levels, shape, texture.bearded)

    def renderer(self, each: Each = map) -> MeshRenderer:
        """See ``Swapper.renderer``."""
        return MeshRenderer(self.options, each)


class _Seen:
    """What is known of one of a shot's people."""

    def __init__(self) -> None:
        self.neutral = NeutralShape()
        self.focus = Focus()


class MeshRenderer:
    """Draws with the mesh engine, and knows the neutral shapes of a shot's people, and how well they are in focus."""

    def __init__(self, options: MeshOptions, each: Each = map) -> None:
        self._options, self._each = options, each
        self._people: dict[int, _Seen] = {}

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
        reshaped = self.reshaped(frame, mesh, identity, track_id)
        number, softness = level_for(mesh, len(identity.levels)), self._seen(track_id).focus.softness(frame, mesh)
        level = softened(identity.levels, number, mesh, softness)
        fade = self._options.fade_facing
        return drawn(
            frame, mesh, reshaped, level, fade, track_id, over_beard=identity.bearded, flat=True, each=self._each
        )

    def reshaped(self, frame: Frame, mesh: FloatArray, identity: MeshIdentity, track_id: int) -> FloatArray:
        """A face with the identity's shape, as far as it takes it.

        Args:
            frame: The frame it was found in.
            mesh: float32 (478, 3), in its pixels; all finite.
            identity: Whose shape.
            track_id: Whose face.

        Returns:
            float32 (478, 3); ``mesh`` itself where it takes no shape.
        """
        amount = self._options.shape if identity.amount is None else identity.amount
        if not amount:
            return mesh
        pose, known = posed(mesh), self._seen(track_id).neutral
        known.update(pose, frame.seconds)
        return moved(mesh, pose, (identity.shape - known.shape) * known.trust[:, None], amount)

    def _seen(self, track_id: int) -> _Seen:
        seen = self._people.pop(track_id, None) or _Seen()
        if len(self._people) >= MOST_REMEMBERED:
            longest_unseen, *_ = self._people  # in one step: faces may be drawn by several threads
            self._people.pop(longest_unseen, None)
        self._people[track_id] = seen
        return seen
