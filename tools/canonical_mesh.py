"""Makes ``src/understudy/geometry/canonical_face_mesh.json``.

A neutral frontal face for the mesh's topology, and its unwrapping to the unit square, out of the
public-domain portraits that the package carries: their meshes are turned to the front, averaged with
their own mirror images, and flattened by Floater's mean value coordinates ("Mean value coordinates",
2003) inside a convex outline, so that no triangle of the texture folds over.

Run from the repository root after an editable install: ``python tools/canonical_mesh.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from understudy.arrays import AnyArray, FloatArray, IntArray
from understudy.detection import BlazeFace
from understudy.geometry import topology as topo
from understudy.landmarks import FaceMesh

PACKAGE = Path(__file__).parents[1] / "src/understudy"
PORTRAITS = ("astronaut.png", "grace_hopper.jpg")
#: Space left around the flattened face, in units of the square.
MARGIN = 0.03
#: How much of the depth counts when the face is flattened.
DEPTH = 0.3


def frontal_mesh(path: Path) -> FloatArray:
    """The mesh of the face in a portrait, turned to the front; float64 (468, 3), unit eye distance."""
    picture = np.asarray(cv2.imread(str(path)), np.uint8)
    face = BlazeFace().detect(picture)
    assert face.keypoints5 is not None
    model = FaceMesh()
    mesh = model.fit(picture, model.first_roi(face.boxes_xyxy[0], face.keypoints5[0])).mesh
    for _ in range(3):
        mesh = model.fit(picture, model.next_roi(mesh)).mesh
    across = sum(mesh[b] - mesh[a] for a, b in ((234, 454), (33, 263), (61, 291), (127, 356)))
    down = mesh[topo.CHIN] - mesh[topo.FOREHEAD_TOP]
    x = across / np.linalg.norm(across)
    y = down - x * (down @ x)
    y /= np.linalg.norm(y)
    turned = mesh @ np.stack([x, y, np.cross(x, y)]).T
    rings = topo.load_connections()
    eyes = [turned[rings[name]].mean(0) for name in ("eye_left", "eye_right")]
    return np.asarray((turned - (eyes[0] + eyes[1]) / 2) / np.linalg.norm(eyes[1] - eyes[0]), np.float32)


def mirror_pairs(mesh: FloatArray) -> IntArray:
    """The vertex opposite to each, by following the edges outwards from the middle line.

    The mesh is symmetric as a graph: the mirror image is the graph's own automorphism that maps the
    nearest vertices across the middle onto each other.
    """
    flipped = mesh * [-1, 1, 1]
    distance = np.linalg.norm(mesh[:, None] - flipped[None], axis=2)
    # Optimal assignment by alternating best choices; the automorphism is its only involution.
    from scipy.optimize import linear_sum_assignment

    pairs = np.asarray(linear_sum_assignment(distance + distance.T)[1], np.int32)
    assert (pairs[pairs] == np.arange(len(mesh))).all(), "the mirror map must be its own inverse"
    triangles = topo.load_connections()["triangles"]
    known = {tuple(sorted(t)) for t in triangles.tolist()}
    kept = np.mean([tuple(sorted(pairs[t].tolist())) in known for t in triangles])
    assert kept > 0.95, f"mirroring keeps only {kept:.3f} of the triangles"
    return pairs


def flatten(mesh: FloatArray, outline: AnyArray, triangles: IntArray, rings: list[IntArray]) -> FloatArray:
    """Mean value parameterisation: float (468, 2) inside the convex ``outline`` of the oval."""
    count = len(mesh)
    # Fill each opening with a fan around its centre, so that its rim is an inner vertex like others.
    points = np.concatenate([mesh, [mesh[ring].mean(0) for ring in rings]])
    faces = triangles.tolist()
    for number, ring in enumerate(rings):
        following = np.roll(ring, -1)
        faces += [[int(b), int(a), count + number] for a, b in zip(ring, following, strict=True)]
    weights = np.zeros((len(points), len(points)))
    for face in faces:
        for i in range(3):
            a, b, c = face[i], face[(i + 1) % 3], face[(i + 2) % 3]
            u, v = points[b] - points[a], points[c] - points[a]
            angle = np.arccos(np.clip(u @ v / np.linalg.norm(u) / np.linalg.norm(v), -1, 1))
            weights[a, b] += np.tan(angle / 2) / np.linalg.norm(u)
            weights[a, c] += np.tan(angle / 2) / np.linalg.norm(v)
    oval = topo.load_connections()["oval"]
    inner = np.setdiff1d(np.arange(len(points)), oval)
    lhs = np.diag(weights[inner].sum(1)) - weights[np.ix_(inner, inner)]
    flat = np.zeros((len(points), 2))
    flat[oval] = outline
    flat[inner] = np.linalg.solve(lhs, weights[np.ix_(inner, oval)] @ outline)
    return np.asarray(flat[:count], np.float32)


def main() -> None:
    """Compute and write the file."""
    rings = topo.load_connections()
    mean = np.mean([frontal_mesh(PACKAGE / "testing/portraits" / name) for name in PORTRAITS], axis=0)
    mirror = mirror_pairs(mean)
    mean = (mean + mean[mirror] * [-1, 1, 1]) / 2
    # The sides of the face get more room than the front shows of them, but less than they have in space:
    # eyes, nose and mouth are what is looked at.
    outline = ellipse_like(mean[rings["oval"], :2])
    holes = [rings[name] for name in ("eye_left", "eye_right", "lips_inner")]
    flat = flatten(mean * [1, 1, DEPTH], outline, rings["triangles"], holes)
    flat = (flat + flat[mirror] * [-1, 1]) / 2
    low, high = flat.min(0), flat.max(0)
    uv = MARGIN + (flat - low) / (high - low) * (1 - 2 * MARGIN)
    a, b, c = (uv[rings["triangles"][:, i]] for i in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    print(f"folded triangles: {(area <= 0).sum()}; aspect {(high - low)[0] / (high - low)[1]:.3f}")
    content = {
        "vertices": np.round(mean, 4).tolist(),
        "uv": np.round(uv, 5).tolist(),
        "mirror": mirror.tolist(),
    }
    target = PACKAGE / "geometry/canonical_face_mesh.json"
    target.write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")


def ellipse_like(outline: AnyArray) -> AnyArray:
    """The outline pushed out to a strictly convex curve: each point's radius from a smooth superellipse."""
    center = (outline.min(0) + outline.max(0)) / 2
    half = (outline.max(0) - outline.min(0)) / 2
    unit = (outline - center) / half
    power = 2.4
    radius = (np.abs(unit) ** power).sum(1) ** (1 / power)
    return np.asarray(center + unit / radius[:, None] * half)


if __name__ == "__main__":
    main()
