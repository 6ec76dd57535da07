"""Faces: the people in one frame, as parallel arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from understudy.arrays import AnyArray, BoolArray, FloatArray

#: Which of the faces in a frame are meant; left and right are the picture's.
FaceChoice = Literal["largest", "smallest", "all", "left", "right", "top", "bottom"]
#: Points of the face mesh: 468 vertices of its surface, then five of each iris.
MESH_POINTS = 478
SURFACE_POINTS = 468
#: Scores of what a face does.
BLENDSHAPES = 52

#: An axis of any length.
_ANY = -1
_SHAPES: dict[str, tuple[int, ...]] = {
    "boxes_xyxy": (4,),
    "scores": (),
    "keypoints5": (5, 2),
    "mesh": (MESH_POINTS, 3),
    "track_ids": (),
    "person_ids": (),
    "embeddings": (_ANY,),
    "blendshapes": (BLENDSHAPES,),
}
#: Those that are whole numbers.
_NUMBERS = ("track_ids", "person_ids")


def _empty(*shape: int) -> FloatArray:
    return np.zeros((0, *shape), np.float32)


@dataclass(frozen=True, eq=False)
class Faces:
    """The people in one frame. Row ``i`` of every array is the same person.

    All coordinates are pixels of the frame the faces were found in, x to the right, y down, (0, 0) the
    outer corner of the first pixel.

    Attributes:
        boxes_xyxy: float32 (N, 4): left, top, right, bottom.
        scores: float32 (N,), 0-1: how sure the detector (or, with a mesh, the mesh's presence) is.
        keypoints5: float32 (N, 5, 2): eye, eye, nose tip, mouth corner, mouth corner; the one on the
            picture's left first.
        mesh: float32 (N, 478, 3) or None: the face mesh; z in pixels of the same scale, smaller is
            nearer to the camera. The last ten are the irises.
        track_ids: int64 (N,): the same number is the same face from frame to frame; -1 is not tracked.
        person_ids: int64 (N,) or None: the same number is the same person throughout a clip, also after a cut; -1 is
            not known. Only ``casting.recognising`` fills it in.
        embeddings: float32 (N, D) or None: who somebody is, as an embedder has it; NaN where it saw nothing. Only
            ``recognition.with_embeddings`` fills it in.
        blendshapes: float32 (N, 52), 0-1, or None: what a face does, in the order of
            ``landmarks.blendshapes.NAMES``. Only ``landmarks.with_blendshapes`` fills it in.

    Raises:
        ValueError: an array has another shape or another number of rows.

    >>> Faces.empty().boxes_xyxy.shape
    (0, 4)
    >>> two = Faces(boxes_xyxy=np.array([[0, 0, 8, 8], [4, 4, 20, 24]], np.float32))
    >>> len(two), two[two.areas > 100].boxes_xyxy.tolist()
    (2, [[4.0, 4.0, 20.0, 24.0]])
    """

    boxes_xyxy: FloatArray = field(default_factory=lambda: _empty(4))
    scores: FloatArray | None = None
    keypoints5: FloatArray | None = None
    mesh: FloatArray | None = None
    track_ids: NDArray[np.int64] | None = None
    person_ids: NDArray[np.int64] | None = None
    embeddings: FloatArray | None = None
    blendshapes: FloatArray | None = None

    def __post_init__(self) -> None:
        count = len(self.boxes_xyxy)
        for name, tail in _SHAPES.items():
            value = getattr(self, name)
            if value is None:
                continue
            array = np.asarray(value, np.int64 if name in _NUMBERS else np.float32)
            wanted = (count, *tail)
            if array.shape != wanted and (
                array.ndim != len(wanted)
                or any(axis not in (_ANY, size) for axis, size in zip(wanted, array.shape, strict=True))
            ):
                raise ValueError(f"{name} has shape {array.shape}, not {wanted}")
            object.__setattr__(self, name, array)

    @classmethod
    def empty(cls) -> Faces:
        """Nobody."""
        return cls()

    @classmethod
    def concatenate(cls, parts: list[Faces]) -> Faces:
        """All rows of ``parts``; a field is kept only where every non-empty part has it."""
        parts = [part for part in parts if len(part)]
        if not parts:
            return cls.empty()
        columns: dict[str, AnyArray] = {}
        for name in _SHAPES:
            values = [getattr(part, name) for part in parts]
            if all(value is not None for value in values):
                columns[name] = np.concatenate(values)
        return cls(**columns)

    def __len__(self) -> int:
        return len(self.boxes_xyxy)

    def __getitem__(self, rows: int | slice | list[int] | AnyArray | BoolArray) -> Faces:
        """Some of the people: by index, slice, list of indices or mask. Always a Faces."""
        key: slice | list[int] | AnyArray = [int(rows)] if isinstance(rows, (int, np.integer)) else rows
        picked: dict[str, Any] = {}
        for spec in fields(self):
            value = getattr(self, spec.name)
            picked[spec.name] = None if value is None else value[key]
        return Faces(**picked)

    def __iter__(self) -> Iterator[Faces]:
        for row in range(len(self)):
            yield self[row]

    @property
    def irises(self) -> FloatArray:
        """The irises, float32 (N, 2, 5, 3).

        For the eye on the picture's left, then the other: the centre, then the edge at the picture's right, above, at
        its left and below, of a face that looks at the camera.

        Raises:
            ValueError: the faces have no meshes.
        """
        if self.mesh is None:
            raise ValueError("irises are points of the mesh, and these faces have none")
        return np.asarray(self.mesh[:, SURFACE_POINTS:].reshape(-1, 2, 5, 3), np.float32)

    @property
    def areas(self) -> FloatArray:
        """Box areas in square pixels, float32 (N,)."""
        size = np.maximum(self.boxes_xyxy[:, 2:] - self.boxes_xyxy[:, :2], 0)
        return np.asarray(size[:, 0] * size[:, 1], np.float32)
