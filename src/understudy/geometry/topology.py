"""The face mesh: 478 points, the triangles of its surface and named contours.

Indices are those of MediaPipe's face mesh (Kartynnik et al., "Real-time Facial Surface Geometry from
Monocular Video on Mobile GPUs", 2019): 468 vertices of the surface, then five points of each iris. The edges and the
metric face come out of wheels when the package is built; ``face_mesh_unwrapping.json`` is this project's own (see
``tools/unwrapping.py``): where each vertex of the surface lies on the unit square.
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
#: The points of each iris: its centre, then its edge at the picture's right, above, at its left, below.
IRIS_LEFT, IRIS_RIGHT = (468, 469, 470, 471, 472), (473, 474, 475, 476, 477)
#: Radius of an iris over the distance between the eyes: 11.7 mm across (the human iris, to 0.5 mm), 63 mm apart.
_IRIS_RADIUS = 0.093


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
        mirror: (478,) the vertex on the other side of the face; its own on the middle line.
        canonical: float32 (478, 3): a neutral frontal face, MediaPipe's metric one with irises that look ahead;
            unit: distance between the eyes' centres; origin between them; x right, y down, z smaller is nearer.
        procrustes: (33,) vertices that expression hardly moves; ``procrustes_weights``: float32 (33,), of sum 1,
            what each says of where a head is.
        uv: float32 (478, 2), 0-1: where each vertex lies on the flattened face (u right, v down).
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
    procrustes: IntArray
    procrustes_weights: FloatArray
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
    canonical = load_canonical()
    rings = load_connections()
    eyes = rings["eye_left"], rings["eye_right"]
    basis = np.asarray(_resource("face_geometry.json")["procrustes"], np.float64)
    uv = np.asarray(_resource("face_mesh_unwrapping.json")["uv"], np.float32)
    return Topology(
        **{name: _frozen(values, np.int32) for name, values in rings.items()},
        mirror=_frozen(mirrored(canonical), np.int32),
        canonical=_frozen(canonical, np.float32),
        procrustes=_frozen(basis[:, 0], np.int32),
        procrustes_weights=_frozen(basis[:, 1] / basis[:, 1].sum(), np.float32),
        # No triangle has the irises: they only need a place.
        uv=_frozen(np.concatenate([uv, *(np.tile(uv[ring].mean(0), (5, 1)) for ring in eyes)]), np.float32),
    )


def load_canonical() -> FloatArray:
    """``Topology.canonical``."""
    metric = np.asarray(_resource("face_geometry.json")["vertices"], np.float64) * [1, -1, -1]
    rings = load_connections()
    eyes = [metric[rings[name]].mean(0) for name in ("eye_left", "eye_right")]
    surface = (metric - (eyes[0] + eyes[1]) / 2) / np.linalg.norm(eyes[1] - eyes[0])
    iris = np.array([[0, 0, 0], [1, 0, 0], [0, -1, 0], [-1, 0, 0], [0, 1, 0]]) * _IRIS_RADIUS
    irises = [surface[rings[name]].mean(0) + iris for name in ("eye_left", "eye_right")]
    return np.asarray(np.concatenate([surface, *irises]), np.float32)


def mirrored(face: FloatArray) -> IntArray:
    """The vertex at each one's mirror image, int32 (N,), of a face that is the same on both sides: float32 (N, 3)."""
    image = face * np.array([-1, 1, 1], np.float32)
    return np.asarray(np.linalg.norm(face[:, None] - image[None], axis=2).argmin(axis=1), np.int32)


def keypoints5(mesh: FloatArray) -> FloatArray:
    """The field's five keypoints out of meshes.

    Args:
        mesh: float32 (N, 478, 3).

    Returns:
        float32 (N, 5, 2): eye centres, nose tip, mouth corners, the picture's left first.
    """
    shape = topology()
    eyes = [mesh[:, ring, :2].mean(axis=1) for ring in (shape.eye_left, shape.eye_right)]
    points = [*eyes, mesh[:, NOSE_TIP, :2], mesh[:, MOUTH_LEFT, :2], mesh[:, MOUTH_RIGHT, :2]]
    return np.stack(points, axis=1).astype(np.float32)


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
        Triangles, int32 (T, 3), clockwise as the mesh's; vertex 478 + k is the middle of the k-th ring. The rings.
    """
    shape = topology()
    rings = (shape.eye_left, shape.eye_right, shape.lips_inner)
    flat = shape.uv
    fans = []
    for number, ring in enumerate(rings):
        middle = flat[ring].mean(0)
        for a, b in zip(ring.tolist(), np.roll(ring, -1).tolist(), strict=True):
            (ax, ay), (bx, by) = flat[a] - middle, flat[b] - middle
            middle_one = len(flat) + number
            fans.append([middle_one, a, b] if ax * by - ay * bx > 0 else [middle_one, b, a])
    return np.asarray(fans, np.int32), rings


@lru_cache(maxsize=1)
def closed_triangles() -> IntArray:
    """The mesh's triangles with those that close its openings."""
    return np.concatenate([topology().triangles, openings()[0]])


def closed(values: FloatArray) -> FloatArray:
    """Values at the points, float32 (478, K), with those of the openings' middles: (481, K)."""
    _, rings = openings()
    return np.asarray(np.concatenate([values, [values[ring].mean(0) for ring in rings]]), np.float32)
