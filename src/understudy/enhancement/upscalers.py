"""Runs any upscaler of the catalogue on a whole picture, in tiles without seams.

Each tile is seen with a margin around it that is thrown away afterwards, for at its edge a model knows too little; what
is left of neighbours overlaps, and one fades into the other. The field's own sizes: of a tile of 256 pixels 16 are the
margin, and 8 the overlap; of smaller tiles as much of their side.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from understudy.arrays import UInt8Array
from understudy.errors import ModelError
from understudy.models.conventions import blob, picture_of
from understudy.models.entries import Output
from understudy.models.session import Session

#: Parts of a tile's side that are its margin, and its overlap with the next.
_MARGIN, _OVERLAP = 16, 32
#: What comes out is a picture in 0-1.
_PLAIN: Final = Output()


class TiledUpscaler:
    """One upscaler of the catalogue.

    Args:
        session: The open model.

    Attributes:
        scale: See ``Upscaler``.
    """

    def __init__(self, session: Session) -> None:
        entry = session.entry
        assert entry.scale is not None
        self.scale = entry.scale
        self._session, self._input = session, entry.input
        self._margin = entry.input.size // _MARGIN
        self._overlap = max(entry.input.size // _OVERLAP, 1)

    def upscaled(self, picture: UInt8Array) -> UInt8Array:
        """See ``Upscaler.upscaled``.

        Raises:
            ModelError: the model failed, or gave no picture of that size.
        """
        (height, width), scale = picture.shape[:2], self.scale
        side, margin = self._input.size, self._margin
        inner = side - 2 * margin
        tops, lefts = (_starts(length, inner, self._overlap) for length in (height, width))
        # Beyond its edge a picture goes on as its mirror image; one that is smaller than a tile fills it so.
        ends = (margin, margin + max(inner - height, 0), margin, margin + max(inner - width, 0))
        seen = cv2.copyMakeBorder(picture, *ends, cv2.BORDER_REFLECT_101)
        result = np.empty((height * scale, width * scale, 3), np.uint8)
        band = np.empty((min(inner, height) * scale, width * scale, 3), np.uint8)
        across, written = band.swapaxes(0, 1), 0
        for top in tops:
            reached = 0
            for left in lefts:
                tile = self._tile(np.ascontiguousarray(seen[top : top + side, left : left + side]))
                reached = _faded_in(across, tile[: len(band)].swapaxes(0, 1), left * scale, reached)
            written = _faded_in(result, band, top * scale, written)
        return result

    def _tile(self, tile: UInt8Array) -> UInt8Array:
        """One tile without its margin, uint8 BGR, ``scale`` times as large."""
        given = self._session.run({self._session.target: blob(tile, self._input)})[0]
        side, cut = self._input.size * self.scale, self._margin * self.scale
        if given.shape[-3:] != (3, side, side) or not np.isfinite(given).all():
            raise ModelError(
                f"{self._session.entry.name} gives no picture {self.scale} times as large",
                "Fetch it again; of your own models the entry says the scale.",
            )
        return picture_of(given, _PLAIN)[cut : side - cut, cut : side - cut]


def _starts(length: int, inner: int, overlap: int) -> list[int]:
    """Where tiles begin along a side: in even steps, the last so that it ends with the picture."""
    if length <= inner:
        return [0]
    count = -(-(length - inner) // (inner - overlap)) + 1
    return [round(number * (length - inner) / (count - 1)) for number in range(count)]


def _faded_in(whole: UInt8Array, part: UInt8Array, start: int, written: int) -> int:
    """Write rows: those that are there already fade into the new ones, all others are the new ones.

    Args:
        whole: uint8 (h, w, 3): it is written.
        part: uint8 (rows, w, 3).
        start: Where in ``whole`` it begins.
        written: Up to where ``whole`` is written.

    Returns:
        Up to where it is now.
    """
    end, shared = min(start + len(part), len(whole)), written - start
    if shared > 0:
        ramp = ((np.arange(shared, dtype=np.float32) + np.float32(0.5)) / np.float32(shared))[:, None, None]
        before = whole[start:written].astype(np.float32)
        whole[start:written] = np.rint(before + (part[:shared] - before) * ramp).astype(np.uint8)
    whole[written:end] = part[shared : end - start]
    return end
