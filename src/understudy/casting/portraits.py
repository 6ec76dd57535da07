"""Reads the photos of the person whose face is used."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from understudy.arrays import UInt8Array
from understudy.casting.exposure import brightened
from understudy.errors import NoFaceError, NotMediaError, UsageError
from understudy.face import Faces
from understudy.geometry.transforms import resized
from understudy.media.files import load_photo
from understudy.media.files.opening import check_input
from understudy.resources.perception import Perception
from understudy.swapping import Portrait
from understudy.text import counted

#: Most pixels of one photo, of all photos of a person together, and what each may have however many they are: the
#: face's texture has some two million.
_MOST_PIXELS: Final = 24_000_000
MOST_TOGETHER: Final = 130_000_000
LEAST_PIXELS: Final = 2_000_000


def load_portraits(
    paths: Sequence[Path], perception: Perception, *, source_face: int | None, max_pixels: int
) -> tuple[list[Portrait], list[str]]:
    """The photos with the face in each, and notes on choices that were made.

    Raises:
        UsageError: no photo, or ``source_face`` is not in one.
        InputError: a photo is missing, unreadable, no picture, too large, or has no face.
    """
    if not paths:
        raise UsageError("no source photo", "Name one: app.person(PHOTO); for a command, -s PHOTO.")
    portraits, notes = [], []
    for path in paths:
        picture = load_source(path, max_pixels)
        picture = _at_most(picture, max(min(_MOST_PIXELS, MOST_TOGETHER // len(paths)), LEAST_PIXELS))
        portrait, note = portrait_in(picture, path.name, perception, source_face)
        portraits.append(portrait)
        notes += note
    return portraits, notes


def load_source(path: Path, max_pixels: int) -> UInt8Array:
    """A source photo as uint8 BGR (H, W, 3), upright.

    Raises:
        InputError: it is missing, unreadable, no picture, or too large.
    """
    check_input(path, "source photo")
    picture = load_photo(path, max_pixels)
    if picture is None:
        raise NotMediaError(
            f"the source {path.name} is not a photo", "Name a picture (jpg, png, webp…), or export it as JPEG."
        )
    return picture


def _at_most(picture: UInt8Array, pixels: int) -> UInt8Array:
    """The picture, made smaller if it has more pixels than that."""
    height, width = picture.shape[:2]
    scale = math.sqrt(pixels / (width * height))
    return picture if scale >= 1 else resized(picture, (max(int(width * scale), 1), max(int(height * scale), 1)))


def portrait_in(
    picture: UInt8Array, name: str, perception: Perception, source_face: int | None
) -> tuple[Portrait, list[str]]:
    """The face to use out of one photo.

    Args:
        picture: uint8 BGR (H, W, 3).
        name: For messages.
        perception: Finds the faces.
        source_face: From the left, the first is 1; None for the largest.
    """
    faces = perception.still(picture)
    if not len(faces) and (lighter := brightened(picture)) is not None:
        faces = perception.still(lighter)
    if not len(faces):
        raise NoFaceError(
            f"no face was found in {name}",
            "Use a photo that shows the face from the front, at least 60 pixels high.",
        )
    if source_face is not None:
        if not 1 <= source_face <= len(faces):
            raise UsageError(
                f"{name} has {counted(len(faces), 'face')}; there is no number {source_face}",
                "They are counted from the left, from 1.",
            )
        return Portrait(picture, faces[source_face - 1]), []
    largest = int(np.argmax(faces.areas))
    if len(faces) == 1:
        return Portrait(picture, faces[0]), []
    where = _ordinal(faces, largest)
    note = f"{name} has {len(faces)} faces: the largest was taken ({where}); choose another with --source-face N"
    return Portrait(picture, faces[largest]), [note]


def _ordinal(faces: Faces, row: int) -> str:
    return f"number {row + 1} of {len(faces)} from the left"
