"""Likeness as one judge has it: how far results are from their source and from their target, in a gallery of all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from understudy.arrays import FloatArray
from understudy.evaluation.steadiness import Instant
from understudy.face import Faces
from understudy.geometry.boxes import bounds_xyxy
from understudy.geometry.topology import keypoints5
from understudy.recognition import Embedder
from understudy.swapping import Portrait


class Likeness:
    """Collects the embeddings of one evaluation, and judges when all are there.

    Args:
        embedder: Who judges.
        prefix: What its measures' names begin with.
    """

    def __init__(self, embedder: Embedder, prefix: str = "") -> None:
        self._embedder, self._prefix = embedder, prefix
        self._gallery: dict[tuple[str, str], FloatArray] = {}
        self._vectors: dict[tuple[str, str], list[FloatArray]] = {}

    def add_source(self, name: str, portrait: Portrait) -> None:
        """Somebody whose face is put onto others."""
        self._gallery["source", name] = self._embedder.embed(portrait.picture, portrait.face)[0]

    def add(self, clip: str, source: str, instants: Sequence[Instant]) -> None:
        """Some frames of a source on a clip. Of each clip's own face the mean is kept, when it is first seen."""
        embed = self._embedder.embed
        if ("clip", clip) not in self._gallery:
            own = [embed(i.before, _face(i.patch.mesh))[0] for i in instants]
            self._gallery["clip", clip] = np.asarray(np.mean(own, axis=0), np.float32)
        self._vectors[source, clip] = [embed(i.after, _face(i.patch.mesh))[0] for i in instants]

    def measures(self, source: str, clip: str) -> dict[str, float]:
        """``identity_distance``, ``target_distance`` and ``retrieval`` of a pair, once everybody is in the gallery."""
        # Clips of the source himself are no wrong answer.
        names = [key for key in self._gallery if key[0] == "source" or not same_person(source, key[1])]
        gallery = np.stack([self._gallery[name] for name in names])
        near = np.stack([self._embedder.distances(v, gallery) for v in self._vectors[source, clip]])
        own = names.index(("source", source))
        found = {
            "identity_distance": near[:, own].mean(),
            "target_distance": near[:, names.index(("clip", clip))].mean(),
            "retrieval": (near.argmin(axis=1) == own).mean(),
        }
        return {self._prefix + key: round(float(value), 6) for key, value in found.items()}


def same_person(source: str, clip: str) -> bool:
    """Whether a clip's name says that it shows the source: ``anna-talking`` and ``anna``."""
    return clip == source or clip.startswith(f"{source}-")


def _face(mesh: FloatArray) -> Faces:
    """A face of which the mesh is known: float32 (478, 3)."""
    meshes = mesh[None]
    return Faces(boxes_xyxy=bounds_xyxy(meshes), keypoints5=keypoints5(meshes), mesh=meshes)
