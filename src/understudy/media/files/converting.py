"""Sound that a file can't hold as it is, re-encoded for it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final, NamedTuple

import av
import av.error

from understudy.media.files.trying import REFUSED, takes_codec
from understudy.media.resampling import Resampler

#: Encoders by muxer, best first.
ENCODERS: Final = {
    "mp4": ("aac",),
    "mov": ("aac",),
    "matroska": ("libopus", "aac", "flac"),
    "webm": ("libopus", "libvorbis"),
}
#: The layout that encoders take for a number of channels.
USUAL_LAYOUTS: Final = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
#: Bit rate of converted sound.
BITS_A_CHANNEL: Final = 96_000


class SoundForm(NamedTuple):
    """What sound is converted to.

    Attributes:
        encoder: FFmpeg's name.
        rate: Samples a second.
        layout: Of the channels.
    """

    encoder: str
    rate: int
    layout: str


def form_for(stream: Any, muxer: str) -> SoundForm | None:
    """How to convert a stream of sound for a kind of file; None if it can't be decoded, or no encoder opens.

    The rate is the stream's own or the next one that the encoder has; the layout the stream's own, the usual one of as
    many channels, or stereo.
    """
    if stream.codec_context is None or not stream.codec_context.sample_rate:
        return None
    own = stream.codec_context.layout
    for encoder in ENCODERS.get(muxer, ()):
        if not takes_codec(muxer, encoder):
            continue
        rate = _rate(encoder, stream.codec_context.sample_rate)
        # "2 channels", as AVI and MXF have them, are whatever is usual.
        named = [] if own.name.endswith("channels") else [own.name]
        for layout in (*named, USUAL_LAYOUTS.get(own.nb_channels, "stereo"), "stereo"):
            if _opens(encoder, rate, layout):
                return SoundForm(encoder, rate, str(layout))
    return None


def _rate(encoder: str, wanted: int) -> int:
    """The encoder's rate that loses nothing of a wanted one, or its highest."""
    offered = sorted(av.Codec(encoder, "w").audio_rates or [wanted])
    return next((rate for rate in offered if rate >= wanted), offered[-1])


def _opens(encoder: str, rate: int, layout: str) -> bool:
    try:
        trial: Any = av.CodecContext.create(encoder, "w")
        trial.sample_rate, trial.layout, trial.format = rate, layout, trial.codec.audio_formats[0]
        trial.time_base = Fraction(1, rate)
        trial.open(strict=False)
    except REFUSED:
        return False
    return True


class SoundConverter:
    """Re-encodes one stream of sound.

    Args:
        stream: Of the file that is read.
        output: The file that is written.
        form: What to convert it to.
    """

    def __init__(self, stream: Any, output: Any, form: SoundForm) -> None:
        self._context = stream.codec_context
        self.target = output.add_stream(form.encoder, rate=form.rate)
        context = self.target.codec_context
        context.layout = form.layout
        context.bit_rate = BITS_A_CHANNEL * av.AudioLayout(form.layout).nb_channels
        context.open(strict=False)
        self._alike = Resampler(context.format.name, form.layout, form.rate)
        self._framed = av.AudioResampler(context.format, form.layout, form.rate, frame_size=context.frame_size or None)

    def convert(self, packet: Any | None) -> Iterator[Any]:
        """The packets that one packet of the old stream becomes; None flushes."""
        alike = [one for frame in self._decoded(packet) for one in self._alike.resample(frame)]
        for one in [*alike, *([*self._alike.resample(None), None] if packet is None else [])]:
            for part in self._framed.resample(one):
                yield from self.target.encode(part)
        if packet is None:
            yield from self.target.encode(None)

    def _decoded(self, packet: Any | None) -> list[Any]:
        try:
            return list(self._context.decode(packet))
        except av.error.FFmpegError:
            return []  # a damaged packet is a short silence
