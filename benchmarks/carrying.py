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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import numpy as np

from benchmarks.carried_pattern import AGES, by_turn, pattern, picture
from benchmarks.carried_standins import NEVER, StandIn, Tracked, aged, carried_by, puppet_clip, tracked
from understudy import Perception
from understudy.arrays import UInt8Array
from understudy.casting.portraits import load_portraits
from understudy.frames import Frame
from understudy.geometry.pose import posed
from understudy.guard import unguarded
from understudy.media.files import open_source
from understudy.patches import Patch
from understudy.pipeline.compositing import Compositing
from understudy.swapping import Identity, MeshEngine
from understudy.swapping.carried.engine import LIMITS
from understudy.swapping.carried.looks import Limits, look_of, worn
from understudy.swapping.carried.running import AtOnce
from understudy.testing import Motion, portrait_path, talking


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


def composed(compositing: Compositing, frame: Frame, patches: list[Patch]) -> UInt8Array:
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
        renderer = carried_by(slow, limits).renderer(runner=runner)
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
    parser.add_argument("--picture", type=Path, default=None, help="write a strip of the pattern, and nothing else")
    asked = parser.parse_args()
    perception, mesh = Perception.embedded(), MeshEngine()
    portraits, _ = load_portraits([portrait_path("hopper")], perception, source_face=None, max_pixels=10**8)
    own = mesh.identity(portraits)
    mirror = StandIn(lambda frame, _: frame.picture)
    both = carried_by(mirror, NEVER).identity(portraits)
    if asked.picture is not None:
        picture(perception, both, asked.picture)
        return
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
