"""Files: pictures and clips, read and written."""

from understudy.media.base import MediaInfo, MediaKind, Sink, Source
from understudy.media.files.encoders import EncodeOptions
from understudy.media.files.opening import check_output, open_sink, open_source
from understudy.media.files.still_source import load_photo

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
