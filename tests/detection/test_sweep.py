"""A thorough search in parts: it misses nobody, is shared, and says when it has been everywhere."""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from understudy.detection import BlazeFace, Sweep
from understudy.face import Faces
from understudy.frames import Frame


class Counted:
    """A detector of ten parts, which notes what it searched."""

    def __init__(self, parts=10):
        self.count, self.searched = parts, []

    def parts(self, picture):
        return self.count

    def part(self, picture, number):
        self.searched.append(number)
        return Faces(np.full((1, 4), number, np.float32), np.ones(1, np.float32))


def frames(times, shape=(90, 160, 3)):
    return [Frame(np.zeros(shape, np.uint8), pts=round(1000 * one), time_base=Fraction(1, 1000)) for one in times]


def test_every_part_is_searched_once_in_a_round_and_then_it_begins_anew():
    detector = Counted()
    sweep, rounds = Sweep(detector), []
    for frame in frames(np.arange(12) / 30):
        rounds.append(sweep.count)
        sweep.look(frame, 0.25)
    assert detector.searched[:20] == [*range(10), *range(10)]
    assert sweep.parts == 10
    assert rounds == list(range(0, 24, 2))
    sweep.begin()
    sweep.look(frames([1])[0], 0.25)
    assert detector.searched[-2:] == [0, 1]


@pytest.mark.parametrize(("step", "count"), [(1 / 60, 1), (1 / 30, 2), (1 / 15, 3), (1 / 5, 4), (10, 4), (-1, 4)])
def test_slow_cameras_have_more_parts_searched_at_a_time(step, count):
    detector = Counted()
    sweep = Sweep(detector)
    first, second = frames([100, 100 + step])
    sweep.look(first, 0.25)
    begun = len(detector.searched)
    sweep.look(second, 0.25)
    assert len(detector.searched) - begun == count


def test_whoever_asks_again_in_a_frame_gets_the_same():
    detector = Counted()
    sweep, (frame,) = Sweep(detector), frames([0])
    found = sweep.look(frame, 0.25)
    assert sweep.look(frame, 0.25) is found
    assert len(detector.searched) == len(found) == 2


def test_a_picture_of_another_size_is_searched_from_the_beginning():
    detector = Counted(4)
    sweep = Sweep(detector)
    for frame in frames(np.arange(3) / 30):
        sweep.look(frame, 10)
    (large,) = frames([0.2], (180, 320, 3))
    sweep.look(large, 10)
    assert detector.searched == [0, 1, 2, 0]


@pytest.mark.parametrize("size", [(640, 360), (360, 640), (90, 60), (12, 700)])
def test_all_parts_find_what_a_thorough_search_does(astronaut, size):
    picture = np.full((size[1], size[0], 3), 90, np.uint8)
    side = min(size) // 4
    small = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_AREA)
    for left, top in ((0.05, 0.1), (0.6, 0.5)):
        x, y = int(left * size[0]), int(top * size[1])
        part = picture[y : y + side, x : x + side]
        part[:] = small[: part.shape[0], : part.shape[1]]
    detector = BlazeFace()
    thorough = detector.detect(picture, thorough=True)
    parts = [detector.part(picture, number) for number in range(detector.parts(picture))]
    apart = Faces.concatenate([detector.detect(picture), *parts])
    assert len(thorough) >= 2 or min(size) < 360
    for box in thorough.boxes_xyxy:
        middle = (box[:2] + box[2:]) / 2
        assert ((apart.boxes_xyxy[:, :2] < middle) & (middle < apart.boxes_xyxy[:, 2:])).all(1).any()


def test_a_detector_that_rested_finds_the_same(astronaut):
    picture = np.full((360, 640, 3), 90, np.uint8)
    picture[40:130, 60:150] = cv2.resize(astronaut, (90, 90), interpolation=cv2.INTER_AREA)
    detector = BlazeFace()
    looks = (lambda: detector.detect(picture, thorough=True), lambda: detector.part(picture, 0))
    for look in looks:
        before = look()
        assert len(before)
        detector.rest()
        detector.rest()
        assert_array_equal(look().boxes_xyxy, before.boxes_xyxy)
