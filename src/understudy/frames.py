"""Frames: a picture with its own time. No stage looks at a clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from numbers import Rational
from typing import NamedTuple, NoReturn, SupportsIndex, final
from weakref import WeakKeyDictionary

import numpy as np

from understudy.arrays import Int8Array, UInt8Array
from understudy.errors import EncodingError
from understudy.frozen import Frozen


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

    def even(self, width: int, height: int) -> PixelBox:
        """Widened to even coordinates, where a picture of ``width`` x ``height`` pixels has room; empty, it stays so.

        Halving a part of even size is much quicker than of odd size, and chroma is of two by two pixels.
        """
        if self.empty:
            return self
        x0, y0, x1, y1 = self
        return PixelBox(x0 - x0 % 2, y0 - y0 % 2, x1 + x1 % 2, y1 + y1 % 2).clipped(width, height)


class Change(NamedTuple):
    """A rectangle of a frame that was written.

    Attributes:
        box: Where.
        before: uint8 BGR: what was there before; None for a frame without ``origin``, of which no sink asks it.
    """

    box: PixelBox
    before: UInt8Array | None


@dataclass(eq=False, slots=True)
class Frame:
    """One picture of a clip. Stages read it; whoever writes into it does so through a ``Canvas``.

    Attributes:
        picture: uint8 BGR, C-contiguous, shape (H, W, 3).
        pts: Presentation time in units of ``time_base``.
        time_base: Seconds a unit of ``pts``.
        duration: How long it is shown, in units of ``time_base``; 0 where the source does not say.
        alpha: uint8 opacity, shape (H, W), for sources that have one. Only the label changes it, in a copy.
        origin: What the source decoded ``picture`` from; only the sink that knows its type uses it, to
            copy what was not touched without a round trip through BGR.
        changes: What was written into ``picture`` since it was decoded, in order (see ``Canvas.change``).

    Raises:
        ValueError: a picture, an opacity or a time base of another kind or shape.
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
        if not isinstance(picture, np.ndarray):
            raise ValueError(  # noqa: TRY004 - as for a picture of another shape
                f"a frame needs a uint8 picture of shape (H, W, 3), not {type(picture).__name__}"
            )
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
            raise ValueError(f"a frame needs a uint8 picture of shape (H, W, 3), not {picture.dtype} {picture.shape}")
        if not picture.flags.c_contiguous:
            self.picture = np.ascontiguousarray(picture)
        alpha = self.alpha
        if alpha is not None and (alpha.dtype != np.uint8 or alpha.shape != picture.shape[:2]):
            raise ValueError(f"alpha needs to be uint8 of {picture.shape[:2]}, not {alpha.dtype} {alpha.shape}")
        if not isinstance(self.time_base, Rational):
            raise ValueError(f"a time base is a Fraction, such as Fraction(1, 25), not {self.time_base!r}")  # noqa: TRY004

    def part(self, box: PixelBox) -> UInt8Array:
        """The picture's pixels in ``box``, to be read: uint8 BGR (h, w, 3). What lies outside the frame is left out."""
        box = box.clipped(self.width, self.height)
        return self.picture[box.y0 : box.y1, box.x0 : box.x1]

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
        # The fraction's own value, rounded once: every stage asks for it, and a product of fractions is slow.
        return self.pts * self.time_base.numerator / self.time_base.denominator


class SealedFrame(NamedTuple):
    """What is in a ``LabelledFrame``, to be read: nothing in it can be changed.

    Attributes:
        picture: uint8 BGR, C-contiguous, shape (H, W, 3), with label and mark.
        pts, time_base, duration: As of the ``Frame``.
        alpha: uint8 opacity, shape (H, W); None where the frame has none.
        origin: What the source decoded the frame from. It is not the seal's, so whoever uses it must see to it that
            the pixels of ``label`` come out as in ``picture``.
        changes: What was written since then, but for label and mark: rectangles that do not overlap (see ``changes``).
            None where there is no ``origin``.
        steps: int8 (H, W): what the mark added to each of a pixel's colours, before they were clipped to 0-255. None
            where there is no ``origin``.
        label: Where the label stands.
        identifier: The id of the output that it was labelled for.
    """

    picture: UInt8Array
    pts: int
    time_base: Fraction
    duration: int
    alpha: UInt8Array | None
    origin: object | None
    changes: tuple[Change, ...]
    steps: Int8Array | None
    label: PixelBox
    identifier: int

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


