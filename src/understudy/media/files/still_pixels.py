"""Pillow's pictures as arrays and back: upright, opacity apart, with their colours; large ones in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

from understudy.arrays import UInt8Array
from understudy.media.reading import decoding

#: Bytes of BGR from which a picture is converted in pieces: 16 million pixels.
LARGE = 48_000_000
#: EXIF's tag for the orientation.
ORIENTATION = 0x0112


def pixels_of(path: Path, picture: Image.Image) -> tuple[UInt8Array, UInt8Array | None]:
    """BGR and opacity of Pillow's current frame, upright."""
    with decoding(path):
        upright = picture
        if picture.getexif().get(ORIENTATION, 1) not in (None, 1):
            upright = ImageOps.exif_transpose(picture)
            if not getattr(picture, "is_animated", False):
                picture.close()  # two of a large one are more than enough
        if upright.mode.startswith("I") or upright.mode == "F":
            return _from_deep(upright), None
        if upright.mode == "CMYK" and upright.info.get("icc_profile"):
            upright = _from_cmyk(upright)
        if upright.has_transparency_data:
            upright = upright if upright.mode == "RGBA" else upright.convert("RGBA")
            alpha = np.empty((upright.height, upright.width), np.uint8)
            return _from_bands(upright, alpha), alpha
        return _from_bands(upright if upright.mode == "RGB" else upright.convert("RGB"), None), None


def _bands(picture: Image.Image) -> Iterator[tuple[slice, Image.Image]]:
    """A picture in pieces of some rows each, of one if it is not large: what is made of a piece is gone with it."""
    rows = max(LARGE // (3 * picture.width), 1)
    if rows >= picture.height:
        yield slice(0, picture.height), picture
        return
    picture.load()
    for top in range(0, picture.height, rows):
        bottom = min(top + rows, picture.height)
        yield slice(top, bottom), picture.crop((0, top, picture.width, bottom))


def _from_bands(picture: Image.Image, alpha: UInt8Array | None) -> UInt8Array:
    """The BGR of a picture that is RGB or RGBA; its opacity is written into ``alpha``."""
    bgr = np.empty((picture.height, picture.width, 3), np.uint8)
    for rows, band in _bands(picture):
        values = np.asarray(band, np.uint8)
        bgr[rows] = values[:, :, 2::-1]
        if alpha is not None:
            alpha[rows] = values[:, :, 3]
    return bgr


def _from_deep(picture: Image.Image) -> UInt8Array:
    """A picture of larger numbers as grey BGR. Integers have 16 bits; floating point goes to 1, or further, to 255."""
    span = 65535.0
    if picture.mode == "F":
        highest = max(float(np.nan_to_num(np.asarray(band, np.float64)).max()) for _, band in _bands(picture))
        span = 1.0 if highest <= 1 else 255.0
    bgr = np.empty((picture.height, picture.width, 3), np.uint8)
    for rows, band in _bands(picture):
        deep = np.nan_to_num(np.asarray(band, np.float64))
        bgr[rows] = np.clip(np.round(deep * (255 / span)), 0, 255).astype(np.uint8)[:, :, None]
    return bgr


def to_pillow(bgr: UInt8Array, alpha: UInt8Array | None) -> Image.Image:
    """A picture for Pillow to write: it holds four bytes a pixel of its own, so little else is made."""
    height, width = bgr.shape[:2]
    rows = max(LARGE // (3 * width), 1)
    picture = Image.new("RGB" if alpha is None else "RGBA", (width, height))
    for top in range(0, height, rows):
        part = np.ascontiguousarray(bgr[top : top + rows, :, ::-1])
        if alpha is not None:
            part = np.dstack([part, alpha[top : top + rows]])
        picture.paste(Image.fromarray(part), (0, top))
    return picture


def _from_cmyk(picture: Image.Image) -> Image.Image:
    """To sRGB by the picture's own profile; by Pillow's rule of thumb if the profile is broken."""
    try:
        own = ImageCms.ImageCmsProfile(BytesIO(picture.info["icc_profile"]))
        converted = ImageCms.profileToProfile(picture, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return picture.convert("RGB")
    return converted or picture.convert("RGB")
