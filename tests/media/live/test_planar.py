"""BGR to planar YUV: as FFmpeg's exact conversion does it."""

import av
import numpy as np
import pytest

from understudy.media.live.planar import i420
from understudy.media.pixels import EXACT


def exact(picture):
    frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
    return frame.reformat(format="yuv420p", dst_colorspace=1, interpolation=EXACT).to_ndarray()


@pytest.mark.slow
def test_it_agrees_with_the_exact_conversion(astronaut):
    picture = np.ascontiguousarray(astronaut[:510, :510])
    ours = i420(picture).reshape(-1, 510).astype(int)
    theirs = exact(picture).astype(int)
    assert np.abs(ours[:510] - theirs[:510]).max() <= 1
    # Chroma: the mean of four pixels, where FFmpeg weighs more of them.
    chroma = np.abs(ours[510:] - theirs[510:])
    assert chroma.mean() < 1.0
    assert abs((ours[510:] - theirs[510:]).mean()) < 0.2


@pytest.mark.parametrize(
    ("bgr", "yuv"), [((255, 255, 255), (235, 128, 128)), ((0, 0, 0), (16, 128, 128)), ((0, 0, 255), (63, 102, 240))]
)
def test_known_colours(bgr, yuv):
    """Of ITU-R BT.709-6, in 8 bits."""
    flat = i420(np.full((4, 6, 3), bgr, np.uint8))
    assert flat.shape == (36,)
    assert (np.unique(flat[:24]), np.unique(flat[24:30]), np.unique(flat[30:])) == tuple(np.array([v]) for v in yuv)


def test_odd_edges_are_left_out():
    assert i420(np.zeros((5, 7, 3), np.uint8)).shape == (4 * 6 * 3 // 2,)
