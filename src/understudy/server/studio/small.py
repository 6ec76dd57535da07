"""Small pictures of files, for pages: what somebody handed over, as they gave it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2

from understudy.arrays import UInt8Array
from understudy.errors import UnderstudyError
from understudy.media.files import open_source

#: The longer side, in pixels.
_SIDE: Final = 720


def small_picture(picture: UInt8Array) -> bytes:
    """A picture as a JPEG that is no longer than ``_SIDE``.

    Args:
        picture: uint8 BGR (H, W, 3).
    """
    height, width = picture.shape[:2]
    share = min(1.0, _SIDE / max(height, width))
    if share < 1:
        size = max(1, round(width * share)), max(1, round(height * share))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype("uint8", copy=False)
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


def first_picture(path: Path) -> bytes | None:
    """A file's picture, or its first frame, small; None if it has none that can be read."""
    try:
        with open_source(path) as source:
            frame = next(iter(source), None)
    except UnderstudyError:
        return None
    return None if frame is None else small_picture(frame.picture)
