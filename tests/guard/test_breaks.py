"""Faces that are known and never swapped, and clips that break off: nothing is shown raw for it."""

import cv2
import numpy as np
import pytest

from understudy.face import Faces
from understudy.frames import Frame, PixelBox
from understudy.geometry.topology import topology
from understudy.guard import Guard, GuardOptions
from understudy.patches import Patch

PICTURE = np.random.default_rng(0).integers(60, 200, (360, 480, 3)).astype(np.uint8)
FIRST, SECOND = (140, 180), (340, 180)


class Blind:
    """A detector, and a segmentation, that see nobody."""

    def detect(self, picture, *, thorough=False):
        return Faces(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))

    def parts(self, picture):
        return 1

    def part(self, picture, number):
        return self.detect(picture)

    def glance(self, picture, turn):
        return self.detect(picture)

    def segment(self, picture):
        return np.zeros((144, 256), np.float32)


def mesh(x, y, side=90):
    flat = (topology().uv - 0.5) * side + [x, y]
    return np.column_stack([flat, np.zeros(len(flat))]).astype(np.float32)


def patch(at, track):
    points = mesh(*at)
    low, high = np.floor(points[:, :2].min(0)).astype(int), np.ceil(points[:, :2].max(0)).astype(int)
    width, height = high - low
    uv = np.zeros((height, width, 2), np.float32)
    drawn, alpha = np.full((height, width, 3), 128, np.uint8), np.full((height, width), 255, np.uint8)
    return Patch(drawn, alpha, uv, PixelBox(*map(int, (*low, *high))), points, track)


def faces(places):
    """Those in places, by track."""
    if not places:
        return Faces.empty()
    meshes = np.array([mesh(*at) for at in places.values()])
    boxes = np.concatenate([meshes[:, :, :2].min(1), meshes[:, :, :2].max(1)], axis=1)
    return Faces(boxes, np.ones(len(meshes)), mesh=meshes, track_ids=np.array(list(places)))


class Watched:
    """A guard at work, 30 frames a second."""

    def __init__(self, choice="largest"):
        blind = Blind()
        self.guard, self.seconds = Guard(blind, choice=choice, segmenter=blind), 100.0

    def frame(self, tracked, swapped, picture=PICTURE, cut=False, detected=None):
        self.seconds += 1 / 30
        frame = Frame(picture.copy(), pts=round(self.seconds * 1000))
        self.guard.begin(frame)
        known = faces(tracked)
        patches = [patch(tracked[one], one) for one in swapped]
        cover, _ = self.guard.cover(frame, known, known, patches, cut=cut, detected=detected)
        return cover, frame.picture

    def swapped_for_a_while(self, places):
        for _ in range(60):
            self.frame(places, list(places))


def box(at, side):
    x, y = at
    return np.array([[x - side / 2, y - side / 2, x + side / 2, y + side / 2]], np.float32)


def raw(shown, at, picture=PICTURE):
    (x, y), part = at, 20
    middle = np.s_[y - part : y + part, x - part : x + part]
    return np.abs(shown[middle].astype(int) - picture[middle]).mean() < 4


@pytest.mark.parametrize("phase", [0, 1, 2])
def test_whoever_is_followed_and_not_swapped_is_covered_in_every_frame(phase):
    watched = Watched("all")
    watched.swapped_for_a_while({1: FIRST})
    for _ in range(phase):
        watched.frame({1: FIRST}, [1])
    for _ in range(20):
        _, shown = watched.frame({1: FIRST, 2: SECOND}, [1])
        assert not raw(shown, SECOND)


def test_after_faces_were_let_pass_all_is_covered_until_it_was_looked_at():
    watched, other = Watched(), 255 - PICTURE
    watched.swapped_for_a_while({1: FIRST})
    watched.guard.options = GuardOptions(on_lost="pass")
    for number in range(5):
        watched.frame({}, [], other, cut=number == 2)
    watched.guard.options = GuardOptions()
    cover, shown = watched.frame({}, [], other)
    assert cover.whole
    assert not raw(shown, SECOND, other)


@pytest.mark.slow
def test_a_clock_that_steps_back_uncovers_nobody():
    watched = Watched("all")
    watched.swapped_for_a_while({1: FIRST, 2: SECOND})
    watched.seconds = 0.0
    for _ in range(30):
        _, shown = watched.frame({1: FIRST}, [1])
        assert not raw(shown, SECOND)


def test_a_picture_of_another_size_is_another_shot():
    watched = Watched()
    watched.swapped_for_a_while({1: FIRST})
    larger = cv2.resize(PICTURE, (960, 720), interpolation=cv2.INTER_NEAREST)
    cover, shown = watched.frame({}, [], larger)
    assert cover.whole
    assert not raw(shown, (2 * FIRST[0], 2 * FIRST[1]), larger)


@pytest.mark.parametrize("frames", [3, 60], ids=["right after the start", "later"])
def test_whom_the_detector_found_for_the_tracker_is_covered(frames):
    """A face so large that it is the one to be swapped."""
    watched = Watched()
    for _ in range(frames):
        watched.frame({1: FIRST}, [1])
    cover, _ = watched.frame({1: FIRST}, [1], detected=Faces(box(FIRST, 90), np.ones(1, np.float32)))
    assert not cover.any
    cover, shown = watched.frame({1: FIRST}, [1], detected=Faces(box(SECOND, 150), np.ones(1, np.float32)))
    assert cover.blurred
    assert not raw(shown, SECOND)
