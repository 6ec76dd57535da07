"""The last frames of a segment change to how the next one draws them."""

from __future__ import annotations

import numpy as np
import pytest

from understudy.face import Faces
from understudy.frames import Frame, PixelBox
from understudy.guard import unguarded
from understudy.patches import Patch
from understudy.pipeline.handover import Handover
from understudy.pipeline.tally import Swapped

BOX = PixelBox(4, 4, 20, 20)


def swapped(value: int, box: PixelBox = BOX, pts: int = 0, faces: int = 1, scale: int = 1) -> tuple[Frame, Swapped]:
    """A grey frame, of which a box was given another value."""
    frame = Frame(np.full((24, 32, 3), 100, np.uint8), pts, origin=object())
    unguarded(frame).change(box)[:] = value
    size = (box.y1 - box.y0, box.x1 - box.x0)
    pixels, uv = np.zeros((*size, 3), np.uint8), np.zeros((*size, 2), np.float32)
    patch = Patch(pixels, np.full(size, 255, np.uint8), uv, box, np.zeros((478, 3), np.float32), 1)
    return frame, Swapped(Faces.empty(), [patch] * faces, scale=scale)


def changed_over(handover: Handover, frame: Frame, done: Swapped) -> np.ndarray:
    """A frame, after the handover."""
    before = Frame(np.full((24, 32, 3), 100, np.uint8), frame.pts)
    handover.compose(unguarded(frame), done, handover.original(before))
    return frame.picture[:, :, 0]


def test_a_face_changes_a_little_with_each_frame_until_it_is_the_other_ones():
    handover = Handover(swapped(200, pts=pts) for pts in range(4))
    seen = [int(changed_over(handover, *swapped(150, pts=pts))[10, 10]) for pts in range(4)]
    assert seen == [160, 170, 180, 190]


def test_where_only_one_of_them_wrote_the_other_has_what_was_there():
    handover = Handover([swapped(200, PixelBox(16, 4, 28, 20))])
    picture = changed_over(handover, *swapped(150))
    assert picture[10, 6] == 125  # half of 150, half of what was there
    assert picture[10, 18] == 175
    assert picture[10, 26] == 150
    assert picture[10, 30] == 100


def test_what_is_written_is_noted_with_what_was_there():
    frame, done = swapped(150)
    changed_over(Handover([swapped(200)]), frame, done)
    assert [change.box for change in frame.changes] == [BOX, BOX]
    assert int(frame.changes[0].before[0, 0, 0]) == 100


@pytest.mark.parametrize("other", [{"faces": 0}, {"faces": 2}, {"scale": 2}, {"pts": 7}])
def test_a_frame_that_is_not_alike_stays_as_it_is(other):
    handover = Handover([swapped(200, **other)])
    assert changed_over(handover, *swapped(150))[10, 10] == 150


def test_a_frame_of_another_size_stays_as_it_is():
    handover = Handover([swapped(200)])
    frame, done = swapped(150)
    handover.compose(unguarded(frame), done, np.zeros((12, 16, 3), np.uint8))
    assert frame.picture[10, 10, 0] == 150


def test_of_nothing_nothing_comes():
    frame, done = swapped(150)
    assert Handover().original(frame) is None
    assert changed_over(Handover(), frame, done)[10, 10] == 150
