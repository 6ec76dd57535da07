"""Shadows on pale skin are more colourful than what lies in the light.

Light that went into flesh and came out again is redder, and in a shadow there is little other: skin that is nearly grey
in the light is not in a crease. A photo knows that of its own skin, and stone and paint do not, so the relief of both
would be grey on a pale face. So a patch off which the photo's light was taken (``Patch.flat``) gets that colour here;
what another engine draws has the frame's shadows already. In the terms of ``blending.light``, where each pixel of the
patch, of luminance y, becomes out, it is then

    out_c + m · d (1.6 - d) · (out_c - g · y)        d = 1 - y / S_y, at least 0

as bright as before, and of the same hue. It grows slower the deeper the shadow is: what is darkest is hair, or
a nostril.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from understudy.arrays import FloatArray

#: Red and blue over luminance, of pale skin in its shadows: measured on six clips, where in the light it has 1.12 to
#: 1.29 and 0.94 to 0.77.
_REDDEST: Final = 1.36
_BLUEST: Final = 0.75
#: m at most; and how far both are from 1 below which a colour is hardly one: m falls to 0.
_MOST: Final = 1.5
_COLOURED: Final = 0.05


def more_colourful(skin: FloatArray) -> FloatArray:
    """How much more colourful skin may be in shadows: m of the module's formula.

    Args:
        skin: float32 BGR (G, G, 3): its colour, over its luminance.

    Returns:
        float32 (G, G, 1): 0 where it is as red, or as yellow, as that already, or neither: brown skin, sepia, grey
        films, and skin in the light of blue, green and purple lamps.
    """
    redder, yellower = skin[:, :, 2:] - 1, 1 - skin[:, :, :1]
    least = np.minimum(redder, yellower)
    more = np.minimum((_REDDEST - 1) / np.maximum(redder, _COLOURED), (1 - _BLUEST) / np.maximum(yellower, _COLOURED))
    return np.asarray(np.clip(more - 1, 0, _MOST) * np.clip(least / _COLOURED, 0, 1), np.float32)
