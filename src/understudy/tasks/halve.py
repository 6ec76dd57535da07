"""Makes variants of 16 bits: of a model that makes pictures, or of those that make a swapper one person's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from onnx import ModelProto

from understudy.arrays import FloatArray, UInt8Array
from understudy.errors import ModelError, ModelMissingError
from understudy.geometry.templates import TEMPLATES
from understudy.geometry.transforms import aligned
from understudy.models.calibrating import Values
from understudy.models.conventions import blob
from understudy.models.ends import ends_of
from understudy.models.entries import Entry, Picture
from understudy.models.graphs import check_graph
from understudy.models.half_variants import (
    Judged,
    Original,
    answers,
    firsts,
    half_variant,
    kept,
    original_of,
    with_flat,
)
from understudy.models.halved import computed_in_half
from understudy.models.openvino_runtime import OpenVino
from understudy.models.optimising import OptimiseOptions
from understudy.models.store import Store
from understudy.models.variants import VariantRecord, Variants
from understudy.resources import Models
from understudy.settings import Settings
from understudy.swapping.base import Portrait
from understudy.tasks.optimise import entry_of, inputs, portraits_in
from understudy.text import counted

#: Photos that kernels are made of, to see what becomes of them.
_PHOTOS: Final = 4


def halve(
    store: Store,
    models: Models,
    settings: Settings,
    name: str,
    pictures: Iterable[UInt8Array],
    taken_from: str,
    options: OptimiseOptions | None = None,
) -> dict[str, VariantRecord]:
    """Make the variant of 16 bits of a model. Of a swapper that is made for each person: of the two that make it so.

    Args:
        store: With the originals.
        models: The same private folder's.
        settings: How faces are found.
        name: The model's.
        pictures: uint8 BGR (H, W, 3), with faces in them, such as it will be used on.
        taken_from: Where they come from, in words.
        options: What it may lose.

    Returns:
        What was made, by the models' names.

    Raises:
        UnknownModelError, NoFaceError, ModelMissingError, ModelFileError, ModelError: see ``optimise``.
    """
    entry = entry_of(store, name)
    Variants(store, "half").check_writable(entry)
    original = replace(settings, runtime=replace(settings.runtime, precision="single"))
    if entry.source is not None and entry.source.kind == "conditioned":
        return _of_conditioned(store, entry, portraits_in(models, original, pictures), taken_from, options)
    given = inputs(models, original, entry, pictures)
    said = f"{taken_from}: {counted(len(given), 'picture')}"
    return {name: half_variant(store, entry, given, said, options)}


def _of_conditioned(
    store: Store, entry: Entry, portraits: Sequence[Portrait], taken_from: str, options: OptimiseOptions | None
) -> dict[str, VariantRecord]:
    """The variants of the identity network and the conditioner, each judged by the pictures that are drawn in the end.

    The second is judged with the first in place: what both do together is within the bound.
    """
    source, entries = entry.source, store.catalogue.entries
    assert source is not None
    assert source.identity is not None
    assert source.conditioner is not None
    first, second = entries[source.identity], entries[source.conditioner]
    for one in (first, second):
        if store.state(one) in ("missing", "begun"):
            raise ModelMissingError(one.name)
    identity, conditioner = original_of(store, first), original_of(store, second)
    chain = _Chain(store, entry, identity, conditioner, portraits)
    told = chain.told(identity.graph)
    expected = chain.drawn(conditioner.graph, told)
    said, bounds = f"{taken_from}: {counted(len(chain.photos) - 1, 'photo')}", options or OptimiseOptions()
    openvino = OpenVino()
    photos = Judged(
        chain.photos,
        expected,
        lambda model, program: chain.drawn(conditioner.graph, chain.told(model, program)),
        openvino,
    )
    made = {first.name: kept(store, identity, photos, said, bounds)}
    of_half = chain.told(computed_in_half(check_graph(Variants(store, "half").read(first), first.file.name)))
    seen = Judged(told, expected, lambda model, program: chain.drawn(model, of_half, program), openvino)
    made[second.name] = kept(store, conditioner, seen, said, bounds)
    return made


class _Chain:
    """From photos to pictures: identity network, conditioner, and the swapper with the kernels that these make.

    Args:
        store: Where the swapper is.
        entry: The swapper.
        identity: Looks at photos.
        conditioner: Makes kernels of what that tells.
        portraits: The photos, which are drawn onto each other.

    Attributes:
        photos: What goes into the identity network.
    """

    def __init__(
        self, store: Store, entry: Entry, identity: Original, conditioner: Original, portraits: Sequence[Portrait]
    ) -> None:
        self._entry, self._identity, self._conditioner = entry, identity.entry, conditioner.entry
        self._swapper = check_graph(store.read(entry), entry.file.name)
        self._into = [[end.name for end in ends_of(one).inputs] for one in (conditioner.graph, self._swapper)]
        spread = portraits[:: max(len(portraits) // _PHOTOS, 1)][:_PHOTOS]
        end, *_ = ends_of(identity.graph).inputs
        self.photos = with_flat([{end.name: crop} for crop in _crops(spread, self._identity.input)])
        crops = _crops(spread, entry.input)
        self._crops = [crops[(number + 1) % len(crops)] for number in range(len(self.photos))]

    def told(self, identity: ModelProto, openvino: OpenVino | None = None) -> list[Values]:
        """What goes into the conditioner, with this identity network."""
        return [self._named(0, one) for one in answers(self._identity, identity, self.photos, openvino)]

    def drawn(
        self, conditioner: ModelProto, told: Sequence[Values], openvino: OpenVino | None = None
    ) -> list[FloatArray]:
        """The pictures in the end, with this conditioner."""
        made = answers(self._conditioner, conditioner, told, openvino)
        given = [self._named(1, [crop, *kernels]) for crop, kernels in zip(self._crops, made, strict=True)]
        return firsts(answers(self._entry, self._swapper, given))

    def _named(self, into: int, values: Sequence[FloatArray]) -> Values:
        names = self._into[into]
        if len(names) != len(values):
            raise ModelError(
                f"{self._entry.name}'s models do not fit: one takes {len(names)} inputs, another gives {len(values)}",
                "Its files do not belong together. Fetch them again, all from one place.",
            )
        return dict(zip(names, values, strict=True))


def _crops(portraits: Sequence[Portrait], picture: Picture) -> list[FloatArray]:
    """The faces of photos as they go into a model."""
    assert picture.template is not None
    template, found = TEMPLATES[picture.template], []
    for one in portraits:
        assert one.face.keypoints5 is not None
        points = np.asarray(one.face.keypoints5[0], np.float32)
        found.append(blob(aligned(one.picture, points, template, picture.size)[0], picture))
    return found
