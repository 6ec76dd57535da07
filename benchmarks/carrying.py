"""Whether what is carried lies where it would have been drawn: ``python -m benchmarks.carrying [--clips FILE …]``.

Three stand-ins for a slow swapper, whose answer can be seen. None is asked again, so that what they gave in one frame
grows old:

- *pattern*: paints dots where points of the face truly are, on puppets whose motion is known. Printed is how far, in
  pixels of 720p, the carried dots lie from where they truly are, by age and by how far the head has turned;
- *mirror*: gives the target's own face back, so that every difference to the frame is what carrying costs. Printed is
  the mean difference in grey levels, in the face and at its seam, by age, by the turn of the head, by what lips and
  brows did, and by the change of light: where it rises are the limits of ``swapping.carried.engine.LIMITS``. With
  ``--clips`` on real clips, too;
- *mesh*: the mesh engine, against itself in every frame.

And *refreshed*: the mirror at ``--refresh`` 5, 15, 30 and auto: how often it is asked, and how much more the picture
changes from frame to frame than where it is asked in every frame (flicker).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import numpy as np

from understudy import Perception, Settings
from understudy.arrays import FloatArray
from understudy.casting.portraits import load_portraits
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.boxes import bounds_xyxy, pixel_box
from understudy.geometry.pose import posed
from understudy.geometry.raster import rasterise
from understudy.geometry.topology import closed, closed_triangles, topology
from understudy.geometry.unwrap import facing
from understudy.guard import unguarded
from understudy.media.files import open_source
from understudy.patches import Patch
from understudy.pipeline.compositing import Compositing
from understudy.swapping import Identity, MeshEngine, Portrait
from understudy.swapping.carried.engine import LIMITS, Carried
from understudy.swapping.carried.looks import Limits, look_of, worn
from understudy.swapping.carried.running import AtOnce
from understudy.testing import Motion, Puppet, portrait, portrait_path, talking

RATE, LENGTH = 30, 61
#: Ages that are printed, in frames, and where a texture is made anew to have several of each.
AGES, STARTS = (0, 1, 2, 5, 10, 15, 20, 30, 45, 60), (0, 20, 40)
NEVER = Limits(10**6, float("inf"), float("inf"), float("inf"))
#: Spread of a dot, and how far from its place it is looked for, in pixels.
DOT, REACH = 2.0, 9


class StandIn:
    """A swapper that draws with a function: from the frame and one face to a patch's picture."""

    def __init__(self, draw: Callable[[Frame, FloatArray], np.ndarray]) -> None:
        self._draw = draw

    def identity(self, portraits: Sequence[Portrait]) -> Identity:  # noqa: ARG002
        """Nobody's."""
        return Identity()

    def renderer(self) -> StandIn:
        """Itself: it remembers nothing."""
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


# ---- the pattern


def dots() -> FloatArray:
    """Points of the face as weights of the mesh's vertices, float32 (n, 478): middles of triangles, spread over it."""
    shape = topology()
    middles = shape.uv[shape.triangles].mean(1)
    chosen: list[int] = []
    for number, middle in enumerate(middles):
        far_enough = all(np.linalg.norm(middles[other] - middle) > 0.075 for other in chosen)
        rings = np.concatenate([shape.eye_left, shape.eye_right, shape.lips_inner, shape.oval])
        if far_enough and np.linalg.norm(shape.uv[rings] - middle, axis=1).min() > 0.05:
            chosen.append(number)
    weights = np.zeros((len(chosen), len(shape.uv)), np.float32)
    for row, number in enumerate(chosen):
        weights[row, shape.triangles[number]] = 1 / 3
    return weights


