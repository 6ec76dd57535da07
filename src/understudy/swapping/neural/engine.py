"""Runs any swapper of the catalogue: crop, model, and back into the frame as a patch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import NamedTuple

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.each import Each
from understudy.errors import ModelError, UsageError
from understudy.face import Faces
from understudy.frames import Frame, PixelBox
from understudy.geometry.boxes import bounds_xyxy, pixel_box
from understudy.geometry.raster import rasterise
from understudy.geometry.templates import TEMPLATES
from understudy.geometry.topology import closed, closed_triangles, topology
from understudy.geometry.transforms import aligned, invert
from understudy.geometry.transforms import crop as crop_of
from understudy.models.conventions import blob, is_blank, is_picture, picture_of
from understudy.models.graphs import EMBEDDING
from understudy.models.session import Session
from understudy.patches import Patch
from understudy.swapping.base import Identity, Portrait
from understudy.swapping.neural.conditioned import Kernels, PersonalSessions
from understudy.swapping.neural.opacity import opacity
from understudy.swapping.neural.options import NeuralOptions
from understudy.swapping.neural.source import SourceEncoder

#: Of the face's width: how far inside its outline the patch is whole.
SOFT = 0.06
#: Of the crop's side: how far inside its edge, likewise.
EDGE = 0.04
#: Of the face, how much a model's own mask must show of it: with less it is not swapped.
_LEAST_SHOWN = 0.04
#: People of the target whose identity is kept, and the frame after which it is looked at no more.
REMEMBERED, LAST_LOOK = 64, 512


@dataclass(frozen=True, eq=False)
class NeuralIdentity(Identity):
    """A face as a swapper takes it.

    Attributes:
        values: float32 (1, ...): what goes into the model's second input. Or what makes the model this person's.
        dropped: See ``Identity``.
        unit: float32 (512,): the embedding, of length 1; None where the model takes none.
        length: How long the embedder gave it.
    """

    values: FloatArray | Kernels
    dropped: tuple[tuple[int, str], ...] = ()
    unit: FloatArray | None = None
    length: float = 1.0


class SwappedCrop(NamedTuple):
    """A crop with the other face in it.

    Attributes:
        picture: uint8 BGR (S, S, 3).
        mask: uint8 (S, S): 255 shows it; as the model's authors have it. None where the model says nothing of that.
    """

    picture: UInt8Array
    mask: UInt8Array | None


class NeuralEngine:
    """One swapper of the catalogue.

    Args:
        session: The open model.
        encoder: Encodes people for it.
        options: How it draws.
        personal: The same model for each person, where kernels make it theirs.

    Raises:
        UsageError: it takes photos, and ``options.weight`` would mix identities.
    """

    def __init__(
        self,
        session: Session,
        encoder: SourceEncoder,
        options: NeuralOptions | None = None,
        personal: PersonalSessions | None = None,
    ) -> None:
        entry = session.entry
        assert entry.source is not None
        assert entry.output is not None
        assert entry.input.template is not None
        self.options = options or NeuralOptions()
        if self.options.mixed and not encoder.knows_people:
            raise UsageError(
                f"{entry.name} works from the photo itself, so --weight has no meaning", "Leave --weight out."
            )
        self._session, self._encoder, self._personal = session, encoder, personal
        self._input, self._output = entry.input, entry.output
        self._template = TEMPLATES[entry.input.template]
        self._target, self._source = session.target, session.source

    def identity(self, portraits: Sequence[Portrait]) -> NeuralIdentity:
        """See ``Swapper.identity``."""
        encoded = self._encoder.encode(portraits)
        if isinstance(encoded.values, Kernels):
            self._its_own(encoded.values)  # opened now: no frame waits for it, and what is wrong shows before the first
        return NeuralIdentity(encoded.values, encoded.dropped, encoded.unit, encoded.length)

    def renderer(self, each: Each = map) -> NeuralRenderer:
        """See ``Swapper.renderer``."""
        return NeuralRenderer(self, each)

    def swapped(self, crop: UInt8Array, source: FloatArray | Kernels) -> SwappedCrop | None:
        """A crop with the other face in it, of the same size: the model's, times ``options.boost``.

        Args:
            crop: uint8 BGR, aligned.
            source: What goes into the second input, or what makes the model one person's.

        None where the model gave what is no picture: no numbers, or a square of one colour, which is no face.
        """
        boost, own = self.options.boost, self._output.mask
        result = np.empty_like(crop)
        mask = None if own is None else np.empty(crop.shape[:2], np.uint8)
        for row in range(boost):
            for column in range(boost):
                part = np.ascontiguousarray(crop[row::boost, column::boost])
                given = self._run(blob(part, self._input), source)
                if not is_picture(given[0]) or not (own is None or np.isfinite(given[1]).all()):
                    return None
                drawn = picture_of(given[0], self._output)
                if is_blank(drawn, part):
                    return None
                result[row::boost, column::boost] = drawn
                if own is not None and mask is not None:
                    mask[row::boost, column::boost] = opacity(given[1][0, 0], own)
        return SwappedCrop(result, mask)

    def _run(self, picture: FloatArray, source: FloatArray | Kernels) -> list[FloatArray]:
        if isinstance(source, Kernels):
            session = self._its_own(source)
            return session.run({session.target: picture})
        return self._session.run({self._target: picture, self._source: source})

    def _its_own(self, kernels: Kernels) -> Session:
        assert self._personal is not None
        return self._personal.of(kernels)

    def patch(
        self,
        frame: Frame,
        box: PixelBox,
        mesh: FloatArray,
        keypoints: FloatArray,
        source: FloatArray | Kernels,
        track_id: int,
        each: Each = map,
    ) -> Patch | None:
        """One face of a frame with another in its place; None where the model gave no picture, or shows nothing of it.

        Args:
            frame: The frame.
            box: Its part with the face.
            mesh: float32 (478, 3), in its pixels.
            keypoints: float32 (5, 2), likewise.
            source: As for ``swapped``.
            track_id: Whose face it is.
            each: Calls a function with each of several items: with the halves of a large face.
        """
        side = self._input.size * self.options.boost
        crop, transform = aligned(frame.picture, keypoints, self._template, side)
        swapped = self.swapped(crop, source)
        if swapped is None:
            return None
        picture = _back(swapped.picture, transform, box)
        place = mesh - np.array([box.x0, box.y0, 0], np.float32)
        size = (box.x1 - box.x0, box.y1 - box.y0)
        uv, depth = rasterise(closed(place), closed_triangles(), closed(topology().uv), size, each)
        shown = np.asarray(np.isfinite(depth), np.uint8) * np.uint8(255)
        rim = _inside(side) if swapped.mask is None else swapped.mask
        outline = _softened(shown, float(np.ptp(mesh[:, 0])))
        alpha = np.asarray(cv2.min(outline, _back(rim, transform, box)), np.uint8)
        if swapped.mask is not None and cv2.sumElems(alpha)[0] < _LEAST_SHOWN * cv2.sumElems(outline)[0]:
            return None
        return Patch(picture, alpha, uv, box, mesh, track_id, lit=True)

    def embed(self, picture: UInt8Array, face: Faces) -> FloatArray:
        """Whom a face of the target is like: see ``SourceEncoder.embed``."""
        return self._encoder.embed(picture, face)

    def mixed(self, identity: NeuralIdentity, target: FloatArray) -> FloatArray:
        """What goes in for an identity into which the target's is mixed: float32 (512,), the sum of its embeddings."""
        assert identity.unit is not None
        return self._encoder.mixed(identity.unit, identity.length, target, self.options.mixed)


