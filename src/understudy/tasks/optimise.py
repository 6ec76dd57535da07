"""Makes a variant of 8 bits of a model: what goes into it is taken from pictures of faces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from understudy.arrays import AnyArray, UInt8Array
from understudy.casting.portraits import portrait_in
from understudy.errors import (
    InputUnreadableError,
    ModelError,
    ModelMissingError,
    NoFaceError,
    UnknownModelError,
    UsageError,
)
from understudy.geometry.templates import TEMPLATES
from understudy.geometry.transforms import aligned
from understudy.media.files.opening import check_input, open_source
from understudy.models.conventions import blob
from understudy.models.entries import Entry, Source
from understudy.models.optimising import MOST_INPUTS, Given, OptimiseOptions, check_kind, optimised
from understudy.models.store import Store
from understudy.models.variants import VariantRecord, Variants
from understudy.resources import Models
from understudy.settings import Settings
from understudy.swapping.base import Portrait
from understudy.swapping.neural.engine import NeuralIdentity
from understudy.text import counted, printable

#: Frames of a clip that are read at most: a minute and more.
_MOST_FRAMES: Final = 2_000
#: Pictures whose faces are also put in: each with every other.
_PEOPLE: Final = 4
#: How true CodeFormer is asked to stay.
_WEIGHT: Final = 0.5


def optimise(
    store: Store,
    models: Models,
    settings: Settings,
    name: str,
    pictures: Iterable[UInt8Array],
    taken_from: str,
    options: OptimiseOptions | None = None,
) -> VariantRecord:
    """Make the variant of a model.

    Args:
        store: With the original.
        models: The same private folder's.
        settings: How faces are found.
        name: The model's.
        pictures: uint8 BGR (H, W, 3), with faces in them, such as it will be used on.
        taken_from: Where they come from, in words.
        options: What it may lose.

    Raises:
        UnknownModelError: there is no such model.
        NoFaceError: there is no face in any of the pictures.
        ModelMissingError, ModelFileError: it, or what it needs, is not here, or altered.
        ModelError: it can't be done, or not within the bounds; or the store can't be written, which is seen first.
    """
    entry = entry_of(store, name)
    if entry.source is not None and entry.source.kind == "conditioned":
        raise ModelError(
            f"{name} is made for each person: 8 bits would have to be found for each anew, and are no quicker than 16",
            f"The two large models that make it so can have 16: understudy models optimise {name} --to half",
        )
    Variants(store).check_writable(entry)
    original = replace(settings, runtime=replace(settings.runtime, precision="single"))
    given = inputs(models, original, entry, pictures)
    return optimised(store, entry, given, f"{taken_from}: {counted(len(given), 'picture')}", options)


def entry_of(store: Store, name: str) -> Entry:
    """A model that can be made coarser, and is here.

    Raises:
        UsageError: there is no such model, or it is several.
        ModelMissingError: it is not here.
        ModelError: it is of a kind that stays as exact as it is.
    """
    catalogue = store.catalogue
    if name in catalogue.bundles:
        raise UsageError(f"{name} is several models", f"Name one: {', '.join(catalogue.bundles[name].models)}.")
    if name not in catalogue.entries:
        raise UnknownModelError(printable(name), list(catalogue.entries))
    entry = catalogue.entries[name]
    whole = [one.name for one in catalogue.entries.values() if one.source is not None and _makes(one.source, name)]
    if whole:
        raise ModelError(f"{name} is not optimised by itself", f"It belongs to {whole[0]}: name that, with --to half.")
    check_kind(entry)
    if store.state(entry) in ("missing", "begun"):
        raise ModelMissingError(name)
    return entry


def _makes(source: Source, name: str) -> bool:
    """Whether a model is one of the two that make a swapper one person's."""
    return name in (source.identity, source.conditioner)


