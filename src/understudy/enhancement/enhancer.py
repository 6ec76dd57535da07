"""Enhances the frames of one clip, step by step, once the faces are in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from math import prod

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.canvas import Canvas
from understudy.enhancement.automatic import automatic
from understudy.enhancement.base import Restorer, SwappedFace, Upscaler
from understudy.enhancement.classical import REACH, STEPS
from understudy.enhancement.detail import Detail, crop_of, detail_of, draw
from understudy.enhancement.options import EnhanceOptions, Step
from understudy.enhancement.steadying import Following, Steadied
from understudy.frames import PixelBox
from understudy.geometry.boxes import bounds_xyxy
from understudy.per_track import PerTrack

#: The track of what belongs to no face.
_NOBODY = -1


@dataclass(frozen=True, eq=False)
class Enhancers:
    """The models that steps name, opened.

    Attributes:
        restorers, upscalers: By name.
    """

    restorers: Mapping[str, Restorer] = field(default_factory=dict)
    upscalers: Mapping[str, Upscaler] = field(default_factory=dict)

    def scale(self, options: EnhanceOptions) -> int:
        """How many times as large steps make a frame."""
        return prod(self.upscalers[step.name].scale for step in options.parsed if step.name in self.upscalers)


@dataclass(eq=False)
class _Memory:
    """What is remembered of one track, by step."""

    details: dict[str, Steadied] = field(default_factory=dict)
    strengths: dict[str, Following] = field(default_factory=dict)


class Enhancer:
    """Enhances frames in order, and remembers what was added to whom.

    Args:
        options: What is done to faces without options of their own, and to the frame.
        models: What the steps name; those of all faces' own options, too.
        beside: Whether restorers run in a thread beside: no frame waits for one, and what it made is carried to every
            frame until the next is ready.

    Attributes:
        runs: How often a restorer gave something.
        frames: How often something of a restorer's was shown of a face.
    """

    def __init__(self, options: EnhanceOptions, models: Enhancers, *, beside: bool = False) -> None:
        self.options = options
        self.runs = self.frames = 0
        self._models = models
        self._people = PerTrack(_Memory)
        self._thread = ThreadPoolExecutor(1, "restore") if beside else None
        self._jobs: list[Future[Detail | None]] = []

    def enhance(self, canvas: Canvas, faces: Sequence[SwappedFace], own: Sequence[EnhanceOptions | None]) -> int:
        """Enhance one frame.

        Faces with options of their own are done first; then come the steps of all others and of the frame, in order.

        Args:
            canvas: Of the frame.
            faces: Those that were swapped.
            own: What is done to each; None: what is done to all.

        Returns:
            How many times as large the frame is now.

        Raises:
            ModelError: a model failed.
        """
        for face, options in zip(faces, own, strict=True):
            for step in () if options is None else options.parsed:
                self._on_face(canvas, face, step, options or self.options)
        scale = 1
        others = [face for face, options in zip(faces, own, strict=True) if options is None]
        everybody = list(faces)
        for step in self.options.parsed:
            upscaler = self._models.upscalers.get(step.name)
            if upscaler is not None:
                _upscale(canvas, upscaler, step, everybody)
                scale *= upscaler.scale
                others, everybody = ([face.scaled(upscaler.scale) for face in some] for some in (others, everybody))
            elif step.where in ("frame", "background"):
                self._on_frame(canvas, everybody, step)
            else:
                for face in others:
                    self._on_face(canvas, face, step, self.options)
        return scale

    def forget(self, tracks: Sequence[int] | None = None) -> None:
        """What comes next is another shot; or of some tracks another face, and nobody asks for what is being made."""
        if tracks is None:
            for job in self._jobs:
                job.cancel()  # but for the one that runs
        self._people.forget(tracks)

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)

    def _on_face(self, canvas: Canvas, face: SwappedFace, step: Step, options: EnhanceOptions) -> None:
        (memory,) = self._people.of([face.track_id])
        strength = self._strength(canvas, memory, step, bounds_xyxy(face.mesh[None])[0])
        restorer = self._models.restorers.get(step.name)
        if strength <= 0 or face.box.empty:
            return
        if restorer is None:
            part, inner = _with_margin(canvas, face.box)
            stepped = STEPS[step.name](part)[inner]
            _mix(canvas.change(face.box), stepped, face.shown, strength)
        else:
            self._restore(canvas, face, memory.details.setdefault(step.name, Steadied()), restorer, strength, options)

    def _restore(
        self,
        canvas: Canvas,
        face: SwappedFace,
        steadied: Steadied,
        restorer: Restorer,
        strength: float,
        options: EnhanceOptions,
    ) -> None:
        passed = steadied.begin(canvas.frame.seconds)
        answered, made = self._asked(canvas, face, steadied, restorer, options.weight)
        if made is not None:
            self.runs += 1
            steadied.take(made, fading_in=self._thread is not None)
        elif answered:
            steadied.let_go()
        shown = steadied.shown(passed, options.seconds)
        if shown is not None:
            self.frames += 1
            draw(canvas.change(face.box), face, shown, strength)

    def _asked(
        self, canvas: Canvas, face: SwappedFace, steadied: Steadied, restorer: Restorer, weight: float
    ) -> tuple[bool, Detail | None]:
        """Whether a restorer has answered, now or to what it was asked before; and what it gave, if anything."""
        if self._thread is None:
            return True, detail_of(crop_of(canvas.frame.picture, face.mesh, restorer), restorer, weight)
        waiting = steadied.waiting
        if waiting is not None and not waiting.done():
            return False, None
        crop = crop_of(canvas.frame.picture, face.mesh, restorer)
        steadied.waiting = self._thread.submit(detail_of, crop, restorer, weight)
        self._jobs = [*(job for job in self._jobs if not job.done()), steadied.waiting]
        return (False, None) if waiting is None else (True, waiting.result())

    def _on_frame(self, canvas: Canvas, faces: Sequence[SwappedFace], step: Step) -> None:
        (memory,) = self._people.of([_NOBODY])
        whole = PixelBox(0, 0, canvas.width, canvas.height)
        strength = self._strength(canvas, memory, step, np.array(whole, np.float32))
        if strength > 0:
            stepped = STEPS[step.name](canvas.frame.picture)
            shown = _beside(faces, canvas.width, canvas.height) if step.where == "background" else None
            _mix(canvas.change(whole), stepped, shown, strength)

    def _strength(self, canvas: Canvas, memory: _Memory, step: Step, box_xyxy: FloatArray) -> float:
        if step.strength is not None:
            return step.strength
        wanted = automatic(step.name, canvas.frame.picture, box_xyxy)
        return memory.strengths.setdefault(step.name, Following())(wanted, canvas.frame.seconds)


def _with_margin(canvas: Canvas, box: PixelBox) -> tuple[UInt8Array, tuple[slice, slice]]:
    """The pixels of a box and some around it, and where in them the box lies."""
    wide = PixelBox(box.x0 - REACH, box.y0 - REACH, box.x1 + REACH, box.y1 + REACH).clipped(canvas.width, canvas.height)
    rows = slice(box.y0 - wide.y0, box.y1 - wide.y0)
    return canvas.frame.part(wide), (rows, slice(box.x0 - wide.x0, box.x1 - wide.x0))


def _mix(region: UInt8Array, stepped: UInt8Array, shown: UInt8Array | None, strength: float) -> None:
    """Write ``stepped`` into ``region``, uint8 BGR (h, w, 3), as far as ``shown`` (255: all of it) and ``strength``."""
    if shown is None:
        region[:] = stepped if strength == 1 else cv2.addWeighted(stepped, strength, region, 1 - strength, 0)
        return
    weight = (shown * np.float32(strength / 255))[:, :, None]
    region[:] = np.rint(region + (stepped.astype(np.float32) - region) * weight).astype(np.uint8)


def _beside(faces: Iterable[SwappedFace], width: int, height: int) -> UInt8Array:
    """uint8 (height, width): 0 where a swapped face is seen, 255 elsewhere."""
    free = np.full((height, width), 255, np.uint8)
    for face in faces:
        box = face.box
        part = free[box.y0 : box.y1, box.x0 : box.x1]
        np.minimum(part, 255 - face.shown, out=part)
    return free


def _upscale(canvas: Canvas, upscaler: Upscaler, step: Step, faces: Sequence[SwappedFace]) -> None:
    """Put a larger picture in the frame's place; what the model is not to draw is as a bicubic filter has it."""
    frame, scale = canvas.frame, upscaler.scale
    size = (frame.width * scale, frame.height * scale)
    large = upscaler.upscaled(frame.picture)
    strength = 1.0 if step.strength is None else step.strength
    if step.where == "background" or strength < 1:
        plain = np.asarray(cv2.resize(frame.picture, size, interpolation=cv2.INTER_CUBIC), np.uint8)
        shown = _beside((face.scaled(scale) for face in faces), *size) if step.where == "background" else None
        _mix(plain, large, shown, strength)
        large = plain
    canvas.enlarge(large)
