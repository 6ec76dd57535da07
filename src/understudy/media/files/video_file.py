"""A video file that is being written: pictures, and the source's sound, subtitles and metadata beside them."""

from __future__ import annotations

import contextlib
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import av
import av.error

from understudy.errors import EncodingError, InputError, OutputError
from understudy.interruptions import deferred
from understudy.media.base import MediaInfo, MediaKind
from understudy.media.bounds import Moving, check_size, check_written
from understudy.media.files.atomic import AtomicFile, output_errors
from understudy.media.files.display_size import set_pixel_aspect
from understudy.media.files.encoders import CONTAINERS, EncodeOptions
from understudy.media.files.encoding import VideoEncoder
from understudy.media.files.gif import Thinning
from understudy.media.files.passthrough import Passthrough, keeps_cover, pictures_only
from understudy.media.files.readback import check_video
from understudy.media.files.still_sink import check_picture
from understudy.media.tags import add_xmp
from understudy.release import Release

#: Pixels that are shown wider than high, or higher, by more than this make letters unreadable.
MOST_STRETCHED: Final = 4
#: Seconds between two frames that no container of a fixed time scale has to hold.
_LONG_GAP: Final = 3600.0


def check_aspect(info: MediaInfo) -> None:
    """Refuse pixels that are stretched so much that no label can be read.

    Raises:
        InputError: they are.
    """
    if not 1 / MOST_STRETCHED <= info.pixel_aspect <= MOST_STRETCHED:
        raise InputError(
            f"its pixels are shown {float(info.pixel_aspect):.3g} times as wide as high: no label could be read",
            "Correct the pixel aspect ratio of the target first.",
        )


