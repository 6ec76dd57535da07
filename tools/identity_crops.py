"""Measures the identity network against dlib itself, and finds the template by which faces are cropped for it.

``recognition/identity.py`` has the template, ``docs/lab-book.md`` the figures. Run from the repository root, in an
environment that also has dlib: ``pip install dlib-bin face_recognition_models setuptools``, then
``python tools/identity_crops.py MEDIA``, a folder with ``sources`` (photos) and ``targets`` (clips of one person each).
The template is the mean over the clips; what is printed is of all faces.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import dlib
import numpy as np

from understudy.arrays import AnyArray, FloatArray, UInt8Array
from understudy.face import Faces
from understudy.geometry.topology import keypoints5
from understudy.geometry.transforms import apply, crop, invert, similarity
from understudy.models.embedded_onnx import OnnxModel
from understudy.recognition.identity import FILE, IdentityNetwork
from understudy.resources.perception import Perception
from understudy.testing import portrait

SIDE, FRAMES = 150, 9
#: Where dlib's five landmarks lie in its crops, in pixels by their centres (``get_face_chip_details``, padding 0.25).
PLACES = np.array(
    [(110.957, 46.350), (89.606, 47.897), (37.058, 46.373), (58.409, 47.906), (74.011, 87.780)], np.float32
)


@dataclass
class Seen:
    """One face as dlib has it: its mesh, dlib's crop (RGB), the way from picture to crop, and its embedding."""

    who: str
    picture: UInt8Array
    mesh: FloatArray
    chip: UInt8Array
    to_chip: FloatArray
    embedding: FloatArray


class Dlib:
    """dlib's own landmarks and network, in the box that its detector would give: brows to chin."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec("face_recognition_models")
        folder = Path(spec.submodule_search_locations[0]) / "models"
        self._landmarks = dlib.shape_predictor(str(folder / "shape_predictor_5_face_landmarks.dat"))
        self._network = dlib.face_recognition_model_v1(str(folder / "dlib_face_recognition_resnet_model_v1.dat"))

    def see(self, who: str, picture: UInt8Array, mesh: FloatArray) -> Seen:
        """One face by dlib's own landmarks, crop and network."""
        part, to_part = _part(picture, mesh)
        points = apply(to_part, mesh[:, :2])
        low, high = points.min(0), points.max(0)
        side = float((high - low).max())
        middle = (low + high) / 2 + [0, side * 0.06]
        corners = [
            *(middle - side * 0.46).round().astype(int).tolist(),
            *(middle + side * 0.46).round().astype(int).tolist(),
        ]
        rgb = np.ascontiguousarray(part[:, :, ::-1])
        shape = self._landmarks(rgb, dlib.rectangle(*corners))
        chip = dlib.get_face_chip(rgb, shape, SIDE)
        marks = apply(invert(to_part), np.array([(one.x + 0.5, one.y + 0.5) for one in shape.parts()], np.float32))
        embedding = np.array(self._network.compute_face_descriptor(chip), np.float32)
        return Seen(who, picture, mesh, chip, similarity(marks, PLACES + 0.5), embedding)


def _part(picture: UInt8Array, mesh: FloatArray) -> tuple[UInt8Array, FloatArray]:
    """The face with room around it, at some 300 pixels, and the way there from the picture."""
    low, high = mesh[:, :2].min(0), mesh[:, :2].max(0)
    room = float((high - low).max()) * 0.6
    height, width = picture.shape[:2]
    x0, y0 = np.clip(np.floor(low - room), 0, [width - 1, height - 1]).astype(int)
    x1, y1 = np.clip(np.ceil(high + room), [x0 + 1, y0 + 1], [width, height]).astype(int)
    scale = 300 / max(float((high - low).max()), 1.0)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    part = cv2.resize(picture[y0:y1, x0:x1], None, fx=scale, fy=scale, interpolation=method)
    return part, np.array([[scale, 0, -x0 * scale], [0, scale, -y0 * scale]], np.float32)


def faces_of(media: Path) -> list[Seen]:
    """The largest face in each of the package's portraits, the sources, and some frames of each target."""
    perception, judge, found = Perception.embedded(), Dlib(), []
    pictures = [(name, portrait(name)) for name in ("astronaut", "hopper")]
    pictures += [(path.stem, cv2.imread(str(path))) for path in sorted((media / "sources").iterdir())]
    for path in sorted((media / "targets").iterdir()):
        with av.open(str(path)) as clip:
            frames = [frame.to_ndarray(format="bgr24") for frame in clip.decode(video=0)]
        pictures += [(f"clip {path.stem}", frames[at]) for at in np.linspace(0, len(frames) - 1, FRAMES).astype(int)]
    for who, picture in pictures:
        faces = perception.still(picture)
        found.append(judge.see(who, picture, faces.mesh[int(np.argmax(faces.areas))]))
    return found


