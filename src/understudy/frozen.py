"""Pictures that nobody can write any more: their memory is that of a ``bytes`` object.

A NumPy array whose ``writeable`` flag was taken away gets it back from anyone who asks. One that lies in ``bytes``
does not: NumPy refuses. So what is kept here needs no digest to be proven unchanged, and costs one copy (0.3 ms for
1280x720; a CRC of it takes 0.6 ms).
"""

from __future__ import annotations

import io
import math
from typing import NamedTuple

import numpy as np

from understudy.arrays import UInt8Array


class Frozen(NamedTuple):
    """A picture or mask that can't be changed.

    Attributes:
        data: Its values, row by row.
        shape: Of the array.
    """

    data: bytes
    shape: tuple[int, ...]

    @classmethod
    def copy_of(cls, array: UInt8Array) -> Frozen:
        """What is in ``array`` now, uint8 of any shape.

        Raises:
            ValueError: it is of another type.
        """
        plain = _plain(array)
        return cls(plain.tobytes(), plain.shape)

    @property
    def array(self) -> UInt8Array:
        """A read-only view, a new one each time: even a view's shape can be changed by whoever holds it."""
        return np.frombuffer(self.data, np.uint8).reshape(self.shape)


class Draft:
    """A private copy of an array, to be written until it is frozen: that copies nothing if nobody holds a view.

    Args:
        array: uint8, any shape.

    Raises:
        ValueError: it is of another type.
    """

    def __init__(self, array: UInt8Array) -> None:
        plain = _plain(array)
        self._hold(plain.tobytes(), plain.shape)

    @classmethod
    def of_zeros(cls, shape: tuple[int, ...]) -> Draft:
        """One in which nothing has been written yet."""
        draft = object.__new__(cls)
        draft._hold(bytes(math.prod(shape)), shape)
        return draft

    def _hold(self, data: bytes, shape: tuple[int, ...]) -> None:
        # The file takes the memory of what it is given if nobody else has it, and gives it back when asked: one copy.
        self._file = io.BytesIO(data)
        del data
        self._array: UInt8Array | None = np.frombuffer(self._file.getbuffer(), np.uint8).reshape(shape)

    @property
    def array(self) -> UInt8Array:
        """The copy: uint8, C-contiguous.

        Raises:
            ValueError: it is frozen.
        """
        if self._array is None:
            raise ValueError("this draft is frozen")
        return self._array

    def freeze(self) -> Frozen:
        """Give the memory up for good, or, where somebody still holds a view of it, a copy.

        Raises:
            ValueError: it is frozen already.
        """
        shape = self.array.shape
        self._array = None
        try:
            self._file.truncate(math.prod(shape))  # changes nothing, but is refused while there are views
        except BufferError:
            return Frozen(bytes(self._file.getbuffer()), shape)
        return Frozen(self._file.getvalue(), shape)


def _plain(array: UInt8Array) -> UInt8Array:
    """The array without what a class of its own says of it: its memory and true shape."""
    plain = np.asarray(array)
    if type(plain) is not np.ndarray or plain.dtype != np.uint8:
        raise ValueError(f"a picture is an array of uint8, not {type(array).__name__} of {plain.dtype}")
    return plain
