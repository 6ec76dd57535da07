"""Photos and animated pictures, by Pillow: orientation, opacity, colour profiles, delays."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from types import TracebackType

from PIL import Image, ImageSequence

from understudy.arrays import UInt8Array
from understudy.errors import InputError
from understudy.frames import Frame
from understudy.media.base import Damage, MediaInfo, MediaKind
from understudy.media.bounds import Moving, check_size
from understudy.media.files.still_exif import NOT_CARRIED, upright_exif
from understudy.media.files.still_pixels import ORIENTATION, pixels_of
from understudy.media.reading import decoding, open_picture, reason

#: TIFF's tag for how many bits each colour has.
_BITS_PER_SAMPLE = 258
#: Formats whose further pictures are frames in time; elsewhere they are pages, depth maps or previews.
ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")
#: What browsers make of animations that ask for (nearly) no delay, in milliseconds.
DEFAULT_DELAY = 100
#: Pillow's modes whose pictures are RGB already.
RGB_MODES = ("RGB", "RGBA", "RGBX", "P", "PA")


def load_photo(path: Path, max_pixels: int) -> UInt8Array | None:
    """A photo as uint8 BGR (H, W, 3), upright; None if the file is no picture.

    Raises:
        InputTooLargeError, NotMediaError: as ``open_picture``.
    """
    picture = open_picture(path, max_pixels)
    if picture is None:
        return None
    with closing(picture):
        with decoding(path):
            _seek(picture, first_frame(picture))
        return pixels_of(path, picture)[0]


def first_frame(picture: Image.Image) -> int:
    """The number of an animation's first frame, as Pillow counts.

    An animated PNG may begin with a picture for programs that know no animations, which is no part of it.
    """
    return 1 if getattr(picture, "default_image", False) and getattr(picture, "n_frames", 1) > 1 else 0


def _seek(picture: Image.Image, number: int) -> None:
    if number:
        picture.seek(number)


def _plays(picture: Image.Image) -> int:
    """How often an animation plays; 0 is for ever. A GIF that says nothing plays once, one that says n n + 1 times."""
    said = picture.info.get("loop")
    if picture.format == "GIF":
        return 1 if said is None else (0 if said == 0 else int(said) + 1)
    return int(said or 0)


def _notes(picture: Image.Image, *, animated: bool, deep: bool) -> Iterator[str]:
    if deep:
        yield "16-bit picture: processed and written with 8 bits"
    if picture.mode == "F":
        yield "floating-point picture: processed and written with 8 bits"
    pictures = getattr(picture, "n_frames", 1) - first_frame(picture)
    if pictures > 1 and not animated:
        yield f"the file holds {pictures} pictures: the first was taken"
    if len(picture.getexif()) and upright_exif(picture) is None and set(picture.getexif()) - NOT_CARRIED:
        yield "the EXIF data is damaged: left out"
    if picture.info.get("icc_profile") and _profile(picture) is None:
        yield "the colour profile does not fit an RGB picture: converted or left out"


class StillSource:
    """One photo or one animated picture as frames."""

    def __init__(self, path: Path, picture: Image.Image) -> None:
        self._path, self._picture = path, picture
        self._damage: Damage | None = None
        #: How long each frame of an animation stays, in milliseconds.
        self.delays: list[int] = []
        with decoding(path):
            self._start = first_frame(picture)
            self.info = self._described(picture)

    @property
    def damage(self) -> Damage | None:
        """See ``Source.damage``."""
        return self._damage

    @property
    def remarks(self) -> list[str]:
        """See ``Source.remarks``."""
        return []

    def __enter__(self) -> StillSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._picture.close()

    def __iter__(self) -> Iterator[Frame]:
        """The frames; an animation's carry their own delays."""
        if self.info.kind is MediaKind.IMAGE:
            yield self._only()  # whoever takes it is the only one who holds it
            return
        pts = 0
        for number in range(self._start, self._picture.n_frames):  # type: ignore[attr-defined]
            try:
                with decoding(self._path):
                    self._picture.seek(number)
                    self._picture.load()  # WebP says the delay only then
                    frame = self._frame(self._picture, pts, _delay(self._picture))
            except InputError as fault:
                if number == self._start:
                    raise
                self._damage = Damage(pts / 1000, reason(fault.__cause__ or fault))
                return
            yield frame
            pts += frame.duration

    def _only(self) -> Frame:
        """The picture of a still. It can be read once: Pillow holds four bytes a pixel of its own."""
        with decoding(self._path), closing(self._picture):
            _seek(self._picture, self._start)
            return self._frame(self._picture, 0, 0)

    def _described(self, picture: Image.Image) -> MediaInfo:
        deep = _deep(picture)  # what is loaded is not told from others any more
        animated = picture.format in ANIMATED and getattr(picture, "n_frames", 1) - self._start > 1
        if picture.format == "TIFF":
            picture.load()  # Pillow turns it then, and takes the tag away
        width, height = picture.size
        if animated:
            check_size(self._path, width, height, sys.maxsize, Moving.ANIMATION)
        # A PNG's EXIF may stand at its end, which may be missing.
        if picture.getexif().get(ORIENTATION, 1) >= 5:
            width, height = height, width
        self._see_through = not animated and picture.has_transparency_data
        self.delays = delays = self._delays() if animated else []
        return MediaInfo(
            path=self._path,
            kind=MediaKind.ANIMATION if animated else MediaKind.IMAGE,
            width=width,
            height=height,
            time_base=Fraction(1, 1000),
            rate=Fraction(1000 * len(delays), sum(delays)) if animated else None,
            frames=len(delays) if animated else 1,
            duration=sum(delays) / 1000 if animated else None,
            codec=(picture.format or "").lower(),
            pixel_format=picture.mode,
            bit_depth=16 if picture.mode.startswith("I") else 8,
            colors={
                "matrix": 6 if height < 720 else 1,
                "range": 1,
                "primaries": 1,
                "transfer": 13,
                "tagged_matrix": 2,
            },
            has_alpha=self._see_through,
            loop=_plays(picture),
            last_delay=delays[-1] / 1000 if animated else None,
            exif=upright_exif(picture),
            icc_profile=_profile(picture),
            notes=tuple(_notes(picture, animated=animated, deep=deep)),
        )

    def _frame(self, picture: Image.Image, pts: int, duration: int) -> Frame:
        pixels, alpha = pixels_of(self._path, picture)
        opacity = alpha if self._see_through else None
        return Frame(pixels, pts=pts, time_base=Fraction(1, 1000), duration=duration, alpha=opacity)

    def _delays(self) -> list[int]:
        """How long each frame stays, in milliseconds; notes, too, whether any of them has holes."""
        delays = []
        try:
            with decoding(self._path):
                for number, picture in enumerate(ImageSequence.Iterator(self._picture)):
                    picture.load()  # WebP says the delay only then
                    if number >= self._start:
                        delays.append(_delay(picture))
                        self._see_through = self._see_through or _has_holes(picture)
        except InputError:
            if not delays:
                raise
        self._picture.seek(0)
        return delays


