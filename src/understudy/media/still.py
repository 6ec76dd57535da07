"""Photos and animated pictures, by Pillow: orientation, opacity, colour profiles."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import numpy as np
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from understudy.arrays import UInt8Array
from understudy.errors import InputTooLargeError, NotMediaError
from understudy.frames import Frame, LabelledFrame
from understudy.media.atomic import AtomicFile, output_errors
from understudy.media.base import Damage, MediaInfo, MediaKind
from understudy.media.encoders import STILL_FORMATS, EncodeOptions

#: EXIF's tag for the orientation.
ORIENTATION = 0x0112
#: What browsers make of animations that ask for (nearly) no delay, in milliseconds.
DEFAULT_DELAY = 100


def open_picture(path: Path, max_pixels: int) -> Image.Image | None:
    """Open a picture file; None if it is not one that Pillow knows.

    Raises:
        InputTooLargeError: more pixels than the cap.
        NotMediaError: a picture file that is damaged.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            picture = Image.open(path)
        except UnidentifiedImageError:
            return None
        except Image.DecompressionBombError as fault:
            raise NotMediaError(
                f"{path.name} has too many pixels to be opened safely",
                "Make it smaller (under 178 megapixels).",
            ) from fault
        except (OSError, ValueError, SyntaxError) as fault:
            if isinstance(fault, (FileNotFoundError, PermissionError, IsADirectoryError)):
                raise
            raise _damaged(path, fault) from fault
    if picture.width * picture.height > max_pixels:
        picture.close()
        raise InputTooLargeError(path, picture.width, picture.height, max_pixels)
    return picture


def load_photo(path: Path, max_pixels: int) -> UInt8Array | None:
    """A photo as uint8 BGR (H, W, 3), upright; None if the file is no picture.

    Raises:
        InputTooLargeError, NotMediaError: as ``open_picture``.
    """
    picture = open_picture(path, max_pixels)
    if picture is None:
        return None
    with picture:
        return _pixels(path, picture)[0]


class StillSource:
    """One photo or one animated picture as frames."""

    def __init__(self, path: Path, picture: Image.Image) -> None:
        self._path, self._picture = path, picture
        self._damage: Damage | None = None
        animated = getattr(picture, "n_frames", 1) > 1
        width, height = picture.size
        if picture.getexif().get(ORIENTATION, 1) >= 5:
            width, height = height, width
        delays = self._delays() if animated else []
        self.info = MediaInfo(
            path=path,
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
            has_alpha=picture.has_transparency_data,
            loop=int(picture.info.get("loop", 0)),
            exif=_upright_exif(picture),
            icc_profile=picture.info.get("icc_profile"),
            notes=("16-bit picture: processed and written with 8 bits",) if picture.mode.startswith("I") else (),
        )

    @property
    def damage(self) -> Damage | None:
        """See ``Source.damage``."""
        return self._damage

    def __enter__(self) -> StillSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._picture.close()

    def __iter__(self) -> Iterator[Frame]:
        """The frames; an animation's carry their own delays."""
        if self.info.kind is MediaKind.IMAGE:
            yield self._frame(self._picture, 0, 0)
            return
        pts = 0
        for number in range(self._picture.n_frames):  # type: ignore[attr-defined]
            try:
                self._picture.seek(number)
                self._picture.load()  # WebP says the delay only then
                frame = self._frame(self._picture, pts, _delay(self._picture))
            except (NotMediaError, EOFError, OSError, SyntaxError) as fault:
                if number == 0:
                    raise
                self._damage = Damage(pts / 1000, str(fault))
                return
            yield frame
            pts += frame.duration

    def _frame(self, picture: Image.Image, pts: int, duration: int) -> Frame:
        pixels, alpha = _pixels(self._path, picture)
        return Frame(pixels, pts=pts, time_base=Fraction(1, 1000), duration=duration, alpha=alpha)

    def _delays(self) -> list[int]:
        delays = []
        try:
            for picture in ImageSequence.Iterator(self._picture):
                picture.load()  # WebP says the delay only then
                delays.append(_delay(picture))
        except (OSError, SyntaxError, EOFError, ValueError) as fault:
            if not delays:
                raise _damaged(self._path, fault) from fault
        self._picture.seek(0)
        return delays


class StillSink:
    """Writes one still."""

    def __init__(self, target: Path, info: MediaInfo, options: EncodeOptions) -> None:
        self._file, self._info, self._options = AtomicFile(target), info, options
        self.notes = list(info.notes)

    def __enter__(self) -> StillSink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._file.commit()
        else:
            self._file.discard()

    def write(self, labelled: LabelledFrame) -> None:
        """Encode the picture; a second one replaces the first."""
        frame, form = labelled.frame, STILL_FORMATS[self._file.target.suffix.lower()]
        rgb = np.ascontiguousarray(frame.picture[:, :, ::-1])
        if frame.alpha is not None and form != "JPEG":
            rgb = np.dstack([rgb, frame.alpha])
        elif frame.alpha is not None:
            self.notes.append("JPEG has no transparency: the picture is opaque")
        extra: dict[str, object] = {}
        if self._info.exif:
            extra["exif"] = self._info.exif
        if self._info.icc_profile:
            extra["icc_profile"] = self._info.icc_profile
        quality = self._options.quality
        settings: dict[str, dict[str, object]] = {
            "PNG": {"compress_level": 4},
            # Full chroma: a label's edges and lips would bleed otherwise.
            "JPEG": {"quality": min(quality + 3, 100), "subsampling": 0, "optimize": True},
            "WEBP": {"lossless": True} if quality == 100 else {"quality": quality, "method": 4},
        }
        with output_errors(self._file.target):
            Image.fromarray(rgb).save(self._file.path, form, **settings[form], **extra)


def _pixels(path: Path, picture: Image.Image) -> tuple[UInt8Array, UInt8Array | None]:
    """BGR and opacity of Pillow's current frame, upright."""
    try:
        upright = ImageOps.exif_transpose(picture)
        if upright.mode.startswith("I") or upright.mode == "F":
            deep = np.asarray(upright, np.float64)
            gray = np.clip(deep / (257 if deep.max() > 255 else 1), 0, 255).astype(np.uint8)
            return np.repeat(gray[:, :, None], 3, axis=2), None
        if upright.has_transparency_data:
            rgba = np.asarray(upright.convert("RGBA"), np.uint8)
            return np.ascontiguousarray(rgba[:, :, 2::-1]), np.ascontiguousarray(rgba[:, :, 3])
        return np.ascontiguousarray(np.asarray(upright.convert("RGB"), np.uint8)[:, :, ::-1]), None
    except (OSError, SyntaxError, ValueError, EOFError) as fault:
        raise _damaged(path, fault) from fault


def _delay(picture: Image.Image) -> int:
    delay = int(picture.info.get("duration", 0) or 0)
    return delay if delay > 10 else DEFAULT_DELAY


def _upright_exif(picture: Image.Image) -> bytes | None:
    if not len(picture.getexif()):
        return None
    exif = Image.Exif()  # a copy: Pillow turns the picture by its own
    exif.load(picture.getexif().tobytes())
    exif.pop(ORIENTATION, None)
    return exif.tobytes() if len(exif) else None


def _damaged(path: Path, fault: BaseException) -> NotMediaError:
    return NotMediaError(
        f"{path.name} is a damaged picture ({fault})",
        "Fetch or export it again; a viewer should open it first.",
    )
