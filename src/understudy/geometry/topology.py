"""The face mesh: 468 vertices, their triangles and named contours.

Indices are those of MediaPipe's face mesh (Kartynnik et al., "Real-time Facial Surface Geometry from
Monocular Video on Mobile GPUs", 2019). The edges come out of the mediapipe wheel when the package is
built; ``canonical_face_mesh.json`` is this project's own (see ``tools/canonical_mesh.py``): the mean of
meshes seen on portraits, made symmetric, and its unwrapping to the unit square.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np

from understudy.arrays import AnyArray, FloatArray, IntArray
from understudy.errors import ModelError

# Single vertices of note; left and right are the picture's, for a person who looks at the camera.
NOSE_TIP = 1
NOSE_BASE = 2  # where the nose meets the upper lip
MOUTH_LEFT, MOUTH_RIGHT = 61, 291
EYE_LEFT_OUTER, EYE_LEFT_INNER = 33, 133
EYE_RIGHT_OUTER, EYE_RIGHT_INNER = 263, 362
FOREHEAD_TOP, CHIN = 10, 152
LIP_UPPER_INNER, LIP_LOWER_INNER = 13, 14


def _ring(edges: list[list[int]]) -> list[int]:
    """The vertices of a closed contour in order, from its unordered edges."""
    neighbours: dict[int, list[int]] = {}
    for a, b in edges:
        neighbours.setdefault(a, []).append(b)
        neighbours.setdefault(b, []).append(a)
    ring = [edges[0][0], neighbours[edges[0][0]][0]]
    while len(ring) < len(neighbours):
        first, second = neighbours[ring[-1]]
        ring.append(second if first == ring[-2] else first)
    return ring


def _rings(edges: list[list[int]]) -> list[list[int]]:
    """The closed contours that edges of several rings make, each in order."""
    left, rings = [list(edge) for edge in edges], []
    while left:
        members = set(left[0])
        while True:
            grown = members | {v for edge in left if members & set(edge) for v in edge}
            if grown == members:
                break
            members = grown
        rings.append(_ring([edge for edge in left if edge[0] in members]))
        left = [edge for edge in left if edge[0] not in members]
    return rings


@dataclass(frozen=True, eq=False)
class Topology:
    """What never changes about the mesh. Index arrays are int32.

    Attributes:
        triangles: (852, 3), clockwise on the screen when seen from the front (y down); the eyes and the
            inner mouth are left open.
        oval: (36,) the face's outline in order.
        lips_outer: (20,) and ``lips_inner`` (20,): the lips' contours in order.
        eye_left, eye_right: (16,) the lids' contours in order; left and right are the picture's.
        brow_left, brow_right: (8,) vertices of the brows.
        mirror: (468,) the vertex on the other side of the face; its own on the middle line.
        canonical: float32 (468, 3): a neutral frontal face; unit: distance between the eyes' centres;
            origin between them; x right, y down, z smaller is nearer.
        uv: float32 (468, 2), 0-1: where each vertex lies on the flattened face (u right, v down).
    """

    triangles: IntArray
    oval: IntArray
    lips_outer: IntArray
    lips_inner: IntArray
    eye_left: IntArray
    eye_right: IntArray
    brow_left: IntArray
    brow_right: IntArray
    mirror: IntArray
    canonical: FloatArray
    uv: FloatArray


def _resource(name: str) -> dict[str, list[list[int]]]:
    try:
        return dict(json.loads(files("understudy.geometry").joinpath(name).read_text(encoding="utf-8")))
    except FileNotFoundError as fault:
        raise ModelError(
            f"the package was installed without its embedded file {name}",
            "Install it again with pip: the build fetches and checks that file.",
        ) from fault


def _frozen(values: object, dtype: type) -> AnyArray:
    array: AnyArray = np.asarray(values, dtype)
    array.flags.writeable = False
    return array


def load_connections() -> dict[str, AnyArray]:
    """The triangles and rings that come from the mediapipe wheel, by field name of ``Topology``."""
    edges = _resource("face_mesh_connections.json")
    # The tesselation lists each triangle as its three edges in a row, all wound anticlockwise (y down).
    tesselation = edges["FACEMESH_TESSELATION"]
    triangles = [[a[0], c[0], b[0]] for a, b, c in zip(*[iter(tesselation)] * 3, strict=True)]
    lips = sorted(_rings(edges["FACEMESH_LIPS"]), key=lambda ring: LIP_UPPER_INNER in ring)
    rings = {
        "triangles": triangles,
        "oval": _ring(edges["FACEMESH_FACE_OVAL"]),
        "lips_outer": lips[0],
        "lips_inner": lips[1],
        # The wheel names sides from the person's view.
        "eye_left": _ring(edges["FACEMESH_RIGHT_EYE"]),
        "eye_right": _ring(edges["FACEMESH_LEFT_EYE"]),
        "brow_left": sorted({v for edge in edges["FACEMESH_RIGHT_EYEBROW"] for v in edge}),
        "brow_right": sorted({v for edge in edges["FACEMESH_LEFT_EYEBROW"] for v in edge}),
    }
    return {name: np.asarray(values, np.int32) for name, values in rings.items()}


@lru_cache(maxsize=1)
def topology() -> Topology:
    """The mesh's topology, read once from the package's data.

    Raises:
        ModelError: the data files are not in the installed package.
    """
    own = _resource("canonical_face_mesh.json")
    return Topology(
        **{name: _frozen(values, np.int32) for name, values in load_connections().items()},
        mirror=_frozen(own["mirror"], np.int32),
        canonical=_frozen(own["vertices"], np.float32),
        uv=_frozen(own["uv"], np.float32),
    )


def keypoints5(mesh: FloatArray) -> FloatArray:
    """The field's five keypoints out of meshes.

    Args:
        mesh: float32 (N, 468, 3).

    Returns:
        float32 (N, 5, 2): eye centres, nose tip, mouth corners, the picture's left first.
    """
    shape = topology()
    eyes = [mesh[:, ring, :2].mean(axis=1) for ring in (shape.eye_left, shape.eye_right)]
    points = [*eyes, mesh[:, NOSE_TIP, :2], mesh[:, MOUTH_LEFT, :2], mesh[:, MOUTH_RIGHT, :2]]
    return np.stack(points, axis=1).astype(np.float32)


def pose_degrees(mesh: FloatArray) -> tuple[float, float, float]:
    """Where a head points: yaw, pitch and roll in degrees.

    The rotation that best turns the canonical mesh to this one (Kabsch, 1976), without the mouth and the jaw,
    which move by themselves.

    Args:
        mesh: float32 (468, 3).

    Returns:
        Yaw (positive: towards the picture's right), pitch (positive: down), roll (positive: clockwise as seen).
    """
    canonical = topology().canonical
    stable = canonical[:, 1] < canonical[NOSE_TIP, 1]
    a = canonical[stable] - canonical[stable].mean(0)
    b = mesh[stable] - mesh[stable].mean(0)
    u, _, vt = np.linalg.svd(a.T.astype(np.float64) @ b)
    return turn_degrees((u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt).T)


def turn_degrees(turn: AnyArray) -> tuple[float, float, float]:
    """Yaw, pitch and roll (see ``pose_degrees``) of a rotation, (3, 3): about z by roll, after x, after y."""
    yaw = np.arctan2(turn[2, 0], turn[2, 2])
    pitch = np.arcsin(np.clip(turn[2, 1], -1, 1))
    roll = np.arctan2(-turn[0, 1], turn[1, 1])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))


def mouth_aperture(mesh: FloatArray) -> float:
    """The gap between the lips over the mouth's width; 0 when shut."""
    return _gap(mesh, LIP_UPPER_INNER, LIP_LOWER_INNER, MOUTH_LEFT, MOUTH_RIGHT)


def eye_apertures(mesh: FloatArray) -> tuple[float, float]:
    """The gap between the lids over the eye's width, the picture's left first; near 0 when shut."""
    return (
        _gap(mesh, 159, 145, EYE_LEFT_OUTER, EYE_LEFT_INNER),
        _gap(mesh, 386, 374, EYE_RIGHT_INNER, EYE_RIGHT_OUTER),
    )


def _gap(mesh: FloatArray, upper: int, lower: int, left: int, right: int) -> float:
    width = float(np.linalg.norm(mesh[right] - mesh[left]))
    return float(np.linalg.norm(mesh[lower] - mesh[upper])) / max(width, 1e-6)


@lru_cache(maxsize=1)
def openings() -> tuple[IntArray, tuple[IntArray, ...]]:
    """What closes the mesh at the eyes and the inner mouth.

    Returns:
        Triangles, int32 (T, 3), clockwise as the mesh's; vertex 468 + k is the middle of the k-th ring. The rings.
    """
    shape = topology()
    rings = (shape.eye_left, shape.eye_right, shape.lips_inner)
    flat = shape.uv
    fans = []
    for number, ring in enumerate(rings):
        middle = flat[ring].mean(0)
        for a, b in zip(ring.tolist(), np.roll(ring, -1).tolist(), strict=True):
            (ax, ay), (bx, by) = flat[a] - middle, flat[b] - middle
            fans.append([468 + number, a, b] if ax * by - ay * bx > 0 else [468 + number, b, a])
    return np.asarray(fans, np.int32), rings


@lru_cache(maxsize=1)
def closed_triangles() -> IntArray:
    """The mesh's triangles with those that close its openings."""
    return np.concatenate([topology().triangles, openings()[0]])


def closed(values: FloatArray) -> FloatArray:
    """Values at the vertices, float32 (468, K), with those of the openings' middles: (471, K)."""
    _, rings = openings()
    return np.asarray(np.concatenate([values, [values[ring].mean(0) for ring in rings]]), np.float32)
