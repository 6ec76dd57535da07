"""Live sinks that encode: pushes to a server, MPEG-TS over UDP, and recordings that survive a kill."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import av.error
import numpy as np

from understudy.errors import EncodingError, OutputError, UnderstudyError, UnknownSuffixError
from understudy.frames import LabelledFrame
from understudy.media.atomic import AtomicFile, output_errors
from understudy.media.base import MediaKind
from understudy.media.live import SOUND_RATE, LiveInfo, SinkLostError, Sound, reason_of
from understudy.media.opening import check_output
from understudy.media.tags import add_xmp
from understudy.release import Release

#: FFmpeg's muxer by scheme.
MUXERS: Final = {"rtmp": "flv", "rtmps": "flv", "udp": "mpegts", "tcp": "mpegts"}
_UNIT: Final = Fraction(1, 1000)
#: Microseconds that pictures wait for sound that does not come, and the other way round: FFmpeg's own are ten million.
_NO_WAITING: Final = "300000"
#: Samples by which sound may wander from the clock.
_GAP: Final = SOUND_RATE // 20


@dataclass(frozen=True)
class BroadcastOptions:
    """How live output is encoded.

    Attributes:
        bitrate: Most bits a second of the pictures.
        preset: Of x264: ``ultrafast`` costs least.
    """

    bitrate: int = 6_000_000
    preset: str = "ultrafast"


class _Encoder:
    """Pictures and sound into one container, by their times."""

    def __init__(self, container: Any, info: LiveInfo, options: BroadcastOptions) -> None:
        self._container = container
        self._size = info.width - info.width % 2, info.height - info.height % 2
        video: Any = container.add_stream("libx264", rate=info.fps)
        video.width, video.height = self._size
        video.pix_fmt = "yuv420p"
        video.codec_context.time_base = video.time_base = _UNIT
        video.codec_context.gop_size = max(round(float(info.fps) * 2), 1)
        video.codec_context.colorspace, video.codec_context.color_range = 1, 1
        video.options = {
            "preset": options.preset,
            "tune": "zerolatency",
            "crf": "21",
            "maxrate": str(options.bitrate),
            "bufsize": str(options.bitrate),
        }
        self._video = video
        self._sound: Any = None
        if info.sound:
            self._sound = container.add_stream("aac", rate=SOUND_RATE)
            self._sound.layout, self._sound.bit_rate = "stereo", 160_000
            self._fifo = av.AudioFifo()
        self._last = -1
        self._next: int | None = None

    def write(self, labelled: LabelledFrame, seconds: float) -> None:
        frame = LabelledFrame.opened(labelled)
        picture = frame.picture
        if (picture.shape[1], picture.shape[0]) != self._size:
            picture = np.ascontiguousarray(picture[: self._size[1], : self._size[0]])
        # OpenCV's conversion is several times as fast as FFmpeg's, but knows only BT.601 in limited range.
        image = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p", dst_colorspace=1)
        pts = max(round(seconds / _UNIT), self._last + 1)
        self._last = image.pts = pts
        image.time_base = _UNIT
        self._container.mux(self._video.encode(image))

    def hear(self, sound: Sound, seconds: float) -> None:
        if self._sound is None or seconds < 0:
            return
        position = round(seconds * SOUND_RATE)
        # Pieces follow each other to the sample; only after a gap, or at first, does the clock decide.
        if self._next is None or abs(position - self._next - self._fifo.samples) > _GAP:
            if self._next is not None and position < self._next:
                return  # from before what was sent: its clock was set back
            self._fifo = av.AudioFifo()
            self._next = position
        frame = av.AudioFrame.from_ndarray(sound.samples.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts = SOUND_RATE, None
        self._fifo.write(frame)
        while (part := self._fifo.read(1024)) is not None:
            part.pts, part.time_base = self._next, Fraction(1, SOUND_RATE)
            self._next += 1024
            self._container.mux(self._sound.encode(part))

    def finish(self) -> None:
        for stream in (self._video, self._sound):
            if stream is not None:
                self._container.mux(stream.encode(None))


class PushSink:
    """Sends to a server or address: RTMP, RTMPS, MPEG-TS over UDP or TCP."""

    depth, steady, keeps = 4, True, False

    def __init__(self, address: str, options: BroadcastOptions | None = None) -> None:
        self._address, self._options = address, options or BroadcastOptions()
        self._muxer = MUXERS[address.split(":", 1)[0]]
        # Neither password nor stream key is for logs.
        plain = re.sub(r"//[^/@]*@", "//", address).split("?", 1)[0]
        self.name = plain.rsplit("/", 1)[0] if self._muxer == "flv" else plain
        self._container: Any = None
        self._encoder: _Encoder | None = None

    def open(self, info: LiveInfo) -> None:
        """See ``LiveSink``."""
        self._drop()
        options = {"max_interleave_delta": _NO_WAITING}
        if self._muxer == "flv":
            options["flvflags"] = "no_duration_filesize"
        address = self._address
        if address.startswith("udp"):
            address += ("&" if "?" in address else "?") + "pkt_size=1316"
        try:
            self._container = av.open(address, "w", format=self._muxer, options=options)
            self._encoder = _Encoder(self._container, info, self._options)
            self._container.start_encoding()
        except (av.error.FFmpegError, OSError) as fault:
            self._drop()
            raise SinkLostError(f"no answer ({reason_of(fault)})", "Is the server there, and the key right?") from fault

    def write(self, labelled: LabelledFrame, seconds: float) -> None:
        """See ``LiveSink``."""
        assert self._encoder is not None
        with self._watched():
            self._encoder.write(labelled, seconds)

    def hear(self, sound: Sound, seconds: float) -> None:
        """See ``LiveSink``."""
        assert self._encoder is not None
        with self._watched():
            self._encoder.hear(sound, seconds)

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except (av.error.FFmpegError, OSError) as fault:
            self._drop()
            raise SinkLostError(f"broke off ({reason_of(fault)})", "It is tried again.") from fault

    def close(self) -> list[str]:
        """See ``LiveSink``."""
        if self._encoder is not None:
            with contextlib.suppress(av.error.FFmpegError, OSError):
                self._encoder.finish()
        self._drop()
        return []

    def _drop(self) -> None:
        container, self._container, self._encoder = self._container, None, None
        if container is not None:
            with contextlib.suppress(av.error.FFmpegError, OSError):
                container.close()


class RecordingSink:
    """A file. While it grows it is ``NAME.recording.mp4``, in fragments: what was written survives a kill.

    At the end it is put into the order that players like, signed, and takes its name.

    Args:
        path: What it shall be called: mp4 or mov.
        release: Signs it.
        overwrite: Whether a file of that name may be replaced.
    """

    depth, steady, keeps = 8, True, True

    def __init__(
        self, path: Path, release: Release, options: BroadcastOptions | None = None, *, overwrite: bool = False
    ) -> None:
        self._path, self._release, self._options = path, release, options or BroadcastOptions()
        self._overwrite = overwrite
        self.name = path.name
        self.growing = path.with_name(f"{path.stem}.recording{path.suffix}")
        self._container: Any = None
        self._encoder: _Encoder | None = None
        self._failed = False

    def open(self, info: LiveInfo) -> None:
        """See ``LiveSink``."""
        if self.growing.exists():
            raise OutputError(
                f"an earlier recording was not finished: {self.growing}", "Move it away; it can be played as it is."
            )
        with output_errors(self._path):
            self._container = av.open(
                str(self.growing.absolute()),
                "w",
                format="mp4",
                options={
                    # Can be played however far it got.
                    "movflags": "frag_keyframe+empty_moov+default_base_moof+use_metadata_tags",
                    "flush_packets": "1",
                    "max_interleave_delta": _NO_WAITING,
                },
            )
            self._container.metadata.update(self._release.tags.fields)
            self._encoder = _Encoder(self._container, info, self._options)

    def write(self, labelled: LabelledFrame, seconds: float) -> None:
        """See ``LiveSink``."""
        assert self._encoder is not None
        with self._guarded():
            self._encoder.write(labelled, seconds)

    def hear(self, sound: Sound, seconds: float) -> None:
        """See ``LiveSink``."""
        assert self._encoder is not None
        with self._guarded():
            self._encoder.hear(sound, seconds)

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            with output_errors(self._path):
                yield
        except UnderstudyError:
            self._failed = True
            raise
        except ValueError as fault:
            self._failed = True
            raise EncodingError(f"{self.name} can't be encoded: {fault}", "Try another size.") from fault

    def close(self) -> list[str]:
        """Finish, sign, name."""
        if self._container is None or self._encoder is None:
            return []
        with contextlib.suppress(av.error.FFmpegError, OSError):
            if not self._failed:
                self._encoder.finish()
        with contextlib.suppress(av.error.FFmpegError, OSError):
            self._container.close()
        self._container = None
        if not self.growing.exists():
            return [f"nothing was recorded to {self.name}"]
        file = AtomicFile(self._path, overwrite=self._overwrite)
        try:
            with output_errors(self._path):
                _in_order(self.growing, file.path, self._release)
                add_xmp(file.path, self._path.suffix.lower(), self._release.tags.xmp)
            file.release(self._release)
        except UnderstudyError as fault:
            raise OutputError(
                f"{self.name} was not released: {fault.message}",
                f"What was recorded is in {self.growing}: labelled and marked, not signed.",
            ) from fault
        finally:
            file.discard()
        self.growing.unlink(missing_ok=True)
        return [f"recorded {self._path}", *self._release.notes]


def check_recording(path: Path, inputs: Iterable[Path], *, overwrite: bool) -> None:
    """Refuse a recording's name before anything is opened.

    Raises:
        UsageError, OutputError: it can't be written.
    """
    if path.suffix.lower() not in (".mp4", ".mov"):
        raise UnknownSuffixError(
            f"can't record to {path.name}", "Name a file that ends in .mp4 or .mov, or an address."
        )
    check_output(path, MediaKind.VIDEO, inputs, overwrite=overwrite)


def _in_order(fragments: Path, path: Path, release: Release) -> None:
    """The same pictures and sound as one plain mp4, its index first."""
    with (
        av.open(str(fragments.absolute())) as source,
        av.open(
            str(path.absolute()), "w", format="mp4", options={"movflags": "+faststart+use_metadata_tags"}
        ) as output,
    ):
        output.metadata.update(release.tags.fields)
        streams = {stream.index: output.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                output.mux(packet)
