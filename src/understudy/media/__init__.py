"""Media: sources that yield frames, and sinks that take labelled frames only."""

from understudy.media.base import MediaInfo, MediaKind, Sink, Source
from understudy.media.encoders import EncodeOptions
from understudy.media.opening import check_output, open_sink, open_source
from understudy.media.still import load_photo

__all__ = [
    "EncodeOptions",
    "MediaInfo",
    "MediaKind",
    "Sink",
    "Source",
    "check_output",
    "load_photo",
    "open_sink",
    "open_source",
]