def _has_holes(picture: Image.Image) -> bool:
    """Whether a loaded picture is see-through anywhere: the palette of many an opaque GIF has a colour for it."""
    if not picture.has_transparency_data:
        return False
    opacity = (picture if "A" in picture.getbands() else picture.convert("RGBA")).getchannel("A")
    return opacity.getextrema()[0] < 255  # type: ignore[operator] # of one band it gives two numbers


def _profile(picture: Image.Image) -> bytes | None:
    """The picture's colour profile, if it describes RGB, which is what is written."""
    profile = picture.info.get("icc_profile")
    return bytes(profile) if profile and profile[16:20] == b"RGB " and picture.mode in RGB_MODES else None


def _deep(picture: Image.Image) -> bool:
    """Whether it has 16 bits of each colour. Pillow takes them down to 8 by itself, but for greys."""
    of_tiff = getattr(picture, "tag_v2", {}).get(_BITS_PER_SAMPLE, ())
    stored = str([tile[3] for tile in getattr(picture, "tile", ())])  # such as "RGB;16B"
    return picture.mode.startswith("I") or re.search(";16[BLN]", stored) is not None or 16 in of_tiff


def _delay(picture: Image.Image) -> int:
    delay = int(picture.info.get("duration", 0) or 0)
    return delay if delay > 10 else DEFAULT_DELAY
