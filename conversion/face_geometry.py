"""The metric face of MediaPipe's Face Landmarker: its vertices, and those by which a head's pose is told, as JSON.

The file is a protocol buffer: ``GeometryPipelineMetadata`` of MediaPipe's ``modules/face_geometry/protos``. Only what
is kept is read here, by its field numbers in those definitions.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Final

#: Fields of GeometryPipelineMetadata: the mesh, and the vertices of the Procrustes basis.
_MESH, _BASIS = 1, 2
#: Fields of Mesh3d: one vertex after another, each as x, y, z (centimetres: right, up, towards the camera), u, v.
_VERTICES: Final = 3
_VERTEX: Final = 5
#: Fields of WeightedLandmarkRef.
_INDEX, _WEIGHT = 1, 2
#: Wire types (protobuf.dev, "Encoding").
_VARINT, _BYTES, _FLOAT = 0, 2, 5


def converted(data: bytes) -> bytes:
    """The vertices and the weights of a ``geometry_pipeline_metadata_landmarks.binarypb``, as JSON.

    Returns:
        ``vertices``: 468 of x, y, z in centimetres, x right, y up, z towards the camera. ``procrustes``: pairs of a
        vertex and its weight.

    Raises:
        ValueError: the file is damaged, or another one.
    """
    vertices: list[float] = []
    basis: list[tuple[int, float]] = []
    for number, value in _fields(data):
        if number == _MESH and isinstance(value, bytes):
            vertices += [x for key, x in _fields(value) if key == _VERTICES and isinstance(x, float)]
        elif number == _BASIS and isinstance(value, bytes):
            entry = dict(_fields(value))
            index, weight = entry.get(_INDEX), entry.get(_WEIGHT)
            if not isinstance(index, int) or not isinstance(weight, float):
                raise ValueError("it holds no face geometry")
            basis.append((index, weight))
    if not vertices or len(vertices) % _VERTEX or not basis or max(basis)[0] >= len(vertices) // _VERTEX:
        raise ValueError("it holds no face geometry")
    places = [[round(x, 5) for x in vertices[at : at + 3]] for at in range(0, len(vertices), _VERTEX)]
    content = {"vertices": places, "procrustes": [[index, round(weight, 6)] for index, weight in basis]}
    return json.dumps(content, separators=(",", ":")).encode() + b"\n"


def _fields(data: bytes) -> Iterator[tuple[int, int | float | bytes]]:
    """The fields of one message, by their numbers."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
            continue
        size, at = (4, at) if kind == _FLOAT else _varint(data, at)
        if kind not in (_FLOAT, _BYTES) or at + size > len(data):
            raise ValueError("it is cut off, or no protocol buffer")
        part = data[at : at + size]
        yield key >> 3, part if kind == _BYTES else struct.unpack("<f", part)[0]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the least first; and where the next begins."""
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("it is cut off, or no protocol buffer")