class NeuralRenderer:
    """Draws with one neural engine, and knows whom the people of a shot are like.

    Args:
        engine: The engine.
        each: See ``Swapper.renderer``.
    """

    def __init__(self, engine: NeuralEngine, each: Each = map) -> None:
        self._engine, self._each = engine, each
        #: Whom the target's people are like, where that is part of what goes in; by track.
        self._targets: dict[int, _Target] = {}
        self._lock = Lock()

    def render(self, frame: Frame, faces: Faces, identities: Mapping[int, NeuralIdentity]) -> list[Patch]:
        """See ``Renderer.render``."""
        if faces.mesh is None or faces.keypoints5 is None or faces.track_ids is None:
            return []
        patches = []
        rows = zip(faces, faces.mesh, faces.keypoints5, faces.track_ids.tolist(), strict=True)
        for face, mesh, keypoints, track_id in rows:
            if track_id not in identities or not (np.isfinite(mesh).all() and np.isfinite(keypoints).all()):
                continue
            box = pixel_box(bounds_xyxy(mesh[None])[0], frame.width, frame.height, margin=1)
            if box.empty:
                continue
            source = self._weighed(frame.picture, face, identities[track_id], track_id)
            patch = self._engine.patch(frame, box, mesh, keypoints, source, track_id, self._each)
            if patch is not None:
                patches.append(patch)
        return patches

    def _weighed(
        self, picture: UInt8Array, face: Faces, identity: NeuralIdentity, track_id: int
    ) -> FloatArray | Kernels:
        """What goes in for one person of the target.

        Whom they are like is looked at in the first frame, the second, the fourth, the eighth …, and averaged: the
        embedder is slow, and one frame may be dark or blurred.
        """
        if not self._engine.options.mixed or identity.unit is None:
            return identity.values
        with self._lock:
            target = self._targets.setdefault(track_id, _Target())
            while len(self._targets) > REMEMBERED:
                del self._targets[next(iter(self._targets))]
            target.seen += 1
            if target.seen & (target.seen - 1) == 0 and target.seen <= LAST_LOOK:
                with suppress(ModelError):  # of this frame it says nothing; the next look may
                    target.add(self._engine.embed(picture, face))
            if target.looks == 0:
                target.seen = 0
                return identity.values
            if target.values is None or target.identity is not identity:
                target.identity = identity
                target.values = self._engine.mixed(identity, target.total)
            return target.values


