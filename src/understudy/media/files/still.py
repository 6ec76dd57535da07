"""Photos and animated pictures, by Pillow: orientation, opacity, colour profiles."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from types import TracebackType

import numpy as np
from PIL import Image, ImageCms, ImageOps, ImageSequence

from understudy.arrays import UInt8Array
from understudy.errors import InputError, OutputError
from understudy.frames import Frame, LabelledFrame
from understudy.media.base import Damage, MediaInfo, MediaKind
from understudy.media.bounds import Moving, check_size
from understudy.media.files.atomic import AtomicFile, output_errors
from understudy.media.files.encoders import STILL_FORMATS, EncodeOptions
from understudy.media.files.readback import unreadable
from understudy.media.reading import decoding, open_picture, own_cap, reason
from understudy.media.tags import png_text
from understudy.release import Release, identifier_of

#: Bytes of BGR from which a picture is converted in pieces: 16 million pixels.
LARGE = 48_000_000
#: Pixels of a WebP that is written: its encoder holds some eleven bytes of each.
_MOST_WEBP = 64_000_000
#: The longest side in pixels that formats can say.
LONGEST = {"WEBP": 16383, "JPEG": 65500}
#: EXIF's tag for the orientation.
ORIENTATION = 0x0112
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
        return _pixels(path, picture)[0]


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


def _notes(picture: Image.Image, animated: bool) -> Iterator[str]:
    if picture.mode.startswith("I"):
        yield "16-bit picture: processed and written with 8 bits"
    if picture.mode == "F":
        yield "floating-point picture: processed and written with 8 bits"
    pictures = getattr(picture, "n_frames", 1) - first_frame(picture)
    if pictures > 1 and not animated:
        yield f"the file holds {pictures} pictures: the first was taken"
    if len(picture.getexif()) and _upright_exif(picture) is None and set(picture.getexif()) != {ORIENTATION}:
        yield "the EXIF data is damaged: left out"
    if picture.info.get("icc_profile") and _profile(picture) is None:
        yield "the colour profile does not fit an RGB picture: converted or left out"


def check_picture(path: Path, pictures: int | None = None) -> None:
    """Make sure that a finished picture or animation opens, that its first frame is whole, and that all are there.

    Args:
        path: The file.
        pictures: How many frames there should be; None where that is not known.

    Raises:
        OutputError: it does not.
    """
    try:
        with own_cap():
            picture = Image.open(path)
        with picture:
            picture.load()
            there = getattr(picture, "n_frames", 1) if pictures is not None else None
        if there != pictures:
            raise ValueError(f"it holds {there} of {pictures} pictures")
    except (OSError, ValueError, SyntaxError, EOFError) as fault:  # as Pillow raises for damaged files
        raise unreadable(fault) from fault


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
        animated = picture.format in ANIMATED and getattr(picture, "n_frames", 1) - self._start > 1
        if picture.format == "TIFF":
            picture.load()  # Pillow turns it then, and takes the tag away
        width, height = picture.size
        if animated:
            check_size(self._path, width, height, sys.maxsize, Moving.ANIMATION)
        # A PNG's EXIF may stand at its end, which may be missing.
        if picture.getexif().get(ORIENTATION, 1) >= 5:
            width, height = height, width
        self._see_through = picture.has_transparency_data
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
            exif=_upright_exif(picture),
            icc_profile=_profile(picture),
            notes=tuple(_notes(picture, animated)),
        )

    def _frame(self, picture: Image.Image, pts: int, duration: int) -> Frame:
        pixels, alpha = _pixels(self._path, picture)
        return Frame(pixels, pts=pts, time_base=Fraction(1, 1000), duration=duration, alpha=alpha)

    def _delays(self) -> list[int]:
        """How long each frame stays, in milliseconds; notes, too, whether any of them has holes."""
        delays = []
        try:
            with decoding(self._path):
                for number, picture in enumerate(ImageSequence.Iterator(self._picture)):
                    picture.load()  # WebP says the delay only then
                    if number >= self._start:
                        delays.append(_delay(picture))
                        self._see_through |= picture.has_transparency_data
        except InputError:
            if not delays:
                raise
        self._picture.seek(0)
        return delays


class StillSink:
    """Writes one still."""

    def __init__(
        self, target: Path, info: MediaInfo, options: EncodeOptions, release: Release, *, overwrite: bool = False
    ) -> None:
        form = STILL_FORMATS[target.suffix.lower()]
        if form == "WEBP" and info.width * info.height > _MOST_WEBP:
            raise OutputError(f"a WebP of {info.width}x{info.height} takes too much memory", "Write a PNG or a JPEG.")
        if max(info.width, info.height) > (longest := LONGEST.get(form, sys.maxsize)):
            raise OutputError(
                f"can't write {form}: the picture is {info.width}x{info.height}, and {longest} is the longest side",
                "Write a PNG instead.",
            )
        self._file, self._info = AtomicFile(target, overwrite=overwrite), info
        # Its limits hold for what a subclass says, too.
        self._options = EncodeOptions(options.encoder, options.quality, options.effort)
        self._release = release
        self.notes = list(info.notes)

    def __enter__(self) -> StillSink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._file.release(self._release, check_picture)
                self.notes += self._release.notes
        finally:
            self._file.discard()

    def write(self, labelled: LabelledFrame) -> None:
        """Encode the picture; a second one replaces the first."""
        frame = LabelledFrame.opened(labelled, self._info.width, self._info.height, identifier_of(self._release))
        form = STILL_FORMATS[self._file.target.suffix.lower()]
        opaque = frame.alpha is None or form == "JPEG"
        if opaque and frame.alpha is not None:
            self.notes.append("JPEG has no transparency: the picture is opaque")
        picture = _to_pillow(frame.picture, None if opaque else frame.alpha)
        tags = self._release.tags
        extra: dict[str, object] = {"pnginfo": png_text(tags)} if form == "PNG" else {"xmp": tags.xmp}
        if self._info.exif:
            extra["exif"] = self._info.exif
        if self._info.icc_profile:
            extra["icc_profile"] = self._info.icc_profile
        quality = self._options.quality
        settings: dict[str, dict[str, object]] = {
            "PNG": {"compress_level": 4},
            # Full chroma: a label's edges and lips would bleed otherwise.
            # Finding the shortest code takes all of the picture's coefficients, six bytes a pixel.
            "JPEG": {"quality": min(quality + 3, 100), "subsampling": 0, "optimize": frame.picture.size < LARGE},
            "WEBP": {"lossless": True} if quality == 100 else {"quality": quality, "method": 4},
        }
        with output_errors(self._file.target):
            try:
                try:
                    picture.save(self._file.path, form, **settings[form], **extra)
                except ValueError:
                    if "exif" not in extra:
                        raise
                    del extra["exif"]
                    picture.save(self._file.path, form, **settings[form], **extra)
                    self.notes.append(f"the EXIF data is left out: {form} can't hold so much")
            except ValueError as fault:  # a limit of the format, such as WebP's size
                raise OutputError(f"can't write {form}: {fault}", "Write a PNG instead.") from fault


def _pixels(path: Path, picture: Image.Image) -> tuple[UInt8Array, UInt8Array | None]:
    """BGR and opacity of Pillow's current frame, upright."""
    with decoding(path):
        upright = picture
        if picture.getexif().get(ORIENTATION, 1) not in (None, 1):
            upright = ImageOps.exif_transpose(picture)
            if not getattr(picture, "is_animated", False):
                picture.close()  # two of a large one are more than enough
        if upright.mode.startswith("I") or upright.mode == "F":
            return _from_deep(upright), None
        if upright.mode == "CMYK" and upright.info.get("icc_profile"):
            upright = _from_cmyk(upright)
        if upright.has_transparency_data:
            upright = upright if upright.mode == "RGBA" else upright.convert("RGBA")
            alpha = np.empty((upright.height, upright.width), np.uint8)
            return _from_bands(upright, alpha), alpha
        return _from_bands(upright if upright.mode == "RGB" else upright.convert("RGB"), None), None


