"""How much the ruler sees where nothing changed: ``python -m benchmarks.ruler CLIPS [--second-embedder FILE]``.

Each frame is measured against itself: looked at through a window that lies a little differently, with a camera's noise
added, and sent through JPEG. What `understudy eval` would call an error of pose, expression or likeness is then the
ruler's own: a smaller difference between two engines says nothing, and no aim can lie below it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from understudy import Perception
from understudy.arrays import FloatArray, UInt8Array
from understudy.evaluation import open_embedder
from understudy.evaluation.looks import Look, Onlooker, expression_kept, fidelity
from understudy.evaluation.material import clips_in, read_clip
from understudy.evaluation.steadiness import jitter
from understudy.face import Faces
from understudy.geometry.boxes import bounds_xyxy
from understudy.geometry.topology import keypoints5
from understudy.landmarks import BlendshapeModel
from understudy.recognition import Embedder
from understudy.testing import portrait

#: Standard deviation of a camera's noise, in grey levels; JPEG's quality.
NOISE, QUALITY = 2.0, 85
#: How much larger the window is, how far it is moved in eye distances, and how far turned, in degrees.
LARGER, MOVED, TURNED = 1.03, 0.03, 1.0
_MOST_PIXELS: Final = 10**8


def window(mesh: FloatArray) -> FloatArray:
    """A mesh whose region lies a little differently: float32 (478, 3)."""
    middle, turn = mesh.mean(0), np.radians(TURNED)
    eyes = keypoints5(mesh[None])[0, :2]
    moved = (mesh - middle) * LARGER
    rotation = np.array([[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    shift = np.array([1, 1, 0]) * MOVED * np.linalg.norm(eyes[1] - eyes[0])
    return np.asarray(moved @ rotation + middle + shift, np.float32)


def grainy(picture: UInt8Array, number: int) -> UInt8Array:
    """The picture with noise, other noise for each number."""
    noise = np.random.default_rng(number).normal(0, NOISE, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def squeezed(picture: UInt8Array) -> UInt8Array:
    """The picture as JPEG has it."""
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


#: What is done to a frame and to the mesh whose region is looked at, by name.
CHANGES: Final[dict[str, Callable[[UInt8Array, FloatArray, int], tuple[UInt8Array, FloatArray]]]] = {
    "window": lambda picture, mesh, _: (picture, window(mesh)),
    "noise": lambda picture, mesh, number: (grainy(picture, number), mesh),
    "jpeg": lambda picture, mesh, _: (squeezed(picture), mesh),
    "all three": lambda picture, mesh, number: (squeezed(grainy(picture, number)), window(mesh)),
}


class Floor:
    """What the ruler sees where nothing changed, in the frames of some clips."""

    def __init__(self, judges: list[Embedder]) -> None:
        self._perception = Perception.embedded()
        self._onlooker, self._judges = Onlooker(self._perception.landmarker, BlendshapeModel()), judges
        picture = portrait("astronaut")
        self._other = [judge.embed(picture, self._perception.still(picture))[0] for judge in judges]

    def of(self, path: Path, frames: int) -> dict[str, dict[str, float | None]]:
        """By what is done, each measure's mean over a clip's frames; ``jitter`` is that of one frame, over and over."""
        pictures = [frame.picture for run in read_clip(path, frames, _MOST_PIXELS).stretches for frame in run]
        meshes = [self._mesh(picture) for picture in pictures]
        seen = [(number, p, m) for number, (p, m) in enumerate(zip(pictures, meshes, strict=True)) if m is not None]
        before = [self._onlooker.look(picture, mesh) for _, picture, mesh in seen]
        found = {}
        for name, change in CHANGES.items():
            changed = [change(picture, mesh, number) for number, picture, mesh in seen]
            after = [self._onlooker.look(picture, mesh) for picture, mesh in changed]
            found[name] = fidelity(before, after) | expression_kept(before, after)
            for judge, other in zip(self._judges, self._other, strict=True):
                pairs = zip(seen, before, changed, after, strict=True)
                off = [
                    abs(self._distance(judge, other, p, a) - self._distance(judge, other, q, b))
                    for (_, p, _), a, (q, _), b in pairs
                ]
                found[name][f"distance, {judge.name}"] = float(np.mean(off))
        _, picture, mesh = seen[0]
        again = [self._onlooker.look(grainy(picture, number), mesh) for number in range(len(seen))]
        found["noise"]["jitter"] = float(jitter(again).mean())
        return found

    def _mesh(self, picture: UInt8Array) -> FloatArray | None:
        faces = self._perception.still(picture)
        return faces.mesh[int(np.argmax(faces.areas))] if faces.mesh is not None else None

    @staticmethod
    def _distance(judge: Embedder, other: FloatArray, picture: UInt8Array, look: Look) -> float:
        meshes = look.mesh[None]
        face = Faces(boxes_xyxy=bounds_xyxy(meshes), keypoints5=keypoints5(meshes), mesh=meshes)
        return float(judge.distances(other, judge.embed(picture, face))[0])


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--frames", type=int, default=15)
    parser.add_argument("--second-embedder", default="none")
    asked = parser.parse_args()
    judges = [judge for judge in map(open_embedder, ("dlib", asked.second_embedder)) if judge is not None]
    floor = Floor(judges)
    clips = [floor.of(path, asked.frames) for path in clips_in(asked.clips)]
    measures = list(dict.fromkeys(key for clip in clips for values in clip.values() for key in values))
    print(f"{'measure':24s}" + "".join(f"{name:>12s}" for name in CHANGES) + f"{'worst clip':>12s}")
    for measure in measures:
        told = [[clip[name].get(measure) for clip in clips] for name in CHANGES]
        means = [
            np.mean([v for v in values if v is not None]) if any(v is not None for v in values) else np.nan
            for values in told
        ]
        worst = max((v for v in told[-1] if v is not None), default=np.nan)
        print(f"{measure:24s}" + "".join(f"{mean:12.4f}" for mean in means) + f"{worst:12.4f}")


if __name__ == "__main__":
    main()