def painted(size: tuple[int, int], places: FloatArray) -> np.ndarray:
    """Bright dots on grey: uint8 BGR (H, W, 3)."""
    height, width = size
    picture = np.full((height, width), 64, np.float32)
    for x, y in places:
        x0, y0 = int(x) - 10, int(y) - 10
        columns, rows = np.arange(x0, x0 + 21) + 0.5, np.arange(y0, y0 + 21) + 0.5
        blob = np.exp(-((columns[None] - x) ** 2 + (rows[:, None] - y) ** 2) / (2 * DOT**2))
        if x0 >= 0 and y0 >= 0 and x0 + 21 <= width and y0 + 21 <= height:
            picture[y0 : y0 + 21, x0 : x0 + 21] += 160 * blob
    return np.repeat(np.clip(picture, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def found_at(patch: Patch, place: FloatArray) -> FloatArray | None:
    """Where the dot near a place lies, in pixels of the frame; None where it is not shown."""
    x, y = place - [patch.box.x0, patch.box.y0]
    x0, y0 = round(float(x)) - REACH, round(float(y)) - REACH
    side = 2 * REACH + 1
    part = patch.picture[max(y0, 0) : y0 + side, max(x0, 0) : x0 + side, 1].astype(np.float32)
    if x0 < 0 or y0 < 0 or part.shape != (side, side) or patch.alpha[y0 : y0 + side, x0 : x0 + side].min() < 200:
        return None
    light = np.clip(part - np.median(part) - 12, 0, None)
    if light.sum() < 300:
        return None
    ys, xs = np.mgrid[0:side, 0:side] + 0.5
    where = np.array([(light * xs).sum(), (light * ys).sum()]) / light.sum()
    return np.asarray([*where, x0 + patch.box.x0, y0 + patch.box.y0], np.float32)


def pattern(clip: Tracked, name: str, identity: Identity) -> list[tuple[int, float, float]]:
    """Print how far the dots lie off, by age; (age, degrees, error) of each."""
    weights = dots()
    by_time = {frame.pts: truth for frame, truth in zip(clip.frames, clip.truth, strict=True)}

    def draw(frame: Frame, _: FloatArray) -> np.ndarray:
        return painted(frame.picture.shape[:2], (weights @ by_time[frame.pts])[:, :2])

    errors: list[tuple[int, float, float]] = []
    for start, number, patches in aged(clip, carried_by(StandIn(draw), NEVER), identity):
        truth, first = clip.truth[number], clip.truth[start]
        seen = np.minimum(weights @ facing(truth), weights @ facing(first)) > 0.5
        turned = np.degrees(np.arccos(np.clip(posed(first).turn[:, 2] @ posed(truth).turn[:, 2], -1, 1)))
        for place in (weights @ truth)[seen, :2]:
            where = found_at(patches[0], place)
            if where is not None:
                errors.append((number - start, float(turned), float(np.linalg.norm(where - place))))
    ages = ", ".join(
        f"{age}: {np.median(of):.2f}/{np.percentile(of, 95):.2f}" for age in AGES if len(of := _of(errors, age))
    )
    print(f"  {name:16s} px off, median/p95, at an age of frames  {ages}")
    return errors


def _of(errors: Sequence[tuple[int, float, float]], age: int) -> list[float]:
    return [error for at, _, error in errors if at == age]


def by_turn(errors: Sequence[tuple[int, float, float]]) -> None:
    """Print errors by how far the head has turned."""
    bins = [(0, 3), (3, 6), (6, 9), (9, 12), (12, 16), (16, 20), (20, 26), (26, 40)]
    cells = [(low, high, [e for _, turned, e in errors if low <= turned < high]) for low, high in bins]
    said = ", ".join(f"{low}-{high}°: {np.median(of):.2f}/{np.percentile(of, 95):.2f}" for low, high, of in cells if of)
    print(f"  {'by turn':16s} px off, median/p95  {said}")


# ---- what is shown


@dataclass(frozen=True)
class Shown:
    """How a carried face differs from the one that would have been drawn.

    Attributes:
        age: In frames.
        parts: What ``worn`` says of frames, degrees, features and light, each of a limit of 1.
        face, seam: Mean difference in grey levels where it is whole, and where it fades.
    """

    age: int
    parts: tuple[float, float, float]
    face: float
    seam: float


def composed(compositing: Compositing, frame: Frame, patches: list[Patch]) -> np.ndarray:
    """What a frame shows with patches in it."""
    shown = Frame(frame.picture.copy(), frame.pts, frame.time_base)
    compositing.compose(unguarded(shown), patches)
    return shown.picture


def compared(clip: Tracked, slow: StandIn | MeshEngine, identity: Identity, own: Identity) -> list[Shown]:
    """Differences between what is carried and what is drawn in every frame."""
    found, start_of = [], -1
    for start, number, patches in aged(clip, carried_by(slow, NEVER), identity):
        frame, faces = clip.frames[number], clip.faces[number]
        if start != start_of:
            renderer, compositing = slow.renderer(), (Compositing(), Compositing())
            first = look_of(frame, faces.mesh[0], posed(faces.mesh[0]))  # type: ignore[index]
            start_of = start
        every = renderer.render(frame, faces, {patches[0].track_id: own})  # type: ignore[dict-item]
        pictures = [composed(c, frame, p) for c, p in zip(compositing, (patches, every), strict=True)]
        box = patches[0].box
        difference = np.abs(pictures[0].astype(int) - pictures[1])[box.y0 : box.y1, box.x0 : box.x1].mean(axis=2)
        alpha = patches[0].alpha
        now = look_of(frame, faces.mesh[0], posed(faces.mesh[0]))  # type: ignore[index]
        inf = float("inf")
        parts = (
            worn(first, now, 0, Limits(1, 1, inf, inf)),
            worn(first, now, 0, Limits(1, inf, 1, inf)),
            worn(first, now, 0, Limits(1, inf, inf, 1)),
        )
        seam = (alpha > 8) & (alpha < 250)
        found.append(
            Shown(number - start, parts, float(difference[alpha >= 250].mean()), float(difference[seam].mean()))
        )
    return found


def report(name: str, shown: Sequence[Shown]) -> None:
    """Print differences by age, and by each kind of motion."""
    ages = ", ".join(
        f"{age}: {np.mean([one.face for one in of]):.2f}/{np.mean([one.seam for one in of]):.2f}"
        for age in AGES
        if (of := [one for one in shown if one.age == age])
    )
    print(f"  {name:24s} grey levels, face/seam, at an age of frames  {ages}")
    titles = (
        ("degrees", (0, 2, 4, 6, 9, 12, 16, 20, 30)),
        ("lips and brows", (0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.14, 0.2)),
    )
    for part, (title, edges) in enumerate((*titles, ("light", (0, 0.03, 0.06, 0.1, 0.2, 0.3, 0.5)))):
        cells = []
        for low, high in pairwise(edges):
            of = [one.face for one in shown if low <= one.parts[part] < high and one.age > 0]
            if len(of) > 2:
                cells.append(f"{low:g}-{high:g}: {np.mean(of):.2f}")
        print(f"  {'':24s}   by {title}  {', '.join(cells)}")


def refreshed(clip: Tracked, slow: StandIn, identity: Identity) -> None:
    """Print how often a face is asked for, and the flicker, for several ages."""
    inf = float("inf")
    ways: list[tuple[str, Limits]] = [(f"every {n}", Limits(n, inf, inf, inf)) for n in (1, 5, 15, 30)]
    ways += [(f"at most {n}, by motion", LIMITS._replace(frames=n)) for n in (5, 15, 30)]
    originals = [frame.picture for frame in clip.frames]
    for name, limits in ways:
        runner, compositing = AtOnce(), Compositing()
        renderer = carried_by(slow, limits).renderer(runner)
        errors, flicker, before = [], [], None
        for number, (frame, faces) in enumerate(zip(clip.frames, clip.faces, strict=True)):
            track = int(faces.track_ids[0])  # type: ignore[index]
            patches = renderer.render(frame, faces, {track: identity})  # type: ignore[dict-item]
            shown = composed(compositing, frame, patches)
            box, whole = patches[0].box, patches[0].alpha >= 250
            cut = (slice(box.y0, box.y1), slice(box.x0, box.x1))
            off = shown[cut].astype(int) - originals[number][cut]
            errors.append(np.abs(off)[whole].mean())
            error = np.zeros(shown.shape, np.int16)
            error[cut] = off
            if before is not None:
                flicker.append(np.abs(error - before)[cut][whole].mean())
            before = error
        said = f"{np.mean(errors):.2f} grey levels off, {np.mean(flicker):.2f} more from frame to frame"
        worst = f"p95 {np.percentile(errors, 95):.2f} and {np.percentile(flicker, 95):.2f}"
        print(f"    {name:24s} asked {runner.counts.runs:3d} of {len(clip.frames)}: {said}, {worst}")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=Path, nargs="*", default=[])
    parser.add_argument("--frames", type=int, default=150, help="of each clip")
    asked = parser.parse_args()
    perception, mesh = Perception.embedded(), MeshEngine()
    portraits, _ = load_portraits([portrait_path("hopper")], perception, source_face=None, max_pixels=10**8)
    own = mesh.identity(portraits)
    mirror = StandIn(lambda frame, _: frame.picture)
    both = carried_by(mirror, NEVER).identity(portraits)
    motions: dict[str, Callable[[float], Motion]] = {
        "still": lambda _: Motion(),
        "talking": talking,
        "turning": lambda t: Motion(yaw=24 * np.sin(2 * np.pi * t / 3), pitch=8 * np.sin(2 * np.pi * t / 2)),
        "speaking": lambda t: Motion(mouth=0.4 + 0.4 * np.sin(2 * np.pi * 2.0 * t)),
        "to and fro": lambda t: Motion(shift=(0.3 * np.sin(2 * np.pi * t), 0), roll=10 * np.sin(2 * np.pi * t / 1.5)),
    }
    made = {name: puppet_clip(perception, motion) for name, motion in motions.items()}
    print("pattern: a puppet in 720p")
    by_turn([error for name, clip in made.items() for error in pattern(clip, name, both)])
    print("mirror: the target's own face")
    clips = {f"puppet, {name}": made[name] for name in ("talking", "turning")}
    for path in asked.clips:
        with open_source(path) as source:
            clips[path.stem] = tracked(perception, islice(source, asked.frames))
    for name, clip in clips.items():
        report(name, compared(clip, mirror, both, own))
        refreshed(clip, mirror, both)
    print("mesh: the mesh engine as the slow one")
    as_slow = carried_by(mesh, NEVER).identity(portraits)
    for name, clip in clips.items():
        report(name, compared(clip, mesh, as_slow, own))


if __name__ == "__main__":
    main()
