"""What every source and sink does, and what a source says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol

from understudy.frames import Frame, LabelledFrame

#: Most pixels a photo may have unless the user raises the cap: with so many a swap takes less than 1.5 GB.
MAX_PIXELS = 96_000_000


class MediaKind(Enum):
    """What a file is, as far as outputs are concerned."""

    IMAGE = "image"
    ANIMATION = "animation"
    VIDEO = "video"


@dataclass(frozen=True)
class Damage:
    """Where a file stops being readable.

    Attributes:
        at_seconds: Time of the last good frame before it.
        reason: What the decoder said.
    """

    at_seconds: float
    reason: str


@dataclass(frozen=True)
class Excerpt:
    """A part of a moving target. In what is written of it time begins anew.

    Attributes:
        first: When its first frame is shown in the target, in units of the target's ``time_base``; 0 where it begins
            with the target, whose times are kept then.
        until: When the part ends, in seconds of the target; None for with the target.
        of: How long the target is, in seconds, as far as its file says.
    """

    first: int
    until: float | None = None
    of: float | None = None


@dataclass(frozen=True, eq=False)
class MediaInfo:
    """What a source delivers.

    Attributes:
        path: The file.
        kind: Image, animation or video.
        width, height: Of the frames as delivered, upright, in pixels.
        time_base: Unit of the frames' ``pts``.
        rate: Frames a second as the file says; None for a still.
        frames: How many frames there are, as far as the file says.
        duration: Seconds, as far as the file says.
        codec, pixel_format: As FFmpeg or Pillow name them.
        bit_depth: Bits a sample in the file; frames are delivered with 8.
        colors: ``matrix``, ``range``, ``primaries``, ``transfer`` as FFmpeg's numbers (2 and 0: not said).
        pixel_aspect: Width of a pixel over its height.
        has_alpha: Whether frames carry ``alpha``.
        stereoscopic: Whether the frames hold what both eyes see.
        loop: For animations: how often they play; 0 is for ever.
        last_delay: For animations: how long the last frame stays, in seconds.
        exif, icc_profile: For stills: carried to the output as they are (upright).
        notes: What the user should know of how it is read.
        composed: Whether frames are put together anew, of 8 bits: nothing of them is as it was decoded.
        excerpt: Which part of the file it is; None for all of it. Frames keep the times that they have in the file.
    """

    path: Path
    kind: MediaKind
    width: int
    height: int
    time_base: Fraction
    rate: Fraction | None = None
    frames: int | None = None
    duration: float | None = None
    codec: str = ""
    pixel_format: str = ""
    bit_depth: int = 8
    colors: dict[str, int] = field(default_factory=dict)
    pixel_aspect: Fraction = Fraction(1)
    has_alpha: bool = False
    stereoscopic: bool = False
    loop: int = 0
    last_delay: float | None = None
    exif: bytes | None = None
    icc_profile: bytes | None = None
    notes: tuple[str, ...] = ()
    composed: bool = False
    excerpt: Excerpt | None = None

    @property
    def begins(self) -> int:
        """What is taken off the frames' times when they are written, in units of ``time_base``."""
        return 0 if self.excerpt is None else self.excerpt.first


class Source(Protocol):
    """Yields the frames of one file, in order. A context manager."""

    @property
    def info(self) -> MediaInfo:
        """What it delivers."""
        ...

    @property
    def damage(self) -> Damage | None:
        """Where it was unreadable, once all frames have been taken."""
        ...

    @property
    def remarks(self) -> list[str]:
        """What the user should know of how it was read, beyond ``info.notes``, once all frames have been taken."""
        ...

    def __enter__(self) -> Source: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def __iter__(self) -> Iterator[Frame]: ...


class Sink(Protocol):
    """Writes labelled frames to one file. A context manager.

    The file appears under its own name only when the block ends without an error, and nothing is left behind
    when it does not.
    """

    @property
    def notes(self) -> list[str]:
        """What the user should know of what was kept and what was not."""
        ...

    def __enter__(self) -> Sink: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def write(self, labelled: LabelledFrame) -> None:
        """Take the next frame; ``pts`` must rise."""
        ...
