"""How a swapper is told whose face to put in: an embedding in one of several dresses, the photo itself, or kernels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.errors import ModelError
from understudy.face import Faces
from understudy.geometry.templates import TEMPLATES
from understudy.geometry.transforms import aligned
from understudy.models.conventions import blob
from understudy.models.entries import Source
from understudy.models.session import Session
from understudy.recognition import Embedder
from understudy.recognition.arcface import together
from understudy.recognition.quality import quality
from understudy.swapping.base import Portrait
from understudy.swapping.neural.conditioned import Conditioner, Kernels

#: Why a photo is left out.
STRANGER, ONE_PHOTO = "it seems to show somebody else", "this engine takes one photo, and another is better"


@dataclass(frozen=True, eq=False)
class Encoded:
    """What a swapper is given for one person.

    Attributes:
        values: float32, with the leading axis: (1, 512), or (1, 3, s, s) where it is a photo. Or kernels.
        dropped: The photos that were left out: the number of each, from 0, and why.
        unit: float32 (512,): the embedding, of length 1; None where there is none.
        length: How long the embedder gave it.
    """

    values: FloatArray | Kernels
    dropped: tuple[tuple[int, str], ...]
    unit: FloatArray | None = None
    length: float = 1.0


class SourceEncoder:
    """Encodes people for one swapper.

    Args:
        how: The swapper's convention.
        embedder: Where it takes an embedding.
        converter: Where it takes another one's embedding.
        emap: float32 (512, 512), where it takes a projected one.
        conditioner: Where it takes kernels.
    """

    def __init__(
        self,
        how: Source,
        embedder: Embedder | None = None,
        converter: Session | None = None,
        emap: FloatArray | None = None,
        conditioner: Conditioner | None = None,
    ) -> None:
        self._how, self._embedder, self._converter, self._emap = how, embedder, converter, emap
        self._conditioner = conditioner

    def encode(self, portraits: Sequence[Portrait]) -> Encoded:
        """One person, out of their photos.

        Raises:
            ModelError: a model gives no direction for a photo.
        """
        if not self.knows_people:
            taken = _best(portraits)
            dropped = tuple((number, ONE_PHOTO) for number in range(len(portraits)) if number != taken)
            return Encoded(self._seen(portraits[taken]), dropped)
        assert self._embedder is not None
        embeddings = np.stack([self.embed(one.picture, one.face) for one in portraits])
        try:
            person = together(embeddings)
        except ValueError as fault:
            raise ModelError(
                f"the embedder gives no identity: {fault}", "Fetch it again, or use other photos."
            ) from fault
        # A converter knows embeddings as they come, of their own length; of several photos it gets the usual one.
        length = float(np.linalg.norm(embeddings, axis=1).mean())
        values = self.dressed(person.embedding, length)[None]
        return Encoded(values, tuple((number, STRANGER) for number in person.dropped), person.embedding, length)

    @property
    def knows_people(self) -> bool:
        """Whether it takes embeddings, which can be mixed; not photos, or kernels that are made of one."""
        return self._how.kind not in ("frame", "conditioned")

    def _seen(self, portrait: Portrait) -> FloatArray | Kernels:
        """What it is given of one photo."""
        if self._conditioner is not None:
            return self._conditioner.kernels(portrait)
        assert self._how.picture is not None
        assert self._how.picture.template is not None
        template = TEMPLATES[self._how.picture.template]
        crop, _ = aligned(portrait.picture, _keypoints(portrait), template, self._how.picture.size)
        return blob(crop, self._how.picture)

    def embed(self, picture: UInt8Array, face: Faces) -> FloatArray:
        """The embedding of one face, float32 (512,): see ``Embedder.embed``."""
        assert self._embedder is not None
        return np.asarray(self._embedder.embed(picture, face)[0], np.float32)

    def mixed(self, unit: FloatArray, length: float, other: FloatArray, share: float) -> FloatArray:
        """A person with a share of somebody else, or with as much of them taken off, as the swapper takes it.

        Args:
            unit: float32 (512,), of length 1.
            length: How long the embedder gave it.
            other: float32 (512,), of any length.
            share: Below 1; below 0 it is taken off.

        Returns:
            float32 (1, 512).

        Raises:
            ModelError: nothing is left.
        """
        return self.dressed(_unit((1 - share) * unit + share * _unit(other)), length)[None]

    def dressed(self, unit: FloatArray, length: float) -> FloatArray:
        """An embedding as the swapper takes it: float32 (512,).

        Args:
            unit: float32 (512,), of length 1.
            length: How long the embedder gave it.
        """
        if self._how.kind == "emap":
            assert self._emap is not None
            return _unit(unit @ self._emap)
        if self._how.kind == "converter":
            assert self._converter is not None
            converted, *_ = self._converter.run({self._converter.inputs[0]: (unit * length)[None]})
            return _unit(converted.reshape(-1)) if self._how.unit else converted.reshape(-1)
        return unit


def _unit(vector: FloatArray) -> FloatArray:
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length == 0:
        raise ModelError("the models give an identity of zeros", "Fetch the models again.")
    return np.asarray(vector / length, np.float32)


def _best(portraits: Sequence[Portrait]) -> int:
    """The number of the best photo, from 0: the first of those that are equally good."""
    if len(portraits) == 1:
        return 0
    return int(np.argmax([quality(one.picture, one.face).score for one in portraits]))


def _keypoints(portrait: Portrait) -> FloatArray:
    assert portrait.face.keypoints5 is not None
    return np.asarray(portrait.face.keypoints5[0], np.float32)
