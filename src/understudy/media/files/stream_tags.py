"""Which tags of a file and its streams are true of another that is made of it, and what languages are called there."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from io import BytesIO
from typing import Any, Final

import av

from understudy.media.files.trying import REFUSED

#: Tags that describe the old file, not its content.
STALE_TAGS = frozenset(
    [
        "encoder",
        "major_brand",
        "minor_version",
        "compatible_brands",
        "duration",
        "rotate",
        "vendor_id",
        "_statistics_tags",
        "_statistics_writing_app",
        "_statistics_writing_date_utc",
        "bps",
        "number_of_frames",
        "number_of_bytes",
        "alpha_mode",  # the video of no output has opacity
    ]
)


def kept_tags(metadata: dict[str, str]) -> dict[str, str]:
    """Metadata without the tags that would be untrue of a new file."""
    return {key: value for key, value in metadata.items() if key.lower().split("-")[0] not in STALE_TAGS}


#: Codes of one language: ISO 639-2/B (bibliographic), ISO 639-2/T (terminological), then others that QuickTime has.
SAME_LANGUAGE: Final = (
    ("alb", "sqi"),
    ("arm", "hye"),
    ("baq", "eus"),
    ("bur", "mya"),
    ("chi", "zho"),
    ("cze", "ces"),
    ("dut", "nld"),
    ("fre", "fra"),
    ("geo", "kat"),
    ("ger", "deu"),
    ("gre", "ell"),
    ("ice", "isl"),
    ("mac", "mkd"),
    ("mao", "mri"),
    ("may", "msa"),
    ("per", "fas"),
    ("rum", "ron"),
    ("slo", "slk"),
    ("tib", "bod"),
    ("wel", "cym"),
    ("swe", "sve"),
    ("nob", "nor"),
    ("nno", "nor"),
)
#: Muxers of which not each takes each code.
_CHOOSY: Final = ("mp4", "mov")


def language_in(muxer: str, language: str) -> str | None:
    """What a language is called in a kind of file: by its own code or another of the same language.

    Args:
        muxer: FFmpeg's name of the kind of file.
        language: As another file says it.

    Returns:
        None if the file has no name for it.
    """
    if muxer not in _CHOOSY or language == "und":
        return language
    others = (code for codes in SAME_LANGUAGE if language in codes for code in codes if code != language)
    return next((code for code in (language, *others) if _names(muxer, code)), None)


@lru_cache
def _names(muxer: str, language: str) -> bool:
    """Whether a kind of file gives back the code of a language; found out by writing one, in memory."""
    written = BytesIO()
    try:
        with av.open(written, "w", format=muxer) as trial:
            stream: Any = trial.add_stream("aac", rate=48000, layout="mono")
            stream.metadata["language"] = language
            trial.start_encoding()
            packet: Any = av.Packet(bytes(8))
            packet.stream, packet.time_base, packet.pts, packet.dts = stream, Fraction(1, 48000), 0, 0
            trial.mux(packet)
        written.seek(0)
        with av.open(written, format=muxer) as trial:
            return bool(trial.streams[0].metadata.get("language") == language)
    except REFUSED:
        return False
