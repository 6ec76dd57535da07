"""Pictures coded for browsers as they are made: one coding for all who watch a session in the same codec."""

from __future__ import annotations

from fractions import Fraction
from typing import Final, Literal

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange, Colorspace

from understudy.arrays import UInt8Array
from understudy.errors import EncodingError
from understudy.media.live.planar import i420

Codec = Literal["h264", "vp8"]
#: Of RTP: ticks a second (RFC 6184, 8.2.1; RFC 7741, 6.1).
CLOCK: Final = 90_000
_BASE: Final = Fraction(1, CLOCK)
#: Bits for each pixel of a second's 30 pictures, and the least and most bits a second: see docs/api.md.
_BITS_A_PIXEL: Final = 3.3
_LEAST, _MOST = 1_200_000, 9_000_000
#: Pictures after which one can be decoded by itself, whatever was lost before.
_KEY_EVERY: Final = 300
#: BT.709 as H.264's table E-3 and E-4 number it.
_BT709: Final = 1
_OPTIONS: Final[dict[Codec, tuple[str, dict[str, str]]]] = {
    # Threads share each picture (slices), so none is late for it.
    "h264": (
        "libx264",
        {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "forced-idr": "1"},
    ),
    "vp8": (
        "libvpx",
        {"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0", "error-resilient": "1", "static-thresh": "1"},
    ),
}


def usual_bitrate(width: int, height: int) -> int:
    """Bits a second for pictures of a size, thirty of them a second."""
    return round(min(max(width * height * _BITS_A_PIXEL, _LEAST), _MOST))


class PictureEncoder:
    """Codes the pictures of one session in one codec. Used by one thread.

    Args:
        codec: Which.
        width, height: Of the pictures as they are coded, in pixels: even.
        bitrate: Bits a second.

    Raises:
        EncodingError: the codec is not there.
    """

    def __init__(self, codec: Codec, width: int, height: int, bitrate: int) -> None:
        name, options = _OPTIONS[codec]
        self._size = width, height
        try:
            context = av.CodecContext.create(name, "w")
            assert isinstance(context, VideoCodecContext)
            context.width, context.height, context.pix_fmt = width, height, "yuv420p"
            context.time_base, context.framerate = _BASE, Fraction(30)
            context.bit_rate, context.gop_size = bitrate, _KEY_EVERY
            # A picture may take a fifth of a second's bits: more would come late.
            context.options = options | {"maxrate": str(bitrate), "bufsize": str(bitrate // 5)}
            context.thread_count = 2 if codec == "h264" else 1
            if codec == "h264":  # VP8 has no words for it: there BT.601 is what is understood
                context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
                context.color_primaries = context.color_trc = _BT709
            context.open()
        except (av.error.FFmpegError, ValueError) as fault:
            raise EncodingError(f"{codec} can't be coded here: {fault}", "Reinstall the package av.") from fault
        self._context, self._codec = context, codec
        #: Bits a second.
        self.bitrate = bitrate

    def encode(self, picture: UInt8Array, ticks: int, *, key: bool) -> bytes:
        """Code a picture.

        Args:
            picture: uint8 BGR (H, W, 3) of the session's size; an odd row or column at its end is left out.
            ticks: Its time in 1/90000 s; rises from call to call.
            key: Whether it must be decodable by itself.

        Returns:
            Its bytes; none if the codec left it out.

        Raises:
            EncodingError: it can't be coded.
        """
        frame = self._planar(picture)
        frame.pts, frame.time_base = ticks, _BASE
        frame.pict_type = PictureType.I if key else PictureType.NONE
        try:
            return b"".join(bytes(packet) for packet in self._context.encode(frame))
        except av.error.FFmpegError as fault:
            raise EncodingError(f"a live picture can't be coded: {fault}", "Start the session again.") from fault

    def _planar(self, picture: UInt8Array) -> VideoFrame:
        width, height = self._size
        if self._codec == "h264":
            return VideoFrame.from_ndarray(i420(picture).reshape(height * 3 // 2, width), format="yuv420p")
        whole = VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="bgr24")
        return whole.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU601, dst_color_range=ColorRange.MPEG)
