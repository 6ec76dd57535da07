"""EXIF data of a photo for another that is made of it: what tells of the old file's pixels would be untrue there."""

from __future__ import annotations

from typing import Final

from PIL import ExifTags, Image

from understudy.media.files.still_pixels import ORIENTATION

#: Tags of TIFF that tell how the old file stored its pixels, where, and what else of it (its layers and previews would
#: show the face that was there, its XMP would contradict the new one's).
_OF_THE_FILE: Final = frozenset(
    [
        *(254, 255, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284, 288, 289, 290, 291, 292, 293),
        *(297, 317, 320, 321, 322, 323, 324, 325, 326, 327, 328, 330, 332, 334, 338, 339, 340, 341, 342, 347),
        *range(512, 522),  # old JPEG in TIFF, and the place of a preview
        *(529, 530, 531, 532),  # YCbCr
        700,  # XMP
        34377,  # Photoshop's own, with a preview
        34675,  # the colour profile, which is written by itself
        37724,  # Photoshop's layers
    ]
)
#: Tags that are not carried along.
NOT_CARRIED: Final = _OF_THE_FILE | {ORIENTATION}
#: Tags that say how large the picture is: width and height, in the main part and in EXIF's own.
_SIZE: Final = (256, 257)
_PIXEL_SIZE: Final = (0xA002, 0xA003)


def upright_exif(picture: Image.Image) -> bytes | None:
    """A picture's EXIF data without its orientation, and without what tells of its file.

    Returns:
        None if it has none, or none that can be written again.
    """
    try:
        if not len(picture.getexif()):
            return None
        exif = Image.Exif()  # a copy: Pillow turns the picture by its own
        exif.load(picture.getexif().tobytes())
        for tag in NOT_CARRIED:
            exif.pop(tag, None)
        return exif.tobytes() if len(exif) else None
    except Exception:  # noqa: BLE001 - of a damaged tag Pillow says anything; the picture is none the worse for it
        return None


def sized(data: bytes, width: int, height: int) -> bytes:
    """EXIF data that says of a picture how large it is, if it says so at all.

    Args:
        data: As ``upright_exif`` gave it.
        width: In pixels, as written.
        height: The same.
    """
    exif = Image.Exif()
    exif.load(data)
    own = exif.get_ifd(ExifTags.IFD.Exif) if ExifTags.IFD.Exif in exif else {}
    for part, tags in ((exif, _SIZE), (own, _PIXEL_SIZE)):
        for tag, length in zip(tags, (width, height), strict=True):
            if tag in part:
                part[tag] = length
    return exif.tobytes()
