"""Which tags of a file and its streams are true of another that is made of it."""

from __future__ import annotations

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