def inputs(models: Models, settings: Settings, entry: Entry, pictures: Iterable[UInt8Array]) -> list[Given]:
    """What goes into a model for pictures of faces: at most ``MOST_INPUTS``.

    Raises:
        NoFaceError, ModelMissingError, ModelFileError, ModelError: see ``optimise``.
    """
    if entry.kind == "upscaler":
        return [Given(blob(tile, entry.input)) for tile in _tiles(pictures, entry.input.size)]
    if entry.input.template is None:
        raise ModelError(f"it is not known where {entry.name} wants a face", "Its entry should name a template.")
    portraits = portraits_in(models, settings, pictures)
    template = TEMPLATES[entry.input.template]
    crops = [
        aligned(one.picture, one.face.keypoints5[0], template, entry.input.size)[0]
        for one in portraits
        if one.face.keypoints5 is not None
    ]
    crops = crops[:MOST_INPUTS]
    if entry.source is None:
        return [Given(blob(crop, entry.input), np.array([_WEIGHT], np.float64)) for crop in crops]
    sources = _sources(models, settings, entry, portraits)
    # Not their own: that is what it is for.
    return [Given(blob(crop, entry.input), sources[(n + 1) % len(sources)]) for n, crop in enumerate(crops)]


def clip_pictures(paths: Sequence[Path], max_pixels: int) -> Iterator[UInt8Array]:
    """Pictures and frames of clips, as many of each, spread over it.

    Args:
        paths: The files.
        max_pixels: Most pixels of one.

    Raises:
        InputError: a file is missing, unreadable, no media, damaged or too large.
    """
    for path in paths:
        most = max(MOST_INPUTS // len(paths), 1)
        kept: list[UInt8Array] = []
        step = 1
        check_input(path, "clip")
        with open_source(path, max_pixels) as source:
            for number, frame in enumerate(source):
                if number >= _MOST_FRAMES:
                    break
                if number % step == 0:
                    kept.append(frame.picture.copy())
                if len(kept) > 2 * most:
                    kept, step = kept[::2], 2 * step
        if not kept:
            raise InputUnreadableError(f"{path.name} has no frames", "Name another clip.")
        chosen = np.unique(np.linspace(0, len(kept) - 1, min(most, len(kept))).round().astype(int))
        yield from (kept[number] for number in chosen)


def portraits_in(models: Models, settings: Settings, pictures: Iterable[UInt8Array]) -> list[Portrait]:
    """The largest face of each picture that has one.

    Raises:
        NoFaceError: none has.
    """
    perception, found = models.perception(settings), []
    for number, picture in enumerate(pictures, start=1):
        with suppress(NoFaceError):
            found.append(portrait_in(picture, f"picture {number}", perception, None)[0])
    if not found:
        raise NoFaceError("no face was found in what to calibrate with", "Name a clip in which faces are seen well.")
    return found


def _sources(models: Models, settings: Settings, entry: Entry, portraits: Sequence[Portrait]) -> list[AnyArray]:
    """What a swapper is given for some of the people."""
    engine = models.engine(replace(settings, engine=entry.name))
    spread = portraits[:: max(len(portraits) // _PEOPLE, 1)][:_PEOPLE]
    identities = [engine.identity([one]) for one in spread]
    values = (one.values for one in identities if isinstance(one, NeuralIdentity))
    return [one for one in values if isinstance(one, np.ndarray)]


def _tiles(pictures: Iterable[UInt8Array], side: int) -> Iterator[UInt8Array]:
    """The middle of each picture, as large as a tile."""
    for number, picture in enumerate(pictures):
        if number == MOST_INPUTS:
            return
        height, width = picture.shape[:2]
        scale = max(side / height, side / width, 1.0)
        large = picture if scale == 1 else np.asarray(cv2.resize(picture, None, fx=scale, fy=scale), np.uint8)
        top, left = (large.shape[0] - side) // 2, (large.shape[1] - side) // 2
        yield np.ascontiguousarray(large[top : top + side, left : left + side])
