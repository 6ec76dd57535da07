"""Writes stills, by Pillow."""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType

from PIL import Image

from understudy.errors import OutputError
from understudy.frames import LabelledFrame
from understudy.media.base import MediaInfo
from understudy.media.files.atomic import AtomicFile, output_errors
from understudy.media.files.encoders import STILL_FORMATS, EncodeOptions
from understudy.media.files.readback import unreadable
from understudy.media.files.still_exif import sized
from understudy.media.files.still_pixels import LARGE, to_pillow
from understudy.media.reading import own_cap
from understudy.media.tags import png_text
from understudy.release import Release, identifier_of

#: Pixels of a WebP that is written: its encoder holds some eleven bytes of each.
_MOST_WEBP = 64_000_000
#: The longest side in pixels that formats can say.
LONGEST = {"WEBP": 16383, "JPEG": 65500}


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
        picture = to_pillow(frame.picture, None if opaque else frame.alpha)
        tags = self._release.tags
        extra: dict[str, object] = {"pnginfo": png_text(tags)} if form == "PNG" else {"xmp": tags.xmp}
        if self._info.exif:
            extra["exif"] = sized(self._info.exif, self._info.width, self._info.height)
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
