"""Makes ``src/understudy/geometry/face_mesh_unwrapping.json``.

Where each vertex of the face mesh lies on the unit square: the metric face is flattened by Floater's mean value
coordinates ("Mean value coordinates", 2003) inside a convex outline, so that no triangle of the texture folds over.

Run from the repository root after an editable install: ``python tools/unwrapping.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from understudy.arrays import AnyArray, FloatArray, IntArray
from understudy.face import SURFACE_POINTS
from understudy.geometry import topology as topo

PACKAGE = Path(__file__).parents[1] / "src/understudy"
#: Space left around the flattened face, in units of the square.
MARGIN = 0.03
#: The middle, where eyes, nose and mouth are, gets more room than the sides: distances from it, over the oval's, to
#: this power.
MIDDLE = 0.9
#: How much of the depth counts when the face is flattened.
DEPTH = 0.15


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
    face = topo.load_canonical()[:SURFACE_POINTS]
    mirror = topo.mirrored(face)
    outline = ellipse_like(face[rings["oval"], :2])
    holes = [rings[name] for name in ("eye_left", "eye_right", "lips_inner")]
    flat = flatten(widened(face, rings["oval"]) * [1, 1, DEPTH], outline, rings["triangles"], holes)
    flat = (flat + flat[mirror] * [-1, 1]) / 2
    low, high = flat.min(0), flat.max(0)
    uv = MARGIN + (flat - low) / (high - low) * (1 - 2 * MARGIN)
    a, b, c = (uv[rings["triangles"][:, i]] for i in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    print(f"folded triangles: {(area <= 0).sum()}; aspect {(high - low)[0] / (high - low)[1]:.3f}")
    content = {"uv": np.round(uv, 5).tolist()}
    target = PACKAGE / "geometry/face_mesh_unwrapping.json"
    target.write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")


def widened(face: FloatArray, oval: IntArray) -> AnyArray:
    """The face with its middle spread out, towards the oval: see ``MIDDLE``."""
    low, high = face[oval, :2].min(0), face[oval, :2].max(0)
    center, half = (low + high) / 2, (high - low) / 2
    radius = np.linalg.norm((face[:, :2] - center) / half, axis=1, keepdims=True)
    spread = np.maximum(radius, 1e-6) ** (MIDDLE - 1)
    return np.column_stack([center + (face[:, :2] - center) * spread, face[:, 2]])


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
