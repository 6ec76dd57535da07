"""The sound of a file at any time, as browsers take it: whatever its codec, and nothing is written."""

from __future__ import annotations

import io
import wave
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import av.error
import numpy as np

from understudy.arrays import AnyArray
from understudy.media.files.video_source import start_shift
from understudy.media.reading import open_container
from understudy.media.resampling import Resampler

#: Samples a second, and channels.
RATE: Final = 48_000
_CHANNELS: Final = 2
#: Seconds before a time from which on sound is decoded: codecs need some to begin with.
_BEFORE: Final = 0.2
#: Samples by which sound may be off before it is put in its place.
_OFF: Final = RATE // 100


def sound_at(path: Path, since: float, seconds: float) -> bytes | None:
    """Some of a file's sound as WAV (16 bits, two channels, 48,000 samples a second), exactly as long as was asked for.

    Args:
        path: The file.
        since: When it begins, in seconds of the file.
        seconds: How long it is; silence where there is no sound.

    Returns:
        None if the file has no sound that can be decoded.

    Raises:
        InputError: it can't be opened.
    """
    whole = np.zeros((round(seconds * RATE), _CHANNELS), np.int16)
    with open_container(path) as container:
        stream = next((one for one in container.streams.audio if one.codec_context is not None), None)
        if stream is None:
            return None
        _fill(whole, container, stream, since)
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(_CHANNELS)
        written.setsampwidth(2)
        written.setframerate(RATE)
        written.writeframes(whole.astype("<i2").tobytes())
    return file.getvalue()


def _fill(whole: AnyArray, container: Any, stream: Any, since: float) -> None:
    """Put into ``whole``, int16 (N, 2), what is heard from a time on."""
    shift = start_shift(container)
    resampler = Resampler("s16", "stereo", RATE)
    try:
        container.seek(max(int((since + float(shift) - _BEFORE) * av.time_base), 0))
    except av.error.FFmpegError:
        return
    place: int | None = None
    for frame in _decoded(container, stream):
        if frame.pts is not None:
            exact = round((frame.pts * Fraction(frame.time_base) - shift - Fraction(since)) * RATE)
            place = exact if place is None or abs(place - exact) > _OFF else place
        if place is None:
            continue
        for part in resampler.resample(frame):
            samples = part.to_ndarray().reshape(-1, _CHANNELS)
            first, last = max(place, 0), min(place + len(samples), len(whole))
            if first < last:
                whole[first:last] = samples[first - place : last - place]
            place += len(samples)
        if place >= len(whole):
            return


def _decoded(container: Any, stream: Any) -> Any:
    """The frames that can be decoded; a damaged packet is a short silence."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            return
        if packet is None:
            return
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            continue
