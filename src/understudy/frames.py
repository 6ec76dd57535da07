"""Frames: a picture with its own time. No stage looks at a clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, NamedTuple

import numpy as np

from understudy.arrays import UInt8Array


class PixelBox(NamedTuple):
    """A rectangle of whole pixels, ``x1``/``y1`` outside it, in the frame's coordinates."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def empty(self) -> bool:
        """Whether it holds no pixel."""
        return self.x1 <= self.x0 or self.y1 <= self.y0

    def clipped(self, width: int, height: int) -> PixelBox:
        """The part of it that lies in a picture of ``width`` x ``height`` pixels."""
        return PixelBox(
            min(max(self.x0, 0), width),
            min(max(self.y0, 0), height),
            min(max(self.x1, 0), width),
            min(max(self.y1, 0), height),
        )


class Change(NamedTuple):
    """A rectangle of a frame that was written.

    Attributes:
        box: Where.
        before: uint8 BGR: what was there before; None for a frame without ``origin``, which no sink asks for it.
    """

    box: PixelBox
    before: UInt8Array | None


@dataclass(eq=False, slots=True)
class Frame:
    """One picture of a clip.

    Attributes:
        picture: uint8 BGR, C-contiguous, shape (H, W, 3). Blending and the label write into it.
        pts: Presentation time in units of ``time_base``.
        time_base: Seconds a unit of ``pts``.
        duration: How long it is shown, in units of ``time_base``; 0 where the source does not say.
        alpha: uint8 opacity, shape (H, W), for sources that have one. Only the label writes it.
        origin: What the source decoded ``picture`` from; only the sink that knows its type uses it, to
            copy what was not touched without a round trip through BGR.
        changes: What was written into ``picture`` since it was decoded, in order (see ``change``).
    """

    picture: UInt8Array
    pts: int = 0
    time_base: Fraction = Fraction(1, 1000)
    duration: int = 0
    alpha: UInt8Array | None = None
    origin: object | None = None
    changes: list[Change] = field(default_factory=list)

    def __post_init__(self) -> None:
        picture = self.picture
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
            raise ValueError(f"a frame needs a uint8 picture of shape (H, W, 3), not {picture.dtype} {picture.shape}")
        if not picture.flags.c_contiguous:
            self.picture = np.ascontiguousarray(picture)
        if self.alpha is not None and self.alpha.shape != picture.shape[:2]:
            raise ValueError(f"alpha is {self.alpha.shape}, the picture {picture.shape[:2]}")

    def change(self, box: PixelBox) -> UInt8Array:
        """A writable view of a rectangle of the picture; what is there now is noted in ``changes`` first.

        Every stage that writes a pixel gets at it this way, so that a sink knows what was not written.
        """
        box = box.clipped(self.width, self.height)
        view = self.picture[box.y0 : box.y1, box.x0 : box.x1]
        self.changes.append(Change(box, None if self.origin is None else view.copy()))
        return view

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.picture.shape[1])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.picture.shape[0])

    @property
    def seconds(self) -> float:
        """Presentation time in seconds."""
        return float(self.pts * self.time_base)


class _Seal:
    """What proves that a frame went through the label. Only ``provenance.sealing`` holds it."""


LABEL_SEAL: Final = _Seal()


class LabelledFrame:
    """A frame that carries the visible label: the only thing a sink takes.

    It can't be made by hand: ``understudy.provenance`` makes it, and a test keeps it so. From then on its
    picture can't be written any more.

    Args:
        frame: The frame, with the label drawn.
        seal: What only provenance holds.

    Raises:
        TypeError: made without the label's seal.
    """

    __slots__ = ("_changes", "_frame", "_picture", "_seal")

    def __init__(self, frame: Frame, seal: _Seal) -> None:
        if seal is not LABEL_SEAL:
            raise TypeError("a LabelledFrame is made by understudy.provenance only")
        frame.picture.flags.writeable = False
        if frame.alpha is not None:
            frame.alpha.flags.writeable = False
        self._frame, self._seal = frame, seal
        self._picture, self._changes = frame.picture, len(frame.changes)

    @property
    def frame(self) -> Frame:
        """The frame, to be read."""
        return self._frame

    @staticmethod
    def opened(labelled: object) -> Frame:
        """The frame in what a sink was given.

        Raises:
            TypeError: it is no labelled frame, whatever it looks like.
        """
        if type(labelled) is not LabelledFrame or getattr(labelled, "_seal", None) is not LABEL_SEAL:
            raise TypeError(f"a sink takes a LabelledFrame, not {type(labelled).__name__}")
        frame = labelled.frame
        kept = frame.picture is labelled._picture and len(frame.changes) == labelled._changes
        if not kept or frame.picture.flags.writeable:
            raise TypeError("this LabelledFrame was opened for writing after it was labelled")
        return frame
