"""Writes clips of every kind for tests and the demo."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.testing.motion import Motion, talking
from understudy.testing.puppet import Puppet


@dataclass(frozen=True)
class ClipSpec:
    """What a clip's file is like.

    Attributes:
        rate: Frames a second.
        encoder, pixel_format, options: Of the video stream.
        pts: Times of the frames in units of ``time_base``; None for a constant rate.
        time_base: Unit of ``pts``.
        matrix, range, primaries, transfer: Colour tags as FFmpeg's numbers; None leaves one unsaid.
        rotation: Degrees anticlockwise that a player turns the picture by (a display matrix).
        audio: Codec and pitch in Hz of each sound track.
        subtitles: Codec of a subtitle track with a line a second; None for none.
        metadata: Tags of the file.
        chapters: Titles; they share the length equally.
        pixel_aspect: Width of a pixel over its height.
    """

    rate: int = 30
    encoder: str = "libx264"
    pixel_format: str = "yuv420p"
    options: tuple[tuple[str, str], ...] = (("crf", "18"), ("preset", "veryfast"))
    pts: Sequence[int] | None = None
    time_base: Fraction = Fraction(1, 90000)
    matrix: int | None = 1
    range: int | None = 1
    primaries: int | None = 1
    transfer: int | None = 1
    rotation: int = 0
    audio: tuple[tuple[str, float], ...] = (("aac", 440.0),)
    subtitles: str | None = None
    metadata: tuple[tuple[str, str], ...] = (("title", "a clip"),)
    chapters: tuple[str, ...] = ()
    pixel_aspect: Fraction = Fraction(1)


def write_clip(path: Path, pictures: Iterable[UInt8Array], spec: ClipSpec | None = None) -> None:
    """Encode pictures, uint8 BGR (H, W, 3), all of one size, with the spec's other streams beside them."""
    spec = spec or ClipSpec()
    pictures = iter(pictures)
    first = next(pictures)
    with av.open(str(path.absolute()), "w") as output:
        output.metadata.update(dict(spec.metadata))
        video = _video_stream(output, first, spec)
        sounds = [_audio_stream(output, codec) for codec, _ in spec.audio]
        subtitles = output.add_mux_stream(spec.subtitles) if spec.subtitles else None
        count = 0
        for count, picture in enumerate(_chain(first, pictures), 1):
            output.mux(video.encode(_encodable(picture, video, spec, count - 1)))
        output.mux(video.encode(None))
        length = count / spec.rate if spec.pts is None else float(spec.pts[count - 1] * spec.time_base) + 1 / spec.rate
        if spec.chapters:
            step = int(length * 1000 / len(spec.chapters))
            output.set_chapters(
                [
                    {
                        "id": n,
                        "start": n * step,
                        "end": (n + 1) * step,
                        "time_base": Fraction(1, 1000),
                        "metadata": {"title": t},
                    }
                    for n, t in enumerate(spec.chapters)
                ]
            )
        for (_, pitch), sound in zip(spec.audio, sounds, strict=True):
            _write_tone(output, sound, pitch, length)
        if subtitles is not None:
            _write_subtitles(output, subtitles, int(length))


def write_puppet_clip(
    path: Path,
    puppet: Puppet,
    seconds: float,
    spec: ClipSpec | None = None,
    choreography: Callable[[float], Motion] = talking,
) -> FloatArray:
    """Write a clip of a puppet.

    Returns:
        The truth: float32 (frames, 478, 3), the mesh in every frame.
    """
    spec = spec or ClipSpec()
    count = round(seconds * spec.rate) if spec.pts is None else len(spec.pts)
    meshes: list[FloatArray] = []

    def pictures() -> Iterable[UInt8Array]:
        for number in range(count):
            when = number / spec.rate if spec.pts is None else float(spec.pts[number] * spec.time_base)
            frame = puppet.render(choreography(when))
            meshes.append(frame.mesh)
            yield frame.picture

    write_clip(path, pictures(), spec)
    return np.stack(meshes)


def _chain(first: UInt8Array, rest: Iterable[UInt8Array]) -> Iterable[UInt8Array]:
    yield first
    yield from rest


def _video_stream(output: Any, first: UInt8Array, spec: ClipSpec) -> Any:
    stream = output.add_stream(spec.encoder, rate=spec.rate, options=dict(spec.options))
    context = stream.codec_context
    context.width, context.height = first.shape[1], first.shape[0]
    context.pix_fmt = spec.pixel_format
    context.time_base = spec.time_base if spec.pts is not None else Fraction(1, spec.rate)
    context.sample_aspect_ratio = spec.pixel_aspect
    for name, value in (
        ("colorspace", spec.matrix),
        ("color_range", spec.range),
        ("color_primaries", spec.primaries),
        ("color_trc", spec.transfer),
    ):
        if value is not None:
            setattr(context, name, value)
    if spec.rotation:
        stream.set_display_rotation(spec.rotation)
    return stream


def _encodable(picture: UInt8Array, stream: Any, spec: ClipSpec, number: int) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(
        format=spec.pixel_format, dst_colorspace=spec.matrix or 6, dst_color_range=spec.range or 1
    )
    frame.pts = number if spec.pts is None else spec.pts[number]
    frame.time_base = stream.codec_context.time_base
    return frame


def _audio_stream(output: Any, codec: str) -> Any:
    stream = output.add_stream(codec, rate=48000)
    stream.codec_context.layout = "stereo"
    return stream


def _write_tone(output: Any, stream: Any, pitch: float, seconds: float) -> None:
    total = int(seconds * 48000)
    wave = (0.2 * np.sin(2 * np.pi * pitch * np.arange(total) / 48000)).astype(np.float32)
    stream.codec_context.open(strict=False)
    resampler = av.AudioResampler(
        stream.codec_context.format, "stereo", 48000, frame_size=stream.codec_context.frame_size or None
    )
    for start in range(0, total, 4800):
        part = np.repeat(wave[None, start : start + 4800], 2, axis=0)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        for ready in resampler.resample(frame):
            output.mux(stream.encode(ready))
    for ready in resampler.resample(None):
        output.mux(stream.encode(ready))
    output.mux(stream.encode(None))


def _write_subtitles(output: Any, stream: Any, seconds: int) -> None:
    for second in range(max(1, seconds)):
        packet = av.Packet(f"line {second}".encode())
        packet.stream, packet.time_base = stream, Fraction(1, 1000)
        packet.pts = packet.dts = second * 1000
        packet.duration = 800
        output.mux(packet)