class VideoFile(ABC):
    """What every sink of videos does: it opens the file, copies what goes along with the pictures, and releases it.

    Args:
        target: The file to write; its suffix chooses the container.
        info: What the frames' source says of itself.
        options: Encoder, quality and effort.
        release: Signs the finished file.
        copy_from: File whose other streams are copied; None for none.
        overwrite: Whether a file that appears under the target's name meanwhile may be replaced.
        threads: Of the encoder; see ``VideoEncoder``.

    Raises:
        EncoderError: the encoder does not fit or open.
        InputError: the source's pixels are stretched so much that no label can be read.
    """

    def __init__(
        self,
        target: Path,
        info: MediaInfo,
        options: EncodeOptions,
        release: Release,
        copy_from: Path | None,
        *,
        overwrite: bool = False,
        threads: int = 0,
    ) -> None:
        # Made anew: its limits hold for what a subclass says, too.
        options = EncodeOptions(options.encoder, options.quality, options.effort, options.animation_fps)
        check_aspect(info)
        suffix = target.suffix.lower()
        container = CONTAINERS[suffix]
        self._info, self._target = info, target
        self.notes = list(info.notes)
        self._animated = suffix in (".gif", ".webp")
        self._thinning = Thinning(options.animation_fps if self._animated else None)
        if self._animated:
            check_size(info.path, info.width, info.height, sys.maxsize, Moving.ANIMATION)
        elif info.kind is MediaKind.VIDEO:
            check_written(info.path, info.width, info.height, info.pixel_format, info.bit_depth)
        self._file = AtomicFile(target, overwrite=overwrite)
        self._release = release
        self._passthrough: Passthrough | None = None
        #: The last frame's time, and the longest time between two frames, in seconds.
        self._last: float | None = None
        self._gap = 0.0
        muxer_options = _muxer_options(suffix, info, copy_from, self._thinning.apart)
        try:
            with output_errors(target):
                # Absolute, or FFmpeg takes "12:30.mp4" for an address.
                path = str(self._file.path.absolute())
                self._container = av.open(path, "w", format=container.format, options=muxer_options)
                self._encoder = VideoEncoder(self._container, suffix, info, options, threads)
                self.notes += self._encoder.notes
                if copy_from is not None and self._animated:
                    self.notes += pictures_only(copy_from)
                elif copy_from is not None:
                    self._passthrough = Passthrough(copy_from, self._container, info)
                    self.notes += self._passthrough.notes
                self.notes += self._stereo_notes()
                self._container.metadata.update(release.tags.fields)
                self._begin()
        except BaseException:
            self._abandon()
            raise

    @abstractmethod
    def _finish(self) -> None:
        """Write what is left."""

    def _close(self) -> None:
        """Write the file's end."""
        self._container.close()

    @property
    @abstractmethod
    def _pictures(self) -> int | None:
        """How many pictures the finished file holds; None where that can't be told by its packets."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._abandon()
            return
        try:
            with self._writing():
                self._finish()
                self._close()
                self._encoder.close()
                self._shape_pixels()
                add_xmp(self._file.path, self._target.suffix.lower(), self._release.tags.xmp)
            self._file.release(self._release, self._check)
            self.notes += self._release.notes
        except BaseException:
            self._abandon()
            raise
        finally:
            if self._passthrough is not None:
                self._passthrough.close()

    def _stereo_notes(self) -> list[str]:
        """Matroska says by a tag that pictures are for two eyes; what another file or the codec said is not written."""
        matroska = CONTAINERS[self._target.suffix.lower()].format in ("matroska", "webm")
        if not self._info.stereoscopic or (matroska and "stereo_mode" in self._encoder.stream.metadata):
            return []
        return ["left out: that it is stereoscopic (3D); its pictures are written as they are stored"]

    def _shape_pixels(self) -> None:
        """Say in the finished file that its pixels are not square, where the video in it can't."""
        container, codec = CONTAINERS[self._target.suffix.lower()].format, av.Codec(self._encoder.name, "w")
        says_it = container not in ("matroska", "webm") or codec.canonical_name in ("h264", "hevc")
        if says_it or self._info.pixel_aspect == 1:
            return
        if not set_pixel_aspect(self._file.path, self._info.pixel_aspect):
            self.notes.append(
                f"left out: that its pixels are {float(self._info.pixel_aspect):.3g} times as wide as high"
            )

    def _check(self, path: Path) -> None:
        """See ``AtomicFile.release``."""
        (check_picture if self._animated else check_video)(path, self._pictures)

    def _at(self, seconds: float) -> None:
        """A frame of that time comes next: what goes along with it is copied."""
        if self._last is not None:
            self._gap = max(self._gap, seconds - self._last)
        self._last = seconds
        with self._writing():
            if self._passthrough is not None:
                self._passthrough.copy_until(seconds)

    def _mux(self, packets: list[Any]) -> None:
        with self._writing():
            self._container.mux(packets)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """As ``output_errors``; what fails for the frames' times is told to do so, not to be the folder's fault."""
        try:
            with output_errors(self._target):
                yield
        except (OutputError, EncodingError) as fault:
            if self._gap < _LONG_GAP or not isinstance(fault.__cause__, av.error.FFmpegError):
                raise
            suffix = self._target.suffix
            raise EncodingError(
                f"two pictures that follow each other are {self._gap / 3600:.1f} hours apart: {suffix} can't hold that",
                "The target's times are damaged, or it has a long gap: cut it there, or write an .mkv.",
            ) from fault

    def _begin(self) -> None:
        """Write the file's head: what it refuses is told before any work is done."""
        try:
            self._container.start_encoding()
        except (av.error.ArgumentError, av.error.InvalidDataError, av.error.ExternalError) as fault:
            raise EncodingError(
                f"{self._encoder.name} does not go into {self._target.name}: {fault.strerror}",
                "Try another suffix, such as .mkv, or another --encoder.",
            ) from fault

    def _abandon(self) -> None:
        """Close everything without a word and remove what was written."""
        with deferred():
            if self._passthrough is not None:
                self._passthrough.close()
            container = getattr(self, "_container", None)
            if container is not None:
                # Closing writes a trailer, which on a full disk fails once more; the first error is the one told.
                with contextlib.suppress(av.error.FFmpegError, OSError):
                    container.close()
            self._file.discard()


def lasting(packets: list[Any], first: tuple[int, int] | None, end: int) -> list[Any]:
    """Packets, the last of which lasts until the last frame ends.

    A file's length is its last packet's, in decoding order, and that need not be the frame shown last.

    Args:
        packets: The last of a stream, in decoding order.
        first: Times of its first packet: shown, decoded.
        end: When its last frame ends, in the packets' unit.
    """
    if packets and packets[-1].dts is not None:
        first_pts, first_dts = first or (0, 0)
        packets[-1].duration = max(packets[-1].duration or 0, (end - first_pts) - (packets[-1].dts - first_dts))
    return packets


def _muxer_options(suffix: str, info: MediaInfo, copy_from: Path | None, apart: float) -> dict[str, str]:
    container = CONTAINERS[suffix]
    options = dict(container.options)
    if suffix == ".gif":  # FFmpeg counts repetitions here, -1 for none
        options["loop"] = str(-1 if info.loop == 1 else max(info.loop - 1, 0))
        if info.last_delay is not None or apart:
            options["final_delay"] = str(round(max(info.last_delay or 0.0, apart) * 100))
    elif suffix == ".webp":
        options["loop"] = str(info.loop)
    elif container.format in ("mp4", "mov") and (copy_from is None or not keeps_cover(copy_from, container.format)):
        # Fields of any name, AIGC among them. FFmpeg leaves a cover out then: where there is one, XMP must do.
        options["movflags"] += "+use_metadata_tags"
    return options