def _bands(picture: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    """A picture in pieces of some rows each, of one if it is not large: what is made of a piece is gone with it."""
    rows = max(LARGE // (3 * picture.width), 1)
    if rows >= picture.height:
        yield slice(0, picture.height), picture
        return
    picture.load()
    for top in range(0, picture.height, rows):
        bottom = min(top + rows, picture.height)
        yield slice(top, bottom), picture.crop((0, top, picture.width, bottom))


def _from_bands(picture: Image.Image, alpha: UInt8Array | None) -> UInt8Array:
    """The BGR of a picture that is RGB or RGBA; its opacity is written into ``alpha``."""
    bgr = np.empty((picture.height, picture.width, 3), np.uint8)
    for rows, band in _bands(picture):
        values = np.asarray(band, np.uint8)
        bgr[rows] = values[:, :, 2::-1]
        if alpha is not None:
            alpha[rows] = values[:, :, 3]
    return bgr


def _from_deep(picture: Image.Image) -> UInt8Array:
    """A picture of larger numbers as grey BGR. Integers have 16 bits; floating point goes to 1, or further, to 255."""
    span = 65535.0
    if picture.mode == "F":
        highest = max(float(np.nan_to_num(np.asarray(band, np.float64)).max()) for _, band in _bands(picture))
        span = 1.0 if highest <= 1 else 255.0
    bgr = np.empty((picture.height, picture.width, 3), np.uint8)
    for rows, band in _bands(picture):
        deep = np.nan_to_num(np.asarray(band, np.float64))
        bgr[rows] = np.clip(np.round(deep * (255 / span)), 0, 255).astype(np.uint8)[:, :, None]
    return bgr


def _to_pillow(bgr: UInt8Array, alpha: UInt8Array | None) -> Image.Image:
    """A picture for Pillow to write: it holds four bytes a pixel of its own, so little else is made."""
    height, width = bgr.shape[:2]
    rows = max(LARGE // (3 * width), 1)
    picture = Image.new("RGB" if alpha is None else "RGBA", (width, height))
    for top in range(0, height, rows):
        part = np.ascontiguousarray(bgr[top : top + rows, :, ::-1])
        if alpha is not None:
            part = np.dstack([part, alpha[top : top + rows]])
        picture.paste(Image.fromarray(part), (0, top))
    return picture


def _profile(picture: Image.Image) -> bytes | None:
    """The picture's colour profile, if it describes RGB, which is what is written."""
    profile = picture.info.get("icc_profile")
    return bytes(profile) if profile and profile[16:20] == b"RGB " and picture.mode in RGB_MODES else None


def _from_cmyk(picture: Image.Image) -> Image.Image:
    """To sRGB by the picture's own profile; by Pillow's rule of thumb if the profile is broken."""
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(picture.info["icc_profile"]))
        converted = ImageCms.profileToProfile(picture, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return picture.convert("RGB")
    return converted or picture.convert("RGB")


def _delay(picture: Image.Image) -> int:
    delay = int(picture.info.get("duration", 0) or 0)
    return delay if delay > 10 else DEFAULT_DELAY


def _upright_exif(picture: Image.Image) -> bytes | None:
    """The picture's EXIF data without its orientation; None if it has none, or none that can be written again."""
    try:
        if not len(picture.getexif()):
            return None
        exif = Image.Exif()  # a copy: Pillow turns the picture by its own
        exif.load(picture.getexif().tobytes())
        exif.pop(ORIENTATION, None)
        return exif.tobytes() if len(exif) else None
    except Exception:  # noqa: BLE001 - of a damaged tag Pillow says anything; the picture is none the worse for it
        return None
