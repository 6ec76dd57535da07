"""Which of several faces is chosen, by place and size; and what the guard then takes for one that might be."""

import numpy as np
import pytest

from understudy.face import Faces
from understudy.guard.choice import face_may_be_chosen
from understudy.tracking import FaceSelector

#: Left and high; in the middle, large and low; right and small.
BOXES = np.array([[10, 10, 40, 50], [100, 90, 180, 190], [300, 40, 320, 66]], np.float32)
FACES = Faces(BOXES, track_ids=np.arange(3))
CHOICES = {"largest": 1, "smallest": 2, "left": 0, "right": 2, "top": 0, "bottom": 1}


@pytest.mark.parametrize(("choice", "row"), CHOICES.items(), ids=CHOICES)
def test_a_word_chooses_the_first_by_place_or_size(choice, row):
    assert FaceSelector(choice).select(FACES, 0.0).track_ids.tolist() == [row]


@pytest.mark.parametrize(("choice", "row"), CHOICES.items(), ids=CHOICES)
def test_only_who_would_be_chosen_might_have_to_be_swapped(choice, row):
    others = [one for one in range(3) if one != row]
    assert face_may_be_chosen(BOXES[row], choice, BOXES[others])
    for other in others:
        assert not face_may_be_chosen(BOXES[other], choice, BOXES[[row]])


def test_live_who_came_just_before_the_chosen_one_was_lost_is_swapped_for_them():
    """A fade from one camera to another shows one person twice, and then in the second place only."""
    selector = FaceSelector("largest", live=True)
    for frame in range(50):
        there = FACES[[0, 1]] if frame < 40 else FACES
        assert selector.select(there, frame / 25).track_ids.tolist() == [1]
    assert selector.select(FACES[[0, 2]], 2.0).track_ids.tolist() == [2]  # 0 has been there for long: a bystander


def test_live_nobody_who_was_there_with_the_chosen_one_from_the_first_takes_over():
    selector = FaceSelector("largest", live=True)
    for frame in range(5):
        assert selector.select(FACES, frame / 25).track_ids.tolist() == [1]
    assert not len(selector.select(FACES[[0, 2]], 0.2))


def test_live_who_may_be_the_chosen_one_once_more_is_swapped_with_them():
    selector = FaceSelector("largest", live=True)
    assert selector.select(FACES, 0.0, twice={2}).track_ids.tolist() == [1, 2]
    assert selector.select(FACES, 0.04).track_ids.tolist() == [1]
    assert FaceSelector("largest").select(FACES, 0.0, twice={2}).track_ids.tolist() == [1]
