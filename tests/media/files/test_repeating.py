"""That an encoder writes the same file again, on whatever processor."""

from __future__ import annotations

import io
import platform
from fractions import Fraction
from pathlib import Path

import av
import pytest

from understudy.media.files import EncodeOptions
from understudy.media.files.encoders import encoder_settings
from understudy.testing import talking


def instructions():
    """What x264 has code for, and this processor has; "auto" is all that it has.

    Not "0": what x264 does without any of them no processor of this kind needs, and it differs from itself (in 11 files
    of 40 with much effort).
    """
    if platform.machine() not in ("x86_64", "AMD64"):
        return ("auto", "auto")
    told = Path("/proc/cpuinfo")
    flags = told.read_text(encoding="utf-8", errors="replace").split() if told.exists() else []
    return ("sse2", *(["avx2"] if "avx2" in flags else []), "auto")


@pytest.fixture(scope="module")
def pictures(small_puppet):
    return [small_puppet.render(talking(number / 30)).picture for number in range(30)]


def encoded(pictures, allowed, settings):
    """Packets of x264 where it may use only so many of the processor's instructions."""
    height, width = pictures[0].shape[:2]
    params = ":".join(filter(None, (settings.get("x264-params"), f"asm={allowed}")))
    file = av.open(io.BytesIO(), "w", format="matroska")
    stream = file.add_stream("libx264", rate=30, options={**settings, "x264-params": params})
    stream.width, stream.height, stream.time_base = width, height, Fraction(1, 30)
    frames = [av.VideoFrame.from_ndarray(picture, "bgr24").reformat(format="yuv420p") for picture in pictures]
    for frame in frames:
        frame.pts = None
    return [bytes(packet) for frame in (*frames, None) for packet in stream.encode(frame)]


@pytest.mark.slow
@pytest.mark.parametrize("effort", ["low", "medium", "high"])
def test_x264_writes_the_same_on_every_processor(pictures, effort):
    height, width = pictures[0].shape[:2]
    settings = encoder_settings("libx264", EncodeOptions(effort=effort), width * height)
    plainest, *others = (encoded(pictures, one, settings) for one in instructions())
    assert all(other == plainest for other in others)
