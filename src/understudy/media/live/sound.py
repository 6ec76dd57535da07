"""Sound as live output passes it on: 16-bit stereo."""

from __future__ import annotations

from typing import Any

from understudy.arrays import Int16Array
from understudy.media.helpers.encoder import SOUND_RATE
from understudy.media.resampling import Resampler


def resampler() -> Resampler:
    """Turns any sound into 16-bit stereo at ``SOUND_RATE``."""
    return Resampler("s16", "stereo", SOUND_RATE)


def samples_of(frame: Any) -> Int16Array:
    """The samples of a frame that ``resampler`` made: int16 (n, 2)."""
    samples: Int16Array = frame.to_ndarray().reshape(-1, 2)
    return samples
