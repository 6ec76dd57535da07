"""A mask or a scarf over nose and mouth: whether one is worn, and where its cloth is.

What it hides is most of the face, so nothing of what is known of skin helps: the cheeks' colour is the cloth's. It is
known by three things at once: between the eyes and on the forehead there is another colour than below, most of what is
below has one colour, and no mouth is to be seen in it. A face whose lower half is painted has a mouth. A shadow, below
or over the eyes, has the skin's colour, so how bright it is tells little.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from understudy.arrays import FloatArray, UInt8Array
from understudy.patches import Covering
from understudy.quantiles import median_of_rows, percentile
from understudy.tones import smoothstep

#: Vertices (MediaPipe's numbers) between the eyes and on the forehead, which may be under a hat; of nose, cheeks and
#: chin; of the lips and where they meet; and around the mouth.
_ABOVE: Final = [8, 9, 168, 193, 417, 151, 108, 337]
_BELOW: Final = [4, 5, 1, 50, 280, 36, 266, 205, 425, 187, 411, 164, 200, 199, 18, 210, 430, 175]
_MOUTH: Final = [0, 37, 267, 17, 84, 314, 13, 14, 82, 312, 87, 317, 61, 291, 78, 308]
_AROUND: Final = [164, 167, 393, 18, 83, 313, 200, 186, 410, 57, 287]
#: How large the squares are in which a colour is taken, as a share of the face's longer side: on skin, and on lips.
_SQUARE, _SMALL = 1 / 30, 1 / 60
#: Where in a square it is taken: its corners, the middles of its sides, and its own.
_NINE: Final = np.array([(x, y) for y in (-1, 0, 1) for x in (-1, 0, 1)], np.float32)
#: From which difference in colour to the skin (natural logarithm) cloth is told; and with what is darker by more than
#: the first, by how much less for each unit: black has hardly a colour.
_COLOUR: Final = 0.18
_BLACK, _BLACKER = 0.5, 0.5
#: How much darker or brighter than what is around it the mouth may be where that difference just tells, and where it is
#: so many times as large: creases are no mouth. Mouths of faces are at 0.35 and more, in glaring light at 0.15.
_NO_MOUTH, _SURE = 0.16, 2.0
#: How far from their median this percentage of the colours below the eyes may be: of a head that is turned the others
#: may be hair. And by which factor what tells cloth may be less for who wears a mask already.
_ONE_COLOUR, _MOST, _STILL = 0.4, 60, 1.4
#: What brightness counts beside colour in telling cloth from skin: folds are darker cloth.
_FOLDS: Final = 0.05
#: Between skin (0) and cloth (1): from where a colour may be cloth's, and surely is.
_CLOTH: Final = (0.35, 0.65)
#: From where to where on the flattened face, downwards, a mask begins.
_BEGINS: Final = (0.345, 0.375)


def covering(picture: UInt8Array, place: FloatArray, *, worn: bool) -> Covering | None:
    """What covers nose and mouth.

    Args:
        picture: uint8 BGR (h, w, 3): a face, and little else.
        place: float32 (478, 2): its mesh, in pixels of ``picture``.
        worn: Whether something did when it was looked last.

    Returns:
        The colours of the skin and of the cloth; None where nothing covers it.
    """
    # Colours tell nearly every face that is bare: what takes longer comes after them.
    colours = _colours(picture, place, _ABOVE + _BELOW, _SQUARE)
    above, below = colours[: len(_ABOVE)], colours[len(_ABOVE) :]
    skin, cloth = median_of_rows(above), median_of_rows(below)
    apart = cloth - skin
    light = float(apart.mean())
    told = float(np.linalg.norm(apart - light)) / _COLOUR + max(-light - _BLACK, 0.0) * _BLACKER
    told *= _STILL if worn else 1.0
    if told < 1 or percentile(np.linalg.norm(below - cloth, axis=1), _MOST) > _ONE_COLOUR:
        return None
    mouth, around = (_colours(picture, place, which, _SMALL).mean(axis=1) for which in (_MOUTH, _AROUND))
    if float(np.abs(mouth - percentile(around, 50)).max()) > _NO_MOUTH * min(told, _SURE):
        return None
    return Covering(skin, cloth)


def cloth_in(logs: FloatArray, v: FloatArray, covered: Covering) -> FloatArray:
    """How surely colours are of the cloth.

    Args:
        logs: float32 BGR (h, w, 3): natural logarithms (of grey levels + 2).
        v: float32 (h, w) or (h, 1): how far down on the flattened face each is, 0-1.
        covered: The colours of skin and cloth.

    Returns:
        float32 (h, w), 0-1; 0 above the nose.
    """
    apart, away = covered.cloth - covered.skin, logs - covered.skin
    light, lighter = apart.mean(), away.mean(axis=2)
    colour = (away - lighter[..., None]) @ (apart - light)
    towards = (3 * _FOLDS * light * lighter + colour) / (3 * _FOLDS * light**2 + ((apart - light) ** 2).sum())
    return np.asarray(smoothstep(towards, *_CLOTH) * smoothstep(v, *_BEGINS), np.float32)


def _colours(picture: UInt8Array, place: FloatArray, vertices: list[int], square: float) -> FloatArray:
    """Natural logarithms (of grey levels + 2) around vertices, averaged over nine pixels: float32 (N, 3)."""
    height, width = picture.shape[:2]
    step = max(float(np.ptp(place, axis=0).max()) * square / 2, 1.0)
    places = (place[vertices, None] + _NINE * np.float32(step)).astype(np.int32)
    x, y = np.clip(places[:, :, 0], 0, width - 1), np.clip(places[:, :, 1], 0, height - 1)
    return np.asarray(np.log(picture[y, x].mean(axis=1, dtype=np.float32) + np.float32(2)), np.float32)
