"""Draws what a slow engine gave on every frame, along the tracked mesh, until it gives the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from threading import Lock
from typing import Any, Final, NamedTuple

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.each import Each
from understudy.face import Faces
from understudy.frames import Frame, PixelBox
from understudy.geometry.boxes import bounds_xyxy
from understudy.geometry.pose import Posed, posed
from understudy.patches import Patch
from understudy.swapping.base import Identity, Renderer
from understudy.swapping.carried.identity import CarriedIdentity
from understudy.swapping.carried.kept import Arrived, Asked, Kept
from understudy.swapping.carried.layers import Layer, in_frame, in_head
from understudy.swapping.carried.looks import Limits, Look, look_of, worn
from understudy.swapping.carried.running import Runner
from understudy.swapping.mesh.drawing import drawn, level_for
from understudy.swapping.mesh.engine import MeshRenderer

#: Faces that are remembered at most: twice as many as are followed.
_REMEMBERED: Final = 64
#: How much of a frame around a face an engine is given, as a share of the face's longer side: the widest template,
#: FFHQ's, takes 0.31 of it.
_AROUND: Final = 0.5
#: Opacity (0-255) of what is in front from which nothing is hidden.
_FREE: Final = 250


class _Face(NamedTuple):
    """One face of a frame."""

    frame: Frame
    row: Faces
    mesh: FloatArray
    pose: Posed
    look: Look
    identity: CarriedIdentity
    track_id: int


class CarriedRenderer:
    """Draws one shot of a clip, and keeps what the slow engine gave of its people.

    Args:
        slow: Draws for the slow engine.
        mesh: Draws what the slow one has not given yet, or not for long.
        fade_facing: See ``MeshOptions``.
        limits: When a face is drawn again.
        runner: Runs the slow engine.
        often: Whether it is run beside as often as it can, not only when ``limits`` say so.
        each: Calls a function with each of several items: with the halves of a large face.
    """

    def __init__(
        self,
        slow: Renderer[Any],
        mesh: MeshRenderer,
        fade_facing: Sequence[float],
        limits: Limits,
        runner: Runner,
        *,
        often: bool,
        each: Each = map,
    ) -> None:
        self._slow, self._mesh, self._fade, self._each = slow, mesh, fade_facing, each
        self._limits, self._runner, self._often = limits, runner, often
        self._faces: dict[int, Kept] = {}
        self._lock = Lock()

    def render(self, frame: Frame, faces: Faces, identities: Mapping[int, CarriedIdentity]) -> list[Patch]:
        """See ``Renderer.render``."""
        if faces.mesh is None or faces.track_ids is None:
            return []
        patches = []
        for row, mesh, track_id in zip(faces, faces.mesh, faces.track_ids.tolist(), strict=True):
            if track_id in identities and np.isfinite(mesh).all():
                pose = posed(mesh)
                look = look_of(frame, mesh, pose)
                patch = self._patch(_Face(frame, row, mesh, pose, look, identities[track_id], track_id))
                if patch is not None:
                    patches.append(patch)
        return patches

    def hidden(self, frame: Frame, patch: Patch, in_front: UInt8Array | None) -> None:
        """Be told what is before a face that was drawn: nothing of that may be carried.

        Args:
            frame: The frame it was drawn for.
            patch: As it was drawn.
            in_front: uint8 of the patch's size: 255 shows the patch, 0 what is before it. None: nothing is.
        """
        with self._lock:
            kept = self._faces.get(patch.track_id)
        if kept is None or kept.asked is None or in_front is None or kept.asked.look.seconds != frame.seconds:
            return
        if int(in_front.min(where=patch.alpha > 0, initial=255)) < _FREE:
            kept.asked.in_front = in_front, patch.box
            if kept.fresh is not None:
                kept.correct(kept.asked.layer(*kept.fresh))

    def turning(self, track_id: int) -> bool:
        """Whether a face goes over from one engine's to the other's in the frame that was drawn last."""
        with self._lock:
            kept = self._faces.get(track_id)
        return kept is not None and kept.turning

    def _patch(self, face: _Face) -> Patch | None:
        kept, look, runner = self._kept(face.track_id, face.identity), face.look, self._runner
        own = partial(self._own, face)
        need = float("inf") if kept.look is None else worn(kept.look, look, kept.frames, self._limits)
        kept.fresh = None
        if runner.keeps_up:
            patch = self._drawn_now(face, kept)
            if patch is not None:
                return patch
        kept.settle(own)
        if runner.waits:
            if need >= 1:
                self._make_now(face, kept)
        elif self._often or need >= 1:
            self._make_beside(face, kept, need)
        age = 0.0 if kept.look is None else look.seconds - kept.look.seconds
        if kept.carried and (age < 0 or (need >= 1 and age > runner.kept)):
            kept.let_go(own())
            runner.given_up()
        runner.counts.note(age if kept.carried else None)
        number = level_for(face.mesh, len(face.identity.mesh.levels))
        shown = kept.shown(own() if kept.needs_own else None, number)
        reshaped = face.mesh if shown.offset is None else face.mesh + in_frame(shown.offset, face.pose)
        return drawn(
            face.frame,
            face.mesh,
            reshaped,
            shown.levels[0],
            self._fade,
            face.track_id,
            over_beard=shown.over_beard,
            each=self._each,
        )

    def _own(self, face: _Face) -> Layer:
        """What the mesh engine draws."""
        identity = face.identity.mesh
        reshaped = self._mesh.reshaped(face.frame, face.mesh, identity, face.track_id)
        offset = None if reshaped is face.mesh else in_head(reshaped - face.mesh, face.pose)
        return Layer(identity.levels, offset, identity.bearded)

    def _by_slow(self, frame: Frame, row: Faces, identity: Identity, track_id: int) -> Patch | None:
        """What the slow engine draws; None where that is nothing."""
        patches = self._slow.render(frame, row, {track_id: identity})
        return patches[0] if patches else None

    def _drawn_now(self, face: _Face, kept: Kept) -> Patch | None:
        """A face as the slow engine draws it, in this very frame."""
        patch = self._runner.now(partial(self._by_slow, face.frame, face.row, face.identity.slow, face.track_id))
        if patch is not None:
            kept.arrived.clear()  # of a frame before: this one is newer
            kept.turning = kept.direct is None
            kept.asked, kept.direct = Asked(face.look), patch
            self._runner.counts.note(0.0)
        return patch

    def _make_now(self, face: _Face, kept: Kept) -> None:
        """Have a texture made while the frame waits."""
        patch = self._runner.now(partial(self._by_slow, face.frame, face.row, face.identity.slow, face.track_id))
        if patch is None:
            return
        own, first = self._own(face), kept.known is None
        before = kept.known or own
        kept.asked, kept.fresh = Asked(face.look), (patch, before)
        kept.take(kept.asked.layer(patch, before), face.look, own, at_once=first)

    def _make_beside(self, face: _Face, kept: Kept, need: float) -> None:
        """Have a texture made beside, and take what has come."""
        if kept.arrived:
            arrived = kept.arrived.popleft()
            if (
                kept.look is None
                or arrived.asked.look.seconds > kept.look.seconds
                or face.look.seconds < kept.look.seconds
            ):
                kept.take(arrived.shown, arrived.asked.look, self._own(face))
        part, row, corner = _cut_out(face.frame, face.row, face.mesh)
        asked = kept.asked = Asked(face.look, corner)
        textures, identity = face.identity.mesh, face.identity.slow

        def take(patch: Patch) -> None:
            before = kept.known or Layer(textures.levels, None, textures.bearded)
            kept.arrived.append(Arrived(asked, patch, before))

        run = partial(self._by_slow, part, row, identity, face.track_id)
        self._runner.offer((id(self), face.track_id), need, run, take)

    def _kept(self, track_id: int, identity: CarriedIdentity) -> Kept:
        with self._lock:
            kept = self._faces.pop(track_id, None)
            if kept is None or kept.identity is not identity:
                kept = Kept(identity)
            while len(self._faces) >= _REMEMBERED:
                del self._faces[next(iter(self._faces))]
            self._faces[track_id] = kept
            return kept


def _cut_out(frame: Frame, row: Faces, mesh: FloatArray) -> tuple[Frame, Faces, tuple[int, int]]:
    """A copy of a frame's part with a face, the face in its pixels, and where it lies in the frame."""
    low, high = np.split(bounds_xyxy(mesh[None])[0], 2)
    margin = _AROUND * float((high - low).max())
    x0, y0, x1, y1 = (round(float(value)) for value in (*(low - margin), *(high + margin)))
    box = PixelBox(x0, y0, x1, y1).clipped(frame.width, frame.height)
    if box.empty:
        box = PixelBox(0, 0, frame.width, frame.height)
    shift = np.array([box.x0, box.y0], np.float32)
    moved = Faces(
        boxes_xyxy=row.boxes_xyxy - np.tile(shift, 2),
        scores=row.scores,
        keypoints5=None if row.keypoints5 is None else row.keypoints5 - shift,
        mesh=mesh[None] - np.array([*shift, 0], np.float32),
        track_ids=row.track_ids,
        person_ids=row.person_ids,
        embeddings=row.embeddings,
        blendshapes=row.blendshapes,
    )
    return Frame(frame.part(box).copy(), frame.pts, frame.time_base), moved, (box.x0, box.y0)
