"""Which formats can be written, by which encoders, and how quality maps to their settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias, get_args

import av
import av.error

from understudy.errors import EncoderError
from understudy.media.files.trying import takes_codec

#: See ``EncodeOptions``. Which presets those are was measured: ``benchmarks/encoders.py``.
Effort: TypeAlias = Literal["low", "medium", "high"]


@dataclass(frozen=True)
class EncodeOptions:
    """What the user asks of the output.

    Attributes:
        encoder: FFmpeg's name of a video encoder; None for the container's usual one.
        quality: 0-100; 90 looks like the source, 100 is as good as the encoder gets.
        effort: How long the encoder may search for a smaller file that looks the same: ``low``, ``medium`` or ``high``.
        animation_fps: Most frames a second of a GIF or WebP; None for all that the target has.

    Raises:
        ValueError: quality or frames a second out of range, or another effort.
    """

    encoder: str | None = None
    quality: int = 90
    effort: Effort = "low"
    animation_fps: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "quality", int(self.quality))
        object.__setattr__(self, "effort", str.__str__(self.effort))
        if self.effort not in get_args(Effort):
            raise ValueError(f"the effort is one of {', '.join(get_args(Effort))}, not {self.effort!r}")
        if not 0 <= self.quality <= 100:
            raise ValueError(f"quality must be between 0 and 100, not {self.quality}")
        if self.animation_fps is not None and not 1 <= self.animation_fps <= 100:
            raise ValueError(f"an animation has 1 to 100 frames a second, not {self.animation_fps}")


@dataclass(frozen=True)
class Container:
    """One family of video files.

    Attributes:
        format: FFmpeg's muxer.
        encoder: The usual encoder for 8-bit pictures.
        deep_encoder: The one for more bits.
        options: For the muxer.
    """

    format: str
    encoder: str
    deep_encoder: str
    options: tuple[tuple[str, str], ...] = ()


#: By suffix. GIF and WebP are animations; their encoders take RGB.
CONTAINERS: Final[Mapping[str, Container]] = MappingProxyType(
    {
        ".mp4": Container("mp4", "libx264", "libx265", (("movflags", "+faststart"),)),
        ".m4v": Container("mp4", "libx264", "libx265", (("movflags", "+faststart"),)),
        ".mov": Container("mov", "libx264", "libx265", (("movflags", "+faststart"),)),
        ".mkv": Container("matroska", "libx264", "libx265"),
        ".webm": Container("webm", "libvpx-vp9", "libvpx-vp9"),
        ".gif": Container("gif", "gif", "gif"),
        ".webp": Container("webp", "libwebp_anim", "libwebp_anim"),
    }
)

#: Suffixes of stills, with Pillow's name of the format.
STILL_FORMATS: Final[Mapping[str, str]] = MappingProxyType(
    {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
)


#: For x264: without its code for single makes of processors, of which some reads what was in memory before. 7 files of
#: 100 differed from the others in some block. With this a file is the same on every processor and with any number of
#: threads, and takes no longer (``benchmarks/same_again.py``).
_SAME_AGAIN: Final = "cpu-independent=1"


def _x264(quality: int, effort: Effort) -> dict[str, str]:
    preset, step = {"low": ("veryfast", -1), "medium": ("faster", 0), "high": ("slow", 0)}[effort]
    return {"crf": f"{36 + step - 0.2 * quality:.1f}", "preset": preset, "x264-params": _SAME_AGAIN}


def _x265(quality: int, effort: Effort) -> dict[str, str]:
    preset, base = {"low": ("veryfast", 37.6), "medium": ("fast", 38), "high": ("slow", 38)}[effort]
    return {"crf": f"{base - 0.2 * quality:.1f}", "preset": preset, "x265-params": "log-level=error"}


def _vp9(quality: int, effort: Effort) -> dict[str, str]:
    settings = {"crf": f"{round(58 - 0.33 * quality)}", "b": "0", "row-mt": "1"}
    deadline, speed = {"low": ("realtime", "5"), "medium": ("good", "3"), "high": ("good", "2")}[effort]
    return settings | {"deadline": deadline, "cpu-used": speed, "tile-columns": "2", "auto-alt-ref": "0"}


def _nvenc(quality: int, effort: Effort) -> dict[str, str]:
    preset = {"low": "p4", "medium": "p5", "high": "p7"}[effort]
    return {"rc": "vbr", "cq": f"{round(38 - 0.2 * quality)}", "b": "0", "preset": preset}


def _qsv(quality: int, effort: Effort) -> dict[str, str]:
    preset = {"low": "veryfast", "medium": "medium", "high": "veryslow"}[effort]
    return {"global_quality": f"{round(38 - 0.2 * quality)}", "preset": preset}


def _amf(quality: int, effort: Effort) -> dict[str, str]:
    level = f"{round(38 - 0.2 * quality)}"
    preset = {"low": "speed", "medium": "balanced", "high": "quality"}[effort]
    return {"rc": "cqp", "qp_i": level, "qp_p": level, "qp_b": level, "quality": preset}


def _videotoolbox(quality: int, _: Effort) -> dict[str, str]:
    return {"q": str(max(1, quality))}


def _webp(quality: int, effort: Effort) -> dict[str, str]:
    level = {"low": "2", "medium": "4", "high": "6"}[effort]
    return {"lossless": "1"} if quality == 100 else {"quality": str(quality), "compression_level": level}


#: Video encoders that are known to this package, with their settings for a quality and an effort.
ENCODERS: Final[Mapping[str, Callable[[int, Effort], dict[str, str]]]] = MappingProxyType(
    {
        "libx264": _x264,
        "libx265": _x265,
        "libvpx-vp9": _vp9,
        "h264_nvenc": _nvenc,
        "hevc_nvenc": _nvenc,
        "av1_nvenc": _nvenc,
        "h264_qsv": _qsv,
        "hevc_qsv": _qsv,
        "h264_amf": _amf,
        "hevc_amf": _amf,
        "h264_videotoolbox": _videotoolbox,
        "hevc_videotoolbox": _videotoolbox,
        "gif": lambda _quality, _effort: {},
        "libwebp_anim": _webp,
    }
)


def encoder_settings(encoder: str, options: EncodeOptions, pixels: int) -> dict[str, str]:
    """All that an encoder is told.

    Args:
        encoder: A key of ``ENCODERS``.
        options: What the user asks.
        pixels: Of a frame.
    """
    return ENCODERS[encoder](options.quality, options.effort) | sparing(encoder, pixels, options.effort)


def sparing(encoder: str, pixels: int, effort: Effort = "low") -> dict[str, str]:
    """Settings with which an encoder keeps few frames of so many pixels: it would keep forty, and more beside each.

    Up to 1024x576 none are needed. At 720p half as many of x264's save 40 MB, and cost no quality for their size (at
    crf 18: 3% smaller, 0.03 dB less); with little effort it looks no further ahead than ten frames by itself.
    """
    if pixels <= 1920 * 1200:
        many = encoder == "libx264" and effort != "low" and pixels > 1024 * 576
        return {"rc-lookahead": "20"} if many else {}
    few = pixels <= 4096 * 2304
    if encoder == "libx264":
        if few:
            return {"rc-lookahead": "8"}
        params = f"{_SAME_AGAIN}:sliced-threads=1"
        return {"rc-lookahead": "0", "bf": "0", "refs": "1", "threads": "2", "x264-params": params}
    if encoder == "libx265":
        kept = "rc-lookahead=8" if few else "rc-lookahead=0:bframes=0:ref=1:frame-threads=1"
        return {"x265-params": f"log-level=error:{kept}"}
    if encoder == "libvpx-vp9":
        return {"lag-in-frames": "8" if few else "0"}
    return {}


def opens(encoder: str) -> str | None:
    """Whether an encoder really opens here: None if it does, else why not.

    Hardware encoders are listed by FFmpeg on machines that lack the hardware; only opening one tells.
    """
    try:
        context: Any = av.CodecContext.create(encoder, "w")
    except (av.error.FFmpegError, ValueError):
        return "not in this FFmpeg"
    try:
        context.width, context.height = 320, 240
        context.time_base = Fraction(1, 30)
        context.framerate = Fraction(30)
        offered = [form.name for form in context.codec.video_formats or ()]
        context.pix_fmt = next((form for form in ("yuv420p", "nv12", "bgra") if form in offered), "yuv420p")
        if encoder == "gif":
            context.pix_fmt = "pal8"
        context.options = ENCODERS[encoder](80, "low") if encoder in ENCODERS else {}
        context.open()
    except (av.error.FFmpegError, ValueError, OSError) as fault:
        return str(getattr(fault, "strerror", None) or fault)
    return None


_DOCTOR: Final = "`understudy doctor` lists the encoders that open here."


def choose_encoder(suffix: str, asked: str | None, bit_depth: int) -> str:
    """The encoder for an output.

    Args:
        suffix: A key of ``CONTAINERS``.
        asked: What the user named, or None.
        bit_depth: Of the source.

    Raises:
        EncoderError: the encoder asked for is unknown, does not open here, or the container can't hold it.
    """
    container = CONTAINERS[suffix]
    if asked is None:
        return container.deep_encoder if bit_depth > 8 else container.encoder
    check_encoder(suffix, asked)
    if (reason := opens(asked)) is not None:
        raise EncoderError(f"the encoder {asked} does not open here: {reason}", _DOCTOR)
    return asked


def check_encoder(suffix: str, asked: str) -> None:
    """Make sure that there is an encoder of a name, and that a container can hold what it makes, wherever that is.

    Args:
        suffix: A key of ``CONTAINERS``.
        asked: What the user named.

    Raises:
        EncoderError: not.
    """
    if asked not in ENCODERS:
        raise EncoderError(f"unknown encoder {asked!r}", f"Known: {', '.join(ENCODERS)}. {_DOCTOR}")
    try:
        codec = av.Codec(asked, "w").canonical_name
    except ValueError:  # UnknownCodecError is one
        return  # it is another machine's
    if not takes_codec(CONTAINERS[suffix].format, asked):
        raise EncoderError(f"a {suffix} file can't hold {codec} video ({asked})", "Choose another suffix or encoder.")