def apart(embeddings: AnyArray) -> AnyArray:
    """The distances of all from all, (N, N)."""
    return np.linalg.norm(embeddings[:, None] - embeddings[None], axis=2)


def report(title: str, faces: list[Seen], embeddings: FloatArray) -> None:
    """Print how far embeddings and their distances are from dlib's."""
    own = np.stack([face.embedding for face in faces])
    upper = np.triu(np.ones((len(faces), len(faces)), bool), 1)
    who = np.array([face.who for face in faces])
    same = (who[:, None] == who[None]) & upper
    distances, other = apart(embeddings), upper & ~same
    change = np.abs(distances - apart(own))[upper]
    print(
        f"{title:22s} own embedding off by {np.linalg.norm(embeddings - own, axis=1).mean():.3f}, pairs off by "
        f"{np.sqrt((change**2).mean()):.4f} root mean square, {change.max():.4f} at most; one person's "
        f"{distances[same].min():.3f} to {distances[same].max():.3f}, two people's {distances[other].min():.3f} to "
        f"{distances[other].max():.3f}, {int((distances[other] < 0.6).sum())} below 0.6"
    )


def main() -> None:
    """Measure."""
    faces = faces_of(Path(sys.argv[1]))
    model = OnnxModel(FILE)

    def embedded(chips: list[UInt8Array]) -> FloatArray:
        return model.run(np.ascontiguousarray(np.stack(chips).transpose(0, 3, 1, 2), np.float32))

    print(f"{len(faces)} faces")
    report("dlib", faces, np.stack([face.embedding for face in faces]))
    report("dlib's crops", faces, embedded([face.chip for face in faces]))

    def cropped(face: Seen, transform: FloatArray) -> UInt8Array:
        return crop(face.picture, transform, (SIDE, SIDE))[:, :, ::-1]

    report("dlib's landmarks", faces, embedded([cropped(face, face.to_chip) for face in faces]))
    corners = [33, 133, 362, 263]
    sets: dict[str, Callable[[FloatArray], FloatArray]] = {
        "corners, nose's base": lambda mesh: mesh[[*corners, 2], :2],
        "corners, nose's tip": lambda mesh: mesh[[*corners, 1], :2],
        "corners, nose's wings": lambda mesh: np.vstack([mesh[corners, :2], mesh[[98, 327], :2].mean(0)]),
        "middles, nose's tip": lambda mesh: keypoints5(mesh[None])[0, :3],
        "corners": lambda mesh: mesh[corners, :2],
        "all": lambda mesh: mesh[:, :2],
        "five keypoints": lambda mesh: keypoints5(mesh[None])[0],
    }
    for title, points in sets.items():
        seen = [apply(face.to_chip, points(face.mesh)) for face in faces if face.who.startswith("clip")]
        template = np.mean(seen, axis=0)
        ways = [similarity(points(face.mesh), template) for face in faces]
        report(title, faces, embedded([cropped(face, way) for face, way in zip(faces, ways, strict=True)]))
        square = np.array([[0, 0], [SIDE, 0], [SIDE, SIDE], [0, SIDE]], np.float32)
        off = [
            np.linalg.norm(apply(way, apply(invert(face.to_chip), square)) - square, axis=1).mean()
            for face, way in zip(faces, ways, strict=True)
        ]
        places = ", ".join(f"({x:.2f}, {y:.2f})" for x, y in template - 0.5) if len(template) < 10 else "many"
        print(f"{'':22s} corners off by {np.mean(off):.1f} px; places, by pixel centres: {places}")
    network, perception = IdentityNetwork(), Perception.embedded()
    kept = [network.embed(face.picture, _nearest(perception.still(face.picture), face.mesh))[0] for face in faces]
    report("the network as it is", faces, np.stack(kept))


def _nearest(faces: Faces, mesh: FloatArray) -> Faces:
    """The face among several that has this mesh."""
    assert faces.mesh is not None
    return faces[int(np.abs(faces.mesh - mesh).sum(axis=(1, 2)).argmin())]


if __name__ == "__main__":
    main()
