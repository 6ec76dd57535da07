"""H.264 and AAC into one container, by the times of the pictures and the sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any, Final

import av
import av.container

#: Samples of sound a second.
SOUND_RATE: Final = 48_000
#: Microseconds that pictures wait for sound that does not come, and the other way round: FFmpeg's own are ten million.
NO_WAITING: Final = "300000"
_UNIT: Final = Fraction(1, 1000)
#: Samples by which sound may wander from the clock, and of one AAC packet.
_GAP, _PACKET = SOUND_RATE // 20, 1024
#: Pixels a second that one thread of x264 codes easily (1080p at 30 fps took a third of a 2.5 GHz core's time).
#: Several threads need half as much again in all, and wait for each other while the swap needs the cores.
_ONE_THREAD: Final = 1920 * 1080 * 31


@dataclass(frozen=True)
class StreamFormat:
    """What is coded, and how.

    Attributes:
        width, height: In pixels, even.
        rate: Pictures a second, as a fraction's text.
        sound: Whether there is any.
        bitrate: Most bits a second of the pictures.
        preset: Of x264: ``ultrafast`` costs least.
    """

    width: int
    height: int
    rate: str
    sound: bool = False
    bitrate: int = 6_000_000
    preset: str = "ultrafast"

    @property
    def picture_size(self) -> int:
        """Bytes of a picture: planar Y, Cb, Cr with half as many chroma samples across and down (I420)."""
        return self.width * self.height * 3 // 2

    def as_json(self) -> dict[str, object]:
        """The format as plain values."""
        return asdict(self)


class Encoder:
    """Codes pictures and sound into an open container.

    Args:
        container: PyAV's output container.
        form: What comes.
    """

    def __init__(self, container: av.container.OutputContainer, form: StreamFormat) -> None:
        self._container, self._form = container, form
        rate = Fraction(form.rate)
        video: Any = container.add_stream("libx264", rate=rate)
        video.width, video.height, video.pix_fmt = form.width, form.height, "yuv420p"
        video.codec_context.time_base = video.time_base = _UNIT
        video.codec_context.gop_size = max(round(float(rate) * 2), 1)
        video.codec_context.colorspace, video.codec_context.color_range = 1, 1
        if form.width * form.height * rate <= _ONE_THREAD:
            video.codec_context.thread_count = 1
        video.options = {
            "preset": form.preset,
            "tune": "zerolatency",
            "crf": "21",
            "maxrate": str(form.bitrate),
            "bufsize": str(form.bitrate),
        }
        self._video = video
        self._sound: Any = None
        if form.sound:
            self._sound = container.add_stream("aac", rate=SOUND_RATE)
            self._sound.layout, self._sound.bit_rate = "stereo", 160_000
            self._fifo = av.AudioFifo()
        self._last = -1
        self._next: int | None = None

    def write(self, picture: memoryview, seconds: float) -> None:
        """Code a picture.

        Args:
            picture: ``picture_size`` bytes: I420 in BT.709, limited range.
            seconds: Its time; one that does not rise is put right.
        """
        frame = self._framed(picture)
        self._last = frame.pts = max(round(seconds / _UNIT), self._last + 1)
        frame.time_base = _UNIT
        self._container.mux(self._video.encode(frame))

    def _framed(self, picture: memoryview) -> av.VideoFrame:
        frame = av.VideoFrame(self._form.width, self._form.height, "yuv420p")
        frame.colorspace, frame.color_range = 1, 1
        start = 0
        for plane in frame.planes:
            size = plane.width * plane.height
            part = picture[start : start + size]
            start += size
            if plane.line_size == plane.width:
                plane.update(part)  # type: ignore[arg-type]  # any buffer will do
                continue
            whole = memoryview(plane).cast("B")
            for row in range(plane.height):
                first = row * plane.line_size
                whole[first : first + plane.width] = part[row * plane.width : (row + 1) * plane.width]
        return frame

    def hear(self, samples: memoryview, seconds: float) -> None:
        """Code sound.

        Args:
            samples: 16-bit stereo at ``SOUND_RATE``, as bytes.
            seconds: The time of the first sample.
        """
        if self._sound is None or seconds < 0 or not len(samples):
            return
        position = round(seconds * SOUND_RATE)
        # Pieces follow each other to the sample; only after a gap, or at first, does the clock decide.
        if self._next is None or abs(position - self._next - self._fifo.samples) > _GAP:
            if self._next is not None and position < self._next:
                return  # from before what was sent: its clock was set back
            self._fifo = av.AudioFifo()
            self._next = position
        frame = av.AudioFrame(format="s16", layout="stereo", samples=len(samples) // 4)
        memoryview(frame.planes[0]).cast("B")[: len(samples)] = samples
        frame.sample_rate, frame.pts = SOUND_RATE, None
        self._fifo.write(frame)
        while (part := self._fifo.read(_PACKET)) is not None:
            part.pts, part.time_base = self._next, Fraction(1, SOUND_RATE)
            self._next += _PACKET
            self._container.mux(self._sound.encode(part))

    def finish(self) -> None:
        """Code what is left."""
        for stream in (self._video, self._sound):
            if stream is not None:
                self._container.mux(stream.encode(None))


def muxer_options(muxer: str) -> Mapping[str, str]:
    """What a muxer is told for live output."""
    options = {"max_interleave_delta": NO_WAITING}
    if muxer == "flv":
        options["flvflags"] = "no_duration_filesize"
    return options
