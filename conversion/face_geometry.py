"""The metric face of MediaPipe's Face Landmarker: its vertices, and those by which a head's pose is told, as JSON.

The file is a protocol buffer: ``GeometryPipelineMetadata`` of MediaPipe's ``modules/face_geometry/protos``. Only what
is kept is read here, by its field numbers in those definitions.
"""

from __future__ import annotations

import json
from typing import Final

from conversion.protobuf import fields, wrong

#: Fields of GeometryPipelineMetadata: the mesh, and the vertices of the Procrustes basis.
_MESH, _BASIS = 1, 2
#: Fields of Mesh3d: one vertex after another, each as x, y, z (centimetres: right, up, towards the camera), u, v.
_VERTICES: Final = 3
_VERTEX: Final = 5
#: Fields of WeightedLandmarkRef.
_INDEX, _WEIGHT = 1, 2


def converted(data: bytes) -> bytes:
    """The vertices and the weights of a ``geometry_pipeline_metadata_landmarks.binarypb``, as JSON.

    Returns:
        ``vertices``: 468 of x, y, z in centimetres, x right, y up, z towards the camera. ``procrustes``: pairs of a
        vertex and its weight.

    Raises:
        WrongFileError: the file is damaged, or another one.
    """
    vertices: list[float] = []
    basis: list[tuple[int, float]] = []
    for number, value in fields(data):
        if number == _MESH and isinstance(value, bytes):
            vertices += [x for key, x in fields(value) if key == _VERTICES and isinstance(x, float)]
        elif number == _BASIS and isinstance(value, bytes):
            entry = dict(fields(value))
            index, weight = entry.get(_INDEX), entry.get(_WEIGHT)
            if not isinstance(index, int) or not isinstance(weight, float):
                raise wrong("no face geometry")
            basis.append((index, weight))
    if not vertices or len(vertices) % _VERTEX or not basis or max(basis)[0] >= len(vertices) // _VERTEX:
        raise wrong("no face geometry")
    places = [[round(x, 5) for x in vertices[at : at + 3]] for at in range(0, len(vertices), _VERTEX)]
    content = {"vertices": places, "procrustes": [[index, round(weight, 6)] for index, weight in basis]}
    return json.dumps(content, separators=(",", ":")).encode() + b"\n"
