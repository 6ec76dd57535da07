"""What a file or picture is known by: its digest, and a hash of how it looks. Neither says anything of a face."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import cv2
import numpy as np

from understudy.arrays import UInt8Array
from understudy.geometry.transforms import resized
from understudy.quantiles import median

#: Side of the block of low frequencies that a picture's hash is made of.
_SIDE: Final = 16
#: Bytes that are digested at a time.
_STEP: Final = 1 << 20
BITS: Final = _SIDE * _SIDE
#: Bits by which two copies of one picture differ at most. Of 256 bits, copies by JPEG, scaling and coding differ in
#: 0 to 20; different pictures in 128 +- 16, which a chance of 1e-9 brings below 60 at the earliest.
SAME: Final = 40
#: Seconds between two hashes of a clip, how many are kept at most, and how many of the first always.
_INTERVAL, _MOST, _FIRST = 1.0, 600, 20
#: From so many on there may be longer gaps between a clip's hashes: what fits none of them may still be of it.
SPARSE: Final = _MOST // 2


def picture_hash(picture: UInt8Array) -> int:
    """A 256-bit hash of a picture's large shapes (pHash: the signs of its lowest DCT coefficients about their median).

    It survives scaling and coding and is far from that of any other picture.

    Args:
        picture: uint8, BGR (H, W, 3) or luma (H, W).
    """
    # First smaller, then grey: converting all of a large picture costs more.
    small = resized(picture, (64, 64))
    plane = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    lowest = np.asarray(cv2.dct(np.asarray(plane, np.float32)))[: _SIDE + 1, : _SIDE + 1]
    block = lowest[1:, 1:].reshape(-1)
    bits = block > median(block)
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def difference(first: int, second: int) -> int:
    """Bits by which two hashes differ, 0-256."""
    return (first ^ second).bit_count()


class ClipHash:
    """Hashes of a clip, one a second for ten minutes; farther apart in longer ones, but for the beginning."""

    def __init__(self) -> None:
        self._taken: list[tuple[float, int]] = []
        self._interval = _INTERVAL

    def add(self, seconds: float, picture: UInt8Array) -> None:
        """Look at a frame; ``seconds`` rises."""
        if self._due(seconds):
            self.take(seconds, picture_hash(picture))

    def take(self, seconds: float, value: int) -> None:
        """Keep a frame's hash if it is time for one."""
        if not self._due(seconds):
            return
        self._taken.append((seconds, value))
        if len(self._taken) > _MOST:
            self._taken = self._taken[:_FIRST] + self._taken[_FIRST::2]
            self._interval *= 2

    @property
    def hashes(self) -> list[str]:
        """The hashes so far, in hexadecimal, in order."""
        return [text for _, text in self.hashed]

    @property
    def hashed(self) -> list[tuple[float, str]]:
        """The same, each with its time in seconds."""
        return [(seconds, f"{value:0{BITS // 4}x}") for seconds, value in self._taken]

    def _due(self, seconds: float) -> bool:
        return not self._taken or seconds - self._taken[-1][0] >= self._interval


def hashes_of(parts: Iterable[tuple[float, str]]) -> tuple[str, ...]:
    """Hashes of a clip out of those of its parts, in order: as few as ``ClipHash`` keeps of the whole.

    Raises:
        ValueError: one is no hash.
    """
    whole = ClipHash()
    for seconds, text in parts:
        whole.take(seconds, int(text, 16))
    return tuple(whole.hashes)


def closest(pictures: Iterable[int], known: Sequence[str]) -> int | None:
    """The median, over pictures, of the distance to the nearest known hash; None if there is nothing to compare.

    Of each picture the nearest counts, because a clip may have been cut and a player's first frame is not always
    the file's.
    """
    values = [int(text, 16) for text in known]
    distances = [min(difference(picture, value) for value in values) for picture in pictures] if values else []
    return int(median(np.array(distances))) if distances else None
