"""Swappers that are made for each person: two models make kernels of a photo, and the swapper convolves with them.

Kernels are as telling as an embedding. They are kept in the private folder only, for that photo and those models, and
go when its consent is revoked.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final, Protocol
from weakref import ref

import numpy as np

from understudy.arrays import FloatArray
from understudy.errors import ModelError
from understudy.geometry.templates import TEMPLATES
from understudy.geometry.transforms import aligned
from understudy.models.conventions import blob
from understudy.models.devices import Precision
from understudy.models.entries import Picture
from understudy.models.session import Session
from understudy.swapping.base import Portrait

#: Sessions that are open at most, each with one person's kernels: another is opened in the time of three frames.
MOST_OPEN: Final = 8
#: The first line of a file of kernels.
_HEAD: Final = b"understudy kernels 1\n"


@dataclass(frozen=True, eq=False)
class Kernels:
    """What makes a swapper one person's.

    Attributes:
        arrays: float32, in the order of the swapper's inputs after the picture.
    """

    arrays: tuple[FloatArray, ...]


class FaceCache(Protocol):
    """Where what was learned of a photo is kept, for its owner's eyes only, until its consent is revoked."""

    def read(self, digest: str, name: str) -> bytes | None:
        """What is kept of a photo under a name; None for nothing, or nothing that can be believed."""
        ...

    def write(self, digest: str, name: str, data: bytes) -> None:
        """Keep it, if the photo was not forgotten since it was read."""
        ...


class Conditioner:
    """Makes the kernels of one person out of a photo, or takes those that were kept of it.

    Args:
        name: What the kernels are called where they are kept.
        picture: How the photo goes into the first model.
        digests: SHA-256 of both models' files: kernels that others made are not theirs.
        identity: Opens the model that looks at the photo. Both are large: they are opened one after the other, only
            where nothing is kept, and let go.
        conditioner: Opens the one that makes kernels of what the first gives.
        cache: Where kernels are kept; None: nowhere.
        precision: In which both run: kernels that were made in another are not theirs.
    """

    def __init__(
        self,
        name: str,
        picture: Picture,
        digests: tuple[str, str],
        identity: Callable[[], Session],
        conditioner: Callable[[], Session],
        cache: FaceCache | None = None,
        precision: Precision = "single",
    ) -> None:
        assert picture.template is not None
        self._name, self._picture, self._template = f"{name}.kernels", picture, TEMPLATES[picture.template]
        self._digests, self._identity, self._conditioner, self._cache = digests, identity, conditioner, cache
        self._precision = precision

    def kernels(self, portrait: Portrait) -> Kernels:
        """The kernels of whoever a photo shows.

        Raises:
            ModelError: a model is not here, altered, does not work, or gives what are no numbers.
            PrivacyError: others can get at where they are kept.
        """
        assert portrait.face.keypoints5 is not None
        points = np.asarray(portrait.face.keypoints5[0], np.float32)
        crop, _ = aligned(portrait.picture, points, self._template, self._picture.size)
        # Whose, of which part of the photo, and by which models.
        said = "\n".join([portrait.digest, *self._digests, self._precision, ""])
        bound = hashlib.sha256(said.encode() + crop.tobytes()).hexdigest()
        cache = self._cache if portrait.digest else None
        kept = None if cache is None else cache.read(portrait.digest, self._name)
        found = None if kept is None else _unpacked(kept, bound)
        if found is None:
            found = self._made(blob(crop, self._picture))
            if cache is not None:
                cache.write(portrait.digest, self._name, _packed(found, bound))
        return found

    def _made(self, picture: FloatArray) -> Kernels:
        identity = self._identity()
        told = _finite(identity, identity.run({identity.target: picture}))
        del identity
        conditioner = self._conditioner()
        if len(told) != len(conditioner.inputs):
            raise ModelError(
                f"{conditioner.entry.name} takes {len(conditioner.inputs)} inputs, and of a photo come {len(told)}",
                "Its files do not belong together. Fetch them again, all from one place.",
            )
        return Kernels(_finite(conditioner, conditioner.run(dict(zip(conditioner.inputs, told, strict=True)))))


class PersonalSessions:
    """A swapper with one person's kernels as constants, for each of several people: those longest unused go first.

    One whose kernels nobody holds any more goes with them.

    For several threads.

    Args:
        opened: Opens one.
        most: How many are open at most.
    """

    def __init__(self, opened: Callable[[Sequence[FloatArray]], Session], most: int = MOST_OPEN) -> None:
        self._opened, self._most = opened, most
        #: What is open is looked up while another is being opened.
        self._looking, self._opening = Lock(), Lock()
        self._open: OrderedDict[ref[Kernels], Session] = OrderedDict()

    def of(self, kernels: Kernels) -> Session:
        """The session of one person, opened if it is not.

        Raises:
            ModelError: it does not open or work, or the kernels are not for it.
        """
        found = self._found(kernels)
        if found is not None:
            return found
        with self._opening:
            found = self._found(kernels)
            if found is None:
                found = self._opened(kernels.arrays)
                with self._looking:
                    # Not under the lock: whoever holds that may be who let go of them.
                    self._open[ref(kernels, lambda gone: self._open.pop(gone, None))] = found
                    while len(self._open) > self._most:
                        self._open.popitem(last=False)  # whoever runs it just now still holds it
            return found

    def _found(self, kernels: Kernels) -> Session | None:
        with self._looking:
            if (key := ref(kernels)) in self._open:
                self._open.move_to_end(key)
            return self._open.get(key)


def _finite(session: Session, given: Sequence[FloatArray]) -> tuple[FloatArray, ...]:
    """What a session gave, copied: it lies in the session's own memory, and would keep all of that.

    Raises:
        ModelError: some of it is no number.
    """
    if not all(np.isfinite(one).all() for one in given):
        raise ModelError(
            f"{session.entry.name} gives what are no numbers for this photo",
            "Use another photo, or fetch the model again.",
        )
    return tuple(np.array(one, np.float32) for one in given)


def _packed(kernels: Kernels, bound: str) -> bytes:
    """Kernels as a file: what they are bound to, their shapes, and a digest of all that."""
    about = json.dumps({"bound": bound, "shapes": [one.shape for one in kernels.arrays]}).encode()
    rest = about + b"\n" + b"".join(np.asarray(one, "<f4").tobytes() for one in kernels.arrays)
    return _HEAD + hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest


def _unpacked(data: bytes, bound: str) -> Kernels | None:
    """Kernels out of a file; None if it is damaged, or they are another photo's or other models'."""
    if not data.startswith(_HEAD):
        return None
    digest, _, rest = data[len(_HEAD) :].partition(b"\n")
    if hashlib.sha256(rest).hexdigest().encode() != digest:
        return None
    about, _, numbers = rest.partition(b"\n")
    try:
        told = json.loads(about)
        shapes = [tuple(int(size) for size in shape) for shape in told["shapes"]]
        if told["bound"] != bound:
            return None
        sizes = [int(np.prod(shape, dtype=object)) for shape in shapes]
        if any(size < 0 for size in sizes) or sum(sizes) * 4 != len(numbers):
            return None
        values = np.frombuffer(numbers, "<f4").astype(np.float32)
        parts = np.split(values, np.cumsum(sizes)[:-1])
        arrays = tuple(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    return Kernels(arrays) if np.isfinite(values).all() else None