class _Content(NamedTuple):
    """What a ``SealedFrame`` is made of, each time anew: its arrays are views that their holder could reshape."""

    picture: Frozen
    pts: int
    time_base: Fraction
    duration: int
    alpha: Frozen | None
    origin: object | None
    changes: tuple[tuple[PixelBox, Frozen], ...]
    steps: Frozen | None
    label: PixelBox
    identifier: int

    def shown(self) -> SealedFrame:
        return SealedFrame(
            picture=self.picture.array,
            pts=self.pts,
            time_base=self.time_base,
            duration=self.duration,
            alpha=None if self.alpha is None else self.alpha.array,
            origin=self.origin,
            changes=tuple(Change(box, before.array) for box, before in self.changes),
            steps=None if self.steps is None else self.steps.array.view(np.int8),
            label=self.label,
            identifier=self.identifier,
        )


class _LabelSeal:
    """Knows the labelled frames that it made. Only ``provenance.sealing`` makes one."""

    def __init__(self) -> None:
        self._made: WeakKeyDictionary[LabelledFrame, _Content] = WeakKeyDictionary()

    def close(self, content: _Content) -> LabelledFrame:
        """A labelled frame with that content."""
        labelled = object.__new__(LabelledFrame)
        object.__setattr__(labelled, "_seal", self)
        self._made[labelled] = content
        return labelled

    def content(self, labelled: LabelledFrame) -> _Content | None:
        """What it put into that very object; None if it did not make it."""
        return self._made.get(labelled)


@final
class LabelledFrame:
    """A frame that carries the visible label: the only thing a sink takes.

    It can't be made by hand: ``understudy.provenance`` makes it, and a test keeps it so. What is in it is a copy
    that nobody can write, and its seal, not the object, says what that is: an object that the seal does not know
    is refused, whatever it holds. It can't be copied, pickled or subclassed; hand on the frame itself.

    Raises:
        TypeError: made by hand.
    """

    __slots__ = ("__weakref__", "_seal")
    _seal: _LabelSeal

    def __init__(self, *_: object) -> None:
        raise TypeError("a LabelledFrame is made by understudy.provenance only")

    def __init_subclass__(cls) -> None:
        raise TypeError("a LabelledFrame is made by understudy.provenance only: it has no subclasses")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a LabelledFrame can't be changed: {name!r} can't be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a LabelledFrame can't be changed: {name!r} can't be removed")

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a LabelledFrame can't be copied or pickled: hand on the frame itself")

    @property
    def frame(self) -> SealedFrame:
        """The frame, to be read.

        Raises:
            TypeError: this is no labelled frame.
        """
        return LabelledFrame.opened(self)

    @staticmethod
    def opened(
        labelled: object, width: int | None = None, height: int | None = None, identifier: int | None = None
    ) -> SealedFrame:
        """The frame in what a sink was given.

        Args:
            labelled: What was given.
            width: Of the output, in pixels; None where it takes any size.
            height: The same.
            identifier: Of the output; None where it has none.

        Raises:
            TypeError: it is no labelled frame, whatever it looks like, or one of another output: its mark is not the
                one that this output's signature names.
            EncodingError: its picture has another size: what does not fit would be cut off, the label perhaps.
        """
        content = None
        if type(labelled) is LabelledFrame:
            seal: object = getattr(labelled, "_seal", None)
            content = seal.content(labelled) if type(seal) is _LabelSeal else None
        if content is None:
            raise TypeError(f"a sink takes a LabelledFrame that its seal made, not this {type(labelled).__name__}")
        frame = content.shown()
        if identifier not in (None, frame.identifier):
            raise TypeError(f"this LabelledFrame is of the output {frame.identifier:012x}, not of {identifier:012x}")
        if (width or frame.width, height or frame.height) != (frame.width, frame.height):
            raise EncodingError(
                f"this output takes pictures of {width}x{height}, not of {frame.width}x{frame.height}",
                "All pictures of one output have one size: scale them before they are labelled.",
            )
        return frame
