"""Stand-ins for slow swappers, whose answer can be seen, and clips that they are carried over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from understudy import Perception, Settings
from understudy.arrays import FloatArray, UInt8Array
from understudy.each import Each
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.boxes import bounds_xyxy, pixel_box
from understudy.geometry.raster import rasterise
from understudy.geometry.topology import closed, closed_triangles, topology
from understudy.patches import Patch
from understudy.swapping import Identity, MeshEngine, Portrait
from understudy.swapping.carried.engine import Carried
from understudy.swapping.carried.looks import Limits
from understudy.testing import Motion, Puppet, portrait

RATE, LENGTH = 30, 61
#: Frames in which a texture is made, to have several of each age.
STARTS: Final = (0, 20, 40)
NEVER: Final = Limits(10**6, float("inf"), float("inf"), float("inf"))


class StandIn:
    """A swapper that draws with a function: from the frame and one face to a patch's picture."""

    def __init__(self, draw: Callable[[Frame, FloatArray], UInt8Array]) -> None:
        self._draw = draw

    def identity(self, portraits: Sequence[Portrait]) -> Identity:  # noqa: ARG002
        """Nobody's."""
        return Identity()

    def renderer(self, each: Each = map) -> StandIn:
        """Itself: it remembers nothing."""
        del each
        return self

    def render(self, frame: Frame, faces: Faces, identities: Mapping[int, Identity]) -> list[Patch]:
        """The whole face, by its mesh."""
        assert faces.mesh is not None
        mesh = faces.mesh[0]
        box = pixel_box(bounds_xyxy(mesh[None])[0], frame.width, frame.height, margin=1)
        size = (box.x1 - box.x0, box.y1 - box.y0)
        place = mesh - np.array([box.x0, box.y0, 0], np.float32)
        uv, depth = rasterise(closed(place), closed_triangles(), closed(topology().uv), size)
        alpha = np.isfinite(depth).astype(np.uint8) * np.uint8(255)
        picture = self._draw(frame, mesh)[box.y0 : box.y1, box.x0 : box.x1].copy()
        return [Patch(picture, alpha, uv, box, mesh, next(iter(identities)), lit=True)]


@dataclass(frozen=True)
class Tracked:
    """A clip, and its face as it was followed.

    Attributes:
        frames: Its pictures.
        faces: One row each.
        truth: float32 (478, 3) a frame: where the mesh truly lies; empty where nobody knows.
    """

    frames: list[Frame]
    faces: list[Faces]
    truth: list[FloatArray]


def tracked(perception: Perception, frames: Iterable[Frame], truth: Sequence[FloatArray] = ()) -> Tracked:
    """Follow the largest face of a clip; frames without one are left out."""
    tracker = perception.tracker(Settings().tracker)
    found = Tracked([], [], [])
    for number, frame in enumerate(frames):
        faces = tracker.update(frame).faces
        if len(faces):
            found.frames.append(frame)
            found.faces.append(faces[int(np.argmax(faces.areas))])
            found.truth.extend(truth[number : number + 1])
    return found


def puppet_clip(perception: Perception, motion: Callable[[float], Motion], noise: float = 2.0) -> Tracked:
    """A puppet in 720p, with the noise of a camera."""
    rng, puppet = np.random.default_rng(0), Puppet(portrait("astronaut"), (1280, 720), face_share=0.45)
    shots = [puppet.render(motion(number / RATE)) for number in range(LENGTH + max(STARTS))]
    frames = [
        Frame(
            np.clip(shot.picture + rng.normal(0, noise, shot.picture.shape), 0, 255).astype(np.uint8),
            pts=round(number * 1000 / RATE),
        )
        for number, shot in enumerate(shots)
    ]
    return tracked(perception, frames, [shot.mesh for shot in shots])


def carried_by(slow: StandIn | MeshEngine, limits: Limits) -> Carried:
    """A stand-in that is carried."""
    engine = Carried(slow, MeshEngine(), "a stand-in")
    engine.limits = limits
    return engine


def aged(clip: Tracked, engine: Carried, identity: Identity) -> Iterator[tuple[int, int, list[Patch]]]:
    """Patches made in one frame and carried to those after it: the number of the first, of the frame, and the patch."""
    for start in STARTS:
        renderer = engine.renderer()
        for number in range(start, min(start + LENGTH, len(clip.frames))):
            faces = clip.faces[number]
            track = int(faces.track_ids[0])  # type: ignore[index]
            yield start, number, renderer.render(clip.frames[number], faces, {track: identity})  # type: ignore[dict-item]
