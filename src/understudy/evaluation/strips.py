"""Pictures for the report: source, target, swap and difference. Labelled and signed like every output."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import cv2
import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.casting.person import Allowed
from understudy.evaluation.files import Pictures
from understudy.evaluation.material import Clip
from understudy.evaluation.steadiness import Instant
from understudy.face import Faces
from understudy.frames import Frame
from understudy.geometry.transforms import RotatedSquare, crop
from understudy.media.files import EncodeOptions, MediaInfo, MediaKind, check_output, open_sink
from understudy.resources import Trust
from understudy.settings import Settings

#: Side of each picture in the strip, and how much of the frame beside the face is shown (1: none).
SIDE, ROOM = 288, 1.7
#: Height of the empty row below, for the label.
FOOT = 110
#: How much stronger the difference is shown than it is.
DIFFERENCE_GAIN = 3


class Strips:
    """Writes a picture a pair.

    Args:
        pictures: Keeps them until the report is done.
        trust: Signs them.
        settings: How they are labelled, marked and signed.
    """

    def __init__(self, pictures: Pictures, trust: Trust, settings: Settings) -> None:
        self._pictures, self._trust, self._settings = pictures, trust, settings

    def check(self, clip: str, name: str) -> None:
        """Refuse a pair's picture, before any work is done.

        Raises:
            OutputExistsError, OutputError: it can't be written.
        """
        place = self._pictures.folder / _name(clip, name)
        check_output(place, MediaKind.IMAGE, (), overwrite=self._pictures.overwrite)

    def write(self, clip: Clip, name: str, person: Allowed, instants: Sequence[Instant]) -> str:
        """One picture: a row an instant. Returns its file's name."""
        portrait = person.portraits[0]
        assert portrait.face.mesh is not None
        source = _around(portrait.picture, portrait.face.mesh[0])
        rows = []
        for instant in instants:
            before, after = (_around(picture, instant.patch.mesh) for picture in (instant.before, instant.after))
            difference = np.clip(cv2.absdiff(before, after).astype(np.int32) * DIFFERENCE_GAIN, 0, 255)
            rows.append(np.hstack([source, before, after, difference.astype(np.uint8)]))
        rows.append(np.zeros((FOOT, 4 * SIDE, 3), np.uint8))
        sheet = Frame(np.ascontiguousarray(np.vstack(rows), np.uint8))
        path = self._pictures.aside(_name(clip.name, name))
        made = self._trust.output(self._settings, clip.path, MediaKind.IMAGE, person.consents, person.digests)
        info = MediaInfo(clip.path, MediaKind.IMAGE, sheet.width, sheet.height, Fraction(1, 1000))
        with open_sink(path, info, EncodeOptions(), made.release) as sink:
            sink.write(made.sealer.seal(sheet, Faces.empty()))
        return path.name


def _name(clip: str, name: str) -> str:
    return f"{name}-on-{clip}.jpg"


def _around(picture: UInt8Array, mesh: FloatArray) -> UInt8Array:
    low, high = mesh[:, :2].min(0), mesh[:, :2].max(0)
    middle, side = (low + high) / 2, float((high - low).max()) * ROOM
    return crop(picture, RotatedSquare((float(middle[0]), float(middle[1])), side, 0.0).to_crop(SIDE), (SIDE, SIDE))
