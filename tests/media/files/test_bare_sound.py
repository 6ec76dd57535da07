"""Sound that is stored as bare numbers is cut to the number."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from tests.media.files.test_streams import film, passed
from understudy.media.base import Excerpt, MediaInfo, MediaKind

RATE = 8000


def heard(path):
    """The samples of a file's sound, one channel, one after the other; and when they begin, in seconds."""
    with av.open(str(path)) as file:
        frames = list(file.decode(audio=0))
    channels = frames[0].layout.nb_channels
    return np.concatenate([frame.to_ndarray()[0][::channels] for frame in frames]), float(frames[0].time)


@pytest.mark.parametrize("layout", ["mono", "stereo"])
@pytest.mark.parametrize("codec", ["pcm_s24le", "pcm_s24be", "pcm_s16le", "pcm_alaw", "pcm_u8"])
def test_a_part_of_it_is_the_same_numbers(tmp_path, codec, layout):
    source, output = tmp_path / "in.nut", tmp_path / "out.mov"
    film(source, [(codec, RATE, layout)])
    part = Excerpt(2, 0.45)  # the second and third tenth of a second, and a half
    passed(source, output, MediaInfo(source, MediaKind.VIDEO, 64, 64, Fraction(1, 10), excerpt=part))
    whole, _ = heard(source)
    samples, begins = heard(output)
    assert begins == 0
    assert np.array_equal(samples, whole[round(0.2 * RATE) : round(0.45 * RATE)])
