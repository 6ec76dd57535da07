"""A picture of everybody in a clip, with their numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from understudy import names
from understudy.arrays import UInt8Array
from understudy.casting.clip_person import ClipPerson
from understudy.errors import UsageError
from understudy.outputs import Draft, settled

#: Side of a person's place, height of the line below it, and people beside each other at most, in pixels.
_PLACE, _LINE, _ACROSS = 200, 36, 6
#: Colours, BGR.
_PAPER, _INK = (245, 245, 245), (30, 30, 30)
_SUFFIXES: Final = (".jpg", ".jpeg", ".png")


def check_sheet(path: Path, *, overwrite: bool) -> None:
    """Whether a sheet can be written there.

    Raises:
        UsageError: it ends otherwise than a picture, or is there already.
        OutputError: its folder can't be written to.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"a sheet can't be written to {names.said(path)}", "Name a file that ends in .jpg or .png.")
    settled(path, overwrite=overwrite)


def write_sheet(path: str | PathLike[str], people: Sequence[ClipPerson], *, overwrite: bool = False) -> None:
    """Write a picture of them.

    Args:
        path: A file that ends in ``.jpg`` or ``.png``.
        people: With thumbnails.
        overwrite: Whether a file that is there may be replaced.

    Raises:
        UsageError: see ``check_sheet``; or there is nobody.
        OutputError, NoSpaceError: it can't be written.
    """
    target = Path(path)
    check_sheet(target, overwrite=overwrite)
    if not people:
        raise UsageError("there is nobody to show", "Use a clip in which somebody is seen.")
    ok, data = cv2.imencode(target.suffix.lower(), _sheet(people))
    assert ok
    Draft(target, overwrite=overwrite).write(data.tobytes())


def _sheet(people: Sequence[ClipPerson]) -> UInt8Array:
    across = min(len(people), _ACROSS)
    down = math.ceil(len(people) / across)
    sheet = np.full((down * (_PLACE + _LINE), across * _PLACE, 3), _PAPER, np.uint8)
    for row, person in enumerate(people):
        x, y = row % across * _PLACE, row // across * (_PLACE + _LINE)
        if person.thumbnail is not None:
            _put(sheet[y : y + _PLACE, x : x + _PLACE], person.thumbnail)
        text = f"{person.number}   {person.share:.0%}"
        at = (x + 8, y + _PLACE + _LINE - 10)
        cv2.putText(sheet, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.8, _INK, 2, cv2.LINE_AA)
    return sheet


def _put(place: UInt8Array, picture: UInt8Array) -> None:
    """Put a picture into the middle of a place, as large as fits."""
    height, width = place.shape[:2]
    scale = min((width - 8) / picture.shape[1], (height - 8) / picture.shape[0])
    size = (max(round(picture.shape[1] * scale), 1), max(round(picture.shape[0] * scale), 1))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    x, y = (width - size[0]) // 2, (height - size[1]) // 2
    place[y : y + size[1], x : x + size[0]] = small
