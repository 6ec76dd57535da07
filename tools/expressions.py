"""Makes ``src/understudy/swapping/mesh/expressions.json``: how a face moves when its mouth opens and when it smiles.

In every frame of some clips the face's shape is set against three numbers: the gap between the lips, and what the
blendshape model says of smiling and of pouting. Each person's own mean is taken off first, so what is left is motion,
and everybody counts the same. Photos, where there are some, help to tell a smile from a mouth that is so by nature.

Run from the repository root after an editable install: ``python tools/expressions.py MEDIA``, a folder with ``sources``
(photos) and ``targets`` (clips that show one person each).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from understudy.arrays import AnyArray, FloatArray
from understudy.casting.portraits import portrait_in
from understudy.evaluation.material import clips_in, pictures_in
from understudy.geometry.pose import posed
from understudy.geometry.topology import topology
from understudy.landmarks.blendshapes import NAMES, BlendshapeModel
from understudy.media.files import load_photo, open_source
from understudy.resources.perception import Perception
from understudy.swapping.mesh.expression import FADES, corners, gap, shut
from understudy.swapping.mesh.shape import symmetric
from understudy.testing.portraits import PORTRAITS, portrait

PACKAGE = Path(__file__).parents[1] / "src/understudy"
#: Frames of a clip that are looked at, and most pixels of a picture.
FRAMES, MOST_PIXELS = 600, 100_000_000
#: Presence from which a fit is believed.
SURE = 0.9


def shapes_and_scores(meshes: list[FloatArray], model: BlendshapeModel) -> tuple[AnyArray, AnyArray]:
    """The shapes (n, 478, 3), the same on both sides, and their scores of smiling and pouting (n, 2)."""
    scores = model.scores(np.stack(meshes))
    column = {name: scores[:, NAMES.index(name)] for name in ("mouthSmileLeft", "mouthSmileRight", "mouthPucker")}
    smile = (column["mouthSmileLeft"] + column["mouthSmileRight"]) / 2
    return np.stack([symmetric(posed(mesh).shape) for mesh in meshes]), np.column_stack([smile, column["mouthPucker"]])


def meshes_of(path: Path, perception: Perception) -> list[FloatArray]:
    """The largest face's mesh in every frame of a clip, not smoothed."""
    found: list[FloatArray] = []
    last: FloatArray | None = None
    with open_source(path, MOST_PIXELS) as source:
        for number, frame in enumerate(source):
            if number >= FRAMES:
                break
            if last is None:
                faces = perception.still(frame.picture)
                if faces.mesh is None or not len(faces):
                    continue
                last = faces.mesh[int(np.argmax(faces.areas))]
            fit = perception.landmarker.fit(frame.picture, perception.landmarker.next_roi(last))
            last = fit.mesh if fit.presence >= SURE else None
            found += [] if last is None else [last]
    return found


def motions(people: list[tuple[AnyArray, AnyArray]]) -> AnyArray:
    """What opens, smiles and pouts, (3, 478, 3): one regression over all, each person's mean taken off."""
    left, right = [], []
    for shapes, scores in people:
        causes = np.column_stack([gap(shapes), scores])
        weight = 1 / np.sqrt(len(shapes))
        left.append((causes - causes.mean(0)) * weight)
        right.append((shapes - shapes.mean(0)).reshape(len(shapes), -1) * weight)
    found, *_ = np.linalg.lstsq(np.concatenate(left), np.concatenate(right), rcond=None)
    return np.asarray(found).reshape(3, -1, 3)


def smile_rule(people: dict[str, tuple[AnyArray, AnyArray]]) -> AnyArray:
    """How the score of smiling follows from ``corners`` of mouths that were shut, (3,): weights and a constant."""
    left, right = [], []
    for shapes, scores in people.values():
        weight = 1 / np.sqrt(len(shapes))
        left.append(np.column_stack([corners(shapes), np.ones(len(shapes))]) * weight)
        right.append(scores[:, 0] * weight)
    rule, *_ = np.linalg.lstsq(np.concatenate(left), np.concatenate(right), rcond=None)
    return np.asarray(rule)


def main(media: Path) -> None:
    """Measure, say how well people agree, and write the file."""
    perception, model = Perception.embedded(), BlendshapeModel()
    clips = {path.stem: shapes_and_scores(meshes_of(path, perception), model) for path in clips_in(media / "targets")}
    photos = {path.stem: load_photo(path, MOST_PIXELS) for path in pictures_in(media / "sources")}
    stills = {name: picture for name, picture in photos.items() if picture is not None}
    stills |= {name: portrait(name) for name in PORTRAITS}
    everybody = dict(clips)
    for name, picture in stills.items():
        face = portrait_in(picture, name, perception, None)[0].face
        assert face.mesh is not None
        everybody[name] = shapes_and_scores([face.mesh[0]], model)
    found = motions(list(clips.values()))
    for name, person in clips.items():
        reach = [float(np.ptp(gap(person[0]))), float(np.ptp(person[1][:, 0]))]
        apart = [float(np.abs(a - b)[_mouth()].mean()) for a, b in zip(motions([person]), found, strict=True)][:2]
        print(f"{name}: gap {reach[0]:.2f}, smile {reach[1]:.2f}; off by {apart[0]:.3f}, {apart[1]:.3f} a unit")
    height = topology().canonical[:, 1]
    kept = {
        name: motion * np.clip((height - low) / (high - low), 0, 1)[:, None]
        for (name, (low, high)), motion in zip(FADES.items(), found, strict=False)
    }
    closed = {name: (shut(shapes, kept["opening"]), scores) for name, (shapes, scores) in everybody.items()}
    rule = smile_rule(closed)
    wrong = []
    for name, (shapes, scores) in closed.items():
        others = smile_rule({other: person for other, person in closed.items() if other != name})
        told = np.clip(np.column_stack([corners(shapes), np.ones(len(shapes))]) @ others, 0, 1)
        wrong.append(float(np.abs(told - scores[:, 0]).mean()))
    print(f"a smile that nobody else's faces were asked about is told to {np.mean(wrong):.3f}")
    data = {name: np.round(motion, 3).tolist() for name, motion in kept.items()}
    target = PACKAGE / "swapping/mesh/expressions.json"
    target.write_text(json.dumps(data | {"smile_rule": np.round(rule, 3).tolist()}) + "\n", encoding="utf-8")


def _mouth() -> AnyArray:
    return np.unique(np.concatenate([topology().lips_outer, topology().lips_inner]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