@dataclass(eq=False)
class _Target:
    """Whom a person of the target is like.

    Attributes:
        seen: Frames since the first look.
        looks: Looks that told something.
        total: float32 (512,): the sum of their embeddings, each of length 1.
        identity: For whom ``values`` are.
        values: What goes in; None if it has to be made anew.
    """

    seen: int = 0
    looks: int = 0
    total: FloatArray = field(default_factory=lambda: np.zeros(EMBEDDING, np.float32))
    identity: NeuralIdentity | None = None
    values: FloatArray | None = None

    def add(self, embedding: FloatArray) -> None:
        """Take in another look; one that is no direction tells nothing."""
        length = float(np.linalg.norm(embedding))
        if np.isfinite(length) and length > 0:
            self.total = self.total + embedding / np.float32(length)
            self.looks, self.values = self.looks + 1, None


def _back(crop: UInt8Array, transform: FloatArray, box: PixelBox) -> UInt8Array:
    """A crop where it came from, as much of it as lies in ``box``: uint8, of the box's size."""
    back = invert(transform)
    back[:, 2] -= [box.x0, box.y0]
    return crop_of(crop, back, (box.x1 - box.x0, box.y1 - box.y0))


def _softened(shown: UInt8Array, width: float) -> UInt8Array:
    """The face's outline, falling to nothing on the inside; not at the frame's edge, where the face goes on."""
    reach = max(1, round(SOFT * width))
    inside = cv2.distanceTransform(shown, cv2.DIST_L2, 3)
    return np.asarray(np.clip(inside * (255 / reach), 0, 255), np.uint8)


def _inside(side: int) -> UInt8Array:
    """How far inside a crop each pixel lies: nothing is known beyond its edge."""
    ramp = np.minimum(np.arange(side) + 0.5, side - np.arange(side) - 0.5) / (EDGE * side)
    return np.asarray(np.clip(np.minimum.outer(ramp, ramp) * 255, 0, 255), np.uint8)
