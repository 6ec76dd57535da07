"""ArcFace: a face as 512 numbers (Deng et al., "ArcFace", 2019; InsightFace's conventions)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.face import Faces
from understudy.geometry.templates import TEMPLATES
from understudy.models.conventions import blob
from understudy.models.graphs import EMBEDDING
from understudy.recognition.base import cosine_distances, face_crop

if TYPE_CHECKING:  # what runs it starts threads as soon as it is imported
    from understudy.models.session import Session

#: Cosine to the photo that is nearest to all others, below which one is of somebody else.
SOMEBODY_ELSE = 0.3


class ArcFace:
    """Tells who somebody is. An ``Embedder``; faces must have ``keypoints5``.

    Args:
        session: An open embedder.
    """

    #: Its authors' own measure; see ``SOMEBODY_ELSE``.
    same_person = 1 - SOMEBODY_ELSE

    def __init__(self, session: Session) -> None:
        self._session, self._input = session, session.entry.input
        self.name = session.entry.name

    def embed(self, picture: UInt8Array, faces: Faces) -> FloatArray:
        """See ``Embedder.embed``: float32 (N, 512)."""
        found = np.full((len(faces), EMBEDDING), np.nan, np.float32)
        if not len(faces):
            return found
        if faces.keypoints5 is None:
            raise ValueError("arcface crops faces by their five keypoints, and these have none")
        assert self._input.template is not None
        template = TEMPLATES[self._input.template]
        for row, keypoints in enumerate(faces.keypoints5):
            crop = face_crop(picture, keypoints, template, self._input.size)
            if crop is not None:
                embedding, *_ = self._session.run({self._session.inputs[0]: blob(crop, self._input)})
                found[row] = embedding.reshape(-1)
        return found

    def distances(self, one: FloatArray, many: FloatArray) -> FloatArray:
        """See ``Embedder.distances``: 1 minus the cosine."""
        return cosine_distances(one, many)


@dataclass(frozen=True, eq=False)
class Together:
    """One person out of several photos.

    Attributes:
        embedding: float32 (512,), of length 1.
        dropped: Numbers of the photos, from 0, that seem to show somebody else.
    """

    embedding: FloatArray
    dropped: tuple[int, ...]


def together(embeddings: FloatArray) -> Together:
    """The mean of unit embeddings, without those of somebody else: of two that differ the first one counts.

    Args:
        embeddings: float32 (N, 512), N >= 1.

    Raises:
        ValueError: one is all zeros or not finite.
    """
    lengths = np.linalg.norm(embeddings.astype(np.float64), axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or not (lengths > 0).all():
        raise ValueError("an embedding is no direction")
    units = embeddings / lengths
    # The photo that is nearest to all others: a stranger among three is far from it, and does not pull it.
    # Of two, both are as near: rounded, so that the first one counts.
    near = (units @ units.T).round(6)
    np.fill_diagonal(near, 0)
    middle = units[int(np.argmax(near.sum(axis=1).round(5)))]
    kept = [row for row in range(len(units)) if float(units[row] @ middle) >= SOMEBODY_ELSE]
    far = tuple(row for row in range(len(units)) if row not in kept)
    mean = units[kept].mean(axis=0)
    return Together(np.asarray(mean / np.linalg.norm(mean), np.float32), far)
