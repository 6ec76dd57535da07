"""Sound that is stored as bare numbers (PCM): how many bytes each moment has."""

from __future__ import annotations

import re
from typing import Any, Final

#: Codecs whose packets hold the numbers of all channels in turn, and nothing else; the bits of a number.
_PLAIN: Final = re.compile(r"pcm_[sfu](8|16|24|32|64)(?:le|be)?")
_LAWS: Final = ("pcm_alaw", "pcm_mulaw")


def frame_bytes(context: Any) -> int | None:
    """How many bytes all channels have at one moment; None where sound is stored in another way.

    Args:
        context: The codec context of a stream of sound.
    """
    name = context.codec.canonical_name
    plain = _PLAIN.fullmatch(name)
    # Not those of a decoded sample: 24 bits are decoded to 32.
    bits = 8 if name in _LAWS else int(plain[1]) if plain else 0
    return bits // 8 * int(context.layout.nb_channels) or None
